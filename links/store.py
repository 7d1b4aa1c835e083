"""What the ledger and the notifier's outbox both need of Redis: writes that are applied together or not at all, and
records that several processes take turns at.

A queue is a sorted set of record ids scored by when each is next due; a record is a hash.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

Word = str | bytes | int
Write = tuple[Word, ...]

_HERE = Path(__file__).parent
_CLAIM = (_HERE / "claim.lua").read_text("utf-8")
_GUARDED = (_HERE / "guarded.lua").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Claim:
    """A record that is ours until its lease ends. `fence` counts the claims on it; only the newest may settle."""

    id: str
    fence: int
    fields: dict[str, bytes]


async def claim(redis: Redis, due: str, prefix: str, now: int, lease: int, count: int) -> list[Claim]:
    """Up to `count` records of the queue `due` that are due at `now`, oldest first; times in ms."""
    rows = await redis.register_script(_CLAIM)(keys=[due], args=[prefix, now, lease, count])
    return [
        Claim(id.decode(), fence, {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)})
        for id, fence, flat in rows
    ]


async def has_due(redis: Redis, due: str, now: int) -> bool:
    """Whether any record of the queue `due` is due at `now`."""
    return bool(await redis.zcount(due, "-inf", now))


async def write_if_absent(redis: Redis, key: str, writes: Iterable[Write]) -> bytes | None:
    """Apply `writes` unless the string `key` exists; None when applied, else what `key` holds."""
    held: bytes | None = await _guarded(redis, key, "", "", writes)
    return held


async def write_if_claimed(redis: Redis, record: str, fence: int, writes: Iterable[Write]) -> bool:
    """Apply `writes` if nobody has claimed the record since; False when somebody has."""
    return await _guarded(redis, record, "claims", str(fence), writes) is None


async def _guarded(redis: Redis, key: str, field: str, value: str, writes: Iterable[Write]) -> bytes | None:
    words = [word for write in writes for word in (len(write), *write)]
    applied, *held = await redis.register_script(_GUARDED)(keys=[key], args=[field, value, *words])
    return None if applied else held[0]
