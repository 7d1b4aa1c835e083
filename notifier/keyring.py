"""The API keys that are kept in the store: rights come in, a key that is shown once goes out; it is found by its id.

A key is `nk_<id>_<secret>`, of which the SHA-256 is kept: 256 random bits need no slow hash. Its signing secret is
sealed under a key made of the API key itself, which is kept nowhere: whoever reads the store can sign nothing, and
nothing is lost when payload keys rotate.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import structlog
from limits import parse
from redis.asyncio import Redis

from links.durability import Acknowledge
from links.store import Write, write_if
from notifier import ids
from notifier.allowance import LAST_USED
from notifier.clock import Clock
from notifier.errors import Conflict, NotFound
from notifier.sealing import Sealer, Unsealable
from notifier.setting_types import ApiKey

log = structlog.get_logger()

# A hash: each key by its id, and how often any was changed.
_KEYS = "api-keys"
# No id looks like this.
_REVISION = b"#revision"
# Live at once for one producer: the one in use, and the one that replaces it.
MOST_LIVE = 2
_KEY = re.compile(r"nk_([a-z2-7]{8})_[a-z2-7]{52}")
_ID_BYTES, _SECRET_BYTES = 5, 32
# How long other processes may go on with what they have read. ms; what is not known may have been made just now.
_FRESH, _FRESH_UNKNOWN = 2_000, 50


@dataclass(frozen=True, slots=True)
class Kept:
    """A key as it is kept; times in ms, `life` is what it was made for. `used` is by the minute."""

    key: ApiKey
    created: int
    expires: int | None
    life: int | None
    used: int | None = None

    def live(self, now: int) -> bool:
        """Whether it still counts."""
        return self.expires is None or now < self.expires

    def dump(self) -> str:
        """As the store has it."""
        key = self.key
        return json.dumps(
            {
                "producer": key.producer,
                "digest": key.digest,
                "scopes": sorted(key.scopes),
                "notices": None if key.notices is None else sorted(key.notices),
                "limits": {name: str(rule) for name, rule in key.limits.items()},
                "signing": base64.b64encode(key.signing).decode(),
                "created": self.created,
                "expires": self.expires,
                "life": self.life,
            }
        )

    @classmethod
    def load(cls, id: str, held: bytes, used: int | None) -> Self:
        """Raises ValueError, KeyError or TypeError for what is none."""
        record: dict[str, Any] = json.loads(held)
        key = ApiKey(
            record["producer"],
            record["digest"],
            frozenset(record["scopes"]),
            id,
            None if record["notices"] is None else frozenset(record["notices"]),
            {name: parse(rule) for name, rule in record["limits"].items()},
            base64.b64decode(record["signing"]),
        )
        return cls(key, record["created"], record["expires"], record["life"], used)


@dataclass(frozen=True, slots=True)
class Made:
    """What is shown once: the key, and its signing secret where it has one."""

    kept: Kept
    plain: str
    secret: str | None


class Keyring:
    """The keys in `redis`. What is changed holds once it is where `acknowledge` says."""

    def __init__(self, redis: Redis, acknowledge: Acknowledge = "memory") -> None:
        self._redis = redis
        self._acknowledge = acknowledge

    async def all(self) -> dict[str, Kept]:
        """Each key by its id, those that have expired too."""
        return (await self._read())[1]

    async def add(self, rights: ApiKey, now: int, *, life: int | None = None, signed: bool = False) -> Made:
        """A fresh key with these rights; raises Conflict when its producer has two. `life` in ms, None: no end."""
        while True:
            revision, held = await self._read()
            self._check_room(held, rights.producer, now)
            made = _make(rights, now, life, signed=signed)
            if await self._write(revision, held, now, {made.kept.key.id: made.kept}):
                return made

    async def rotate(self, name: str, now: int, *, expire_old: int | None = None) -> Made:
        """Another key with the same rights as the one that `name`, an id or a producer, has; raises NotFound, Conflict.

        The old one ends `expire_old` ms from now, None: when it is revoked.
        """
        while True:
            revision, held = await self._read()
            old = self._named(held, name, now)
            self._check_room(held, old.key.producer, now)
            made = _make(old.key, now, old.life, signed=bool(old.key.signing))
            changed = {made.kept.key.id: made.kept}
            if expire_old is not None:
                ends = now + expire_old
                changed[old.key.id] = replace(old, expires=ends if old.expires is None else min(ends, old.expires))
            if await self._write(revision, held, now, changed):
                return made

    async def revoke(self, id: str, now: int) -> Kept:
        """This key is none any more; raises NotFound."""
        while True:
            revision, held = await self._read()
            if id not in held:
                raise NotFound("no key is kept under this id")
            if await self._write(revision, held, now, {}, {id}):
                return held[id]

    async def _read(self) -> tuple[bytes, dict[str, Kept]]:
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(_KEYS)
            pipe.hgetall(LAST_USED)
            records, used = await pipe.execute()
        revision: bytes = records.pop(_REVISION, b"")
        held: dict[str, Kept] = {}
        for id, record in records.items():
            try:
                held[id.decode()] = Kept.load(id.decode(), record, int(used[id]) if id in used else None)
            except (ValueError, KeyError, TypeError, binascii.Error):
                # Another version's, or damaged: no reason to refuse all others.
                log.error("api_key_unreadable", key=id.decode("ascii", "replace"))
        return revision, held

    async def _write(
        self,
        revision: bytes,
        held: Mapping[str, Kept],
        now: int,
        changed: Mapping[str, Kept],
        removed: frozenset[str] | set[str] = frozenset(),
    ) -> bool:
        """False when another has changed something since it was read. What has expired goes with it."""
        gone = sorted({*removed, *(id for id, kept in held.items() if not kept.live(now))} - changed.keys())
        writes: list[Write] = [("HINCRBY", _KEYS, _REVISION, 1)]
        writes += [("HSET", _KEYS, id, kept.dump()) for id, kept in changed.items()]
        writes += [(command, key, *gone) for command, key in (("HDEL", _KEYS), ("HDEL", LAST_USED)) if gone]
        return await write_if(self._redis, _KEYS, _REVISION.decode(), revision, writes, self._acknowledge)

    @staticmethod
    def _check_room(held: Mapping[str, Kept], producer: str, now: int) -> None:
        live = [kept.key.id for kept in held.values() if kept.key.producer == producer and kept.live(now)]
        if len(live) >= MOST_LIVE:
            raise Conflict(f"{producer} has {MOST_LIVE} live keys, {' and '.join(sorted(live))}: revoke one first")

    @staticmethod
    def _named(held: Mapping[str, Kept], name: str, now: int) -> Kept:
        """The live key with this id, or of this producer: the newest, where it has two."""
        named = [kept for id, kept in held.items() if name in (id, kept.key.producer) and kept.live(now)]
        if not named:
            raise NotFound("no live key is kept under this id or for this producer")
        return max(named, key=lambda kept: kept.created)


class Known:
    """The keys as they were two seconds ago at most, for who asks all the time."""

    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._keyring = keyring
        self._clock = clock
        self._read_at = 0
        self._held: dict[str, Kept] | None = None

    async def find(self, id: str) -> ApiKey | None:
        """A live key; raises as Redis does while it cannot be known."""
        now = self._clock()
        if self._held is None or not 0 <= now - self._read_at < (_FRESH if id in self._held else _FRESH_UNKNOWN):
            before, self._read_at = self._read_at, now
            try:
                self._held = await self._keyring.all()
            except BaseException:
                self._read_at = before
                raise
        kept = self._held.get(id)
        return kept.key if kept and kept.live(now) else None


def id_of(presented: str) -> str | None:
    """The id in a key that somebody presents, None where it is no key of this kind."""
    key = _KEY.fullmatch(presented)
    return key[1] if key else None


def digest(presented: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(presented.encode()).hexdigest()


def signing_secret(key: ApiKey, presented: str) -> bytes | None:
    """The secret that requests with this key are signed with; None where it cannot be opened."""
    try:
        return _sealer(presented).open(_record(key.id), key.signing)
    except Unsealable:
        return None


def _make(rights: ApiKey, now: int, life: int | None, *, signed: bool) -> Made:
    id = ids.to_id(secrets.token_bytes(_ID_BYTES))
    plain = f"nk_{id}_{ids.to_id(secrets.token_bytes(_SECRET_BYTES))}"
    secret = secrets.token_bytes(_SECRET_BYTES) if signed else b""
    signing = _sealer(plain).seal(_record(id), secret) if signed else b""
    key = rights._replace(id=id, digest=digest(plain), signing=signing)
    kept = Kept(key, now, None if life is None else now + life, life)
    return Made(kept, plain, f"whsec_{base64.b64encode(secret).decode()}" if signed else None)


def _sealer(plain: str) -> Sealer:
    return Sealer((hmac.digest(plain.encode(), b"notifier: what seals this key's signing secret", "sha256"),))


def _record(id: str) -> str:
    return f"api-key:{id}"
