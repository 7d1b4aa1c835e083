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

from links.durability import run
from links.store import WHEN_FULL, Write, write_if
from notifier.events import Channel
from notifier.records import PrintedCode
from notifier.tally import TALLY, counted

ATTEMPTS = 5
# A dead code still says that it has expired for a day; after that it is unknown.
_KEEP_AFTER = round(timedelta(days=1).total_seconds() * 1000)
# An owner must get in though the store is full.
_VERIFY = WHEN_FULL + (Path(__file__).parent / "verify.lua").read_text("utf-8")

_SAMPLE = "1234567890"

Reason = Literal["mismatch", "expired", "used", "too_many_attempts", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is None when the code was right, and is now used."""

    reason: Reason | None
    attempts_left: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a code: the event that it was issued for, what it is bound to, when it dies (ms), and whether it
    is over before, as it was used or guessed at too often.
    """

    event: str
    account: str
    purpose: str
    channels: Sequence[Channel]
    expires: int
    over: bool


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
        self._keys = {hashlib.sha256(key).hexdigest()[:8]: key for key in keys}
        self._newest = hashlib.sha256(keys[-1]).hexdigest()[:8]
        self._length, self._lengths = length, lengths
        self._life, self._lives = life, lives

    def expires(self, purpose: str, issued: int) -> int:
        """When a code issued then dies (ms)."""
        return issued + round(self._life_of(purpose).total_seconds() * 1000)

    def sample(self, purpose: str) -> PrintedCode:
        """Digits that are no code, as a message would print one."""
        minutes = round(self._life_of(purpose).total_seconds() / 60) or 1
        return PrintedCode(_SAMPLE[: self._length_of(purpose)], minutes)

    def issue(
        self, id: str, event: str, account: str, purpose: str, channels: Sequence[Channel], issued: int
    ) -> list[Write]:
        """Writes that make a code valid from `issued` (ms) on; `account` is a digest."""
        expires = self.expires(purpose, issued)
        return [
            (
                "HSET", record_key(id), "event", event, "account", account, "purpose", purpose,
                "channels", ",".join(channels),
                "length", self._length_of(purpose), "key", self._newest, "expires", expires,
            ),
            ("PEXPIREAT", record_key(id), expires + _KEEP_AFTER),
            counted("codes", "issued"),
        ]  # fmt: skip

    async def find(self, id: str) -> Standing | None:
        """A code's standing; None when it is not known."""
        fields = await self._fields(id)
        if not fields:
            return None
        channels = cast(list[Channel], fields["channels"].split(","))
        used = "used" in fields or all(f"used:{channel}" in fields for channel in channels)
        over = used or int(fields.get("tries", 0)) >= ATTEMPTS
        return Standing(fields["event"], fields["account"], fields["purpose"], channels, int(fields["expires"]), over)

    async def add_channels(self, id: str, channels: Sequence[Channel]) -> None:
        """The code is printed on these too from now on, each with digits of its own."""
        standing = await self.find(id)
        if standing:
            every = dict.fromkeys((*standing.channels, *channels))
            writes: list[Write] = [("HSET", record_key(id), "channels", ",".join(every))]
            await write_if(self._redis, record_key(id), "event", standing.event, writes)

    async def digits(self, id: str, channel: Channel) -> str | None:
        """The code as its message prints it; None when it is no longer known, or its key is retired."""
        return self._derive(await self._fields(id), id, channel)

    async def printed(self, id: str, channel: Channel, at: int) -> PrintedCode | None:
        """The code, and how long it has to live, as a message accepted `at` tells it."""
        fields = await self._fields(id)
        digits = self._derive(fields, id, channel)
        return PrintedCode(digits, round((int(fields["expires"]) - at) / 60_000) or 1) if digits else None

    async def spent(self, id: str) -> list[Write]:
        """Writes by which a code is used, in another way than by `verify`."""
        standing = await self.find(id)
        if standing is None:
            return []
        # It may be gone by the time this is written, and must not come back for good.
        ends = standing.expires + _KEEP_AFTER
        return [("HSET", record_key(id), "used", "1"), ("PEXPIREAT", record_key(id), ends)]

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
        args = [now, ATTEMPTS, channel or "", *matches]
        reason, left = await run(self._redis, _VERIFY, [record_key(id), TALLY], args)
        return Verdict(cast(Reason, reason.decode()) or None, left)

    def _life_of(self, purpose: str) -> timedelta:
        return self._lives.get(purpose, self._life)

    def _length_of(self, purpose: str) -> int:
        return self._lengths.get(purpose, self._length)

    async def _fields(self, id: str) -> dict[str, str]:
        fields = await self._redis.hgetall(record_key(id))  # type: ignore[misc]
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


def record_key(id: str) -> str:
    """What a code is kept under."""
    return f"code:{id}"
