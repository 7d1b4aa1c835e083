"""Verification codes: an account, a purpose and a channel go in, digits come out; a guess goes in, a verdict comes out.

A code is derived, not kept: HMAC-SHA256 over what it is bound to, under a key that only this service has. So nothing in
clear is stored, and every sending of one code, on retry or resend, prints the same digits with the same expiry.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal, cast

from redis.asyncio import Redis

from links.store import Write
from notifier.events import Channel
from notifier.records import PrintedCode

ATTEMPTS = 5
# A dead code still says that it has expired for a day; after that it is unknown.
_KEEP_AFTER = round(timedelta(days=1).total_seconds() * 1000)
_VERIFY = (Path(__file__).parent / "verify.lua").read_text("utf-8")

Reason = Literal["mismatch", "expired", "used", "too_many_attempts", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is None when the code was right, and is now used."""

    reason: Reason | None
    attempts_left: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a code: the event that it was issued for, what it is bound to, when it dies (ms)."""

    event: str
    account: str
    purpose: str
    channels: Sequence[Channel]
    expires: int
    used: bool


class Codes:
    """Codes under the newest of `keys` (the last), with `length` digits and for `life`, or as their purpose has it."""

    def __init__(
        self,
        redis: Redis,
        keys: Sequence[bytes],
        *,
        length: int,
        lengths: Mapping[str, int],
        life: timedelta,
        lives: Mapping[str, timedelta],
    ) -> None:
        self._redis = redis
        self._verify = redis.register_script(_VERIFY)
        self._keys = {hashlib.sha256(key).hexdigest()[:8]: key for key in keys}
        self._newest = hashlib.sha256(keys[-1]).hexdigest()[:8]
        self._length, self._lengths = length, lengths
        self._life, self._lives = life, lives

    def expires(self, purpose: str, issued: int) -> int:
        """When a code issued then dies (ms)."""
        return issued + round(self._lives.get(purpose, self._life).total_seconds() * 1000)

    def issue(
        self, id: str, event: str, account: str, purpose: str, channels: Sequence[Channel], issued: int
    ) -> list[Write]:
        """Writes that make a code valid from `issued` (ms) on; `account` is a digest."""
        expires = self.expires(purpose, issued)
        return [
            (
                "HSET", _key(id), "event", event, "account", account, "purpose", purpose,
                "channels", ",".join(channels),
                "length", self._lengths.get(purpose, self._length), "key", self._newest, "expires", expires,
            ),
            ("PEXPIREAT", _key(id), expires + _KEEP_AFTER),
        ]  # fmt: skip

    async def find(self, id: str) -> Standing | None:
        """A code's standing; None when it is not known."""
        fields = await self._fields(id)
        if not fields:
            return None
        channels = cast(list[Channel], fields["channels"].split(","))
        used = "used" in fields or all(f"used:{channel}" in fields for channel in channels)
        return Standing(fields["event"], fields["account"], fields["purpose"], channels, int(fields["expires"]), used)

    async def add_channels(self, id: str, channels: Sequence[Channel]) -> None:
        """The code is printed on these too from now on, each with digits of its own."""
        standing = await self.find(id)
        if standing:
            every = dict.fromkeys((*standing.channels, *channels))
            await self._redis.hset(_key(id), "channels", ",".join(every))  # type: ignore[misc]

    async def digits(self, id: str, channel: Channel) -> str | None:
        """The code as its message prints it; None when it is no longer known, or its key is retired."""
        return self._derive(await self._fields(id), id, channel)

    async def printed(self, id: str, channel: Channel, at: int) -> PrintedCode | None:
        """The code, and how long it has to live, as a message accepted `at` tells it."""
        fields = await self._fields(id)
        digits = self._derive(fields, id, channel)
        return PrintedCode(digits, round((int(fields["expires"]) - at) / 60_000) or 1) if digits else None

    async def spend(self, id: str) -> None:
        """Used, in another way than by `verify`."""
        if await self._redis.exists(_key(id)):
            await self._redis.hset(_key(id), "used", "1")  # type: ignore[misc]

    async def verify(
        self,
        id: str,
        guess: str,
        now: int,
        *,
        channel: Channel | None = None,
        account: str | None = None,
        purpose: str | None = None,
    ) -> Verdict:
        """Settle a guess. Without a channel the code of any channel is right, and all of them are then used.

        With an account (a digest) or a purpose, a code of another account or purpose is wrong.
        """
        fields = await self._fields(id)
        presented = "".join(guess.split()).encode()
        channels = cast(list[Channel], [channel] if channel else fields.get("channels", "").split(","))
        bound = account in (None, fields.get("account")) and purpose in (None, fields.get("purpose"))
        derived = {c: self._derive(fields, id, c) for c in channels}
        # Of a channel it was not sent on, or under a retired key, nothing is right: not even a placeholder.
        right = [c for c, digits in derived.items() if digits and hmac.compare_digest(digits.encode(), presented)]
        matches = right if bound else []
        reason, left = await self._verify(keys=[_key(id)], args=[now, ATTEMPTS, channel or "", *matches])
        return Verdict(cast(Reason, reason.decode()) or None, left)

    async def _fields(self, id: str) -> dict[str, str]:
        fields = await self._redis.hgetall(_key(id))  # type: ignore[misc]
        return {name.decode(): value.decode() for name, value in fields.items()}

    def _derive(self, fields: dict[str, str], id: str, channel: Channel) -> str | None:
        key = self._keys.get(fields.get("key", ""))
        if key is None or channel not in fields["channels"].split(","):
            return None
        bound = "\0".join((id, fields["account"], fields["purpose"], channel))
        length = int(fields["length"])
        # 256 bits modulo 10^10 at most: no digit is likelier than another by more than 2^-220.
        number = int.from_bytes(hmac.digest(key, bound.encode(), "sha256")) % 10**length
        return f"{number:0{length}}"


def _key(id: str) -> str:
    return f"code:{id}"
