"""What the ledger and the notifier's outbox both need of Redis: writes that are applied together or not at all, and
records that several processes take turns at.

A queue is a sorted set of record ids scored by when each is next due; a record is a hash. Who has claimed a record is
known by the record's field `claims`, which counts them; `returned` is the last claim that was given back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from links.durability import Acknowledge, run

Word = str | bytes | int
Write = tuple[Word, ...]

# After so many claims in a row that were never heard of again, a record is claimed alone.
SUSPECT = 5
# After so many it is for whoever claims it to give it up: the later half of its workers died with nothing else in hand.
MOST_LOST = 2 * SUSPECT

_HERE = Path(__file__).parent
# What was accepted must get out of a store that is full, or it would never be less full (Redis 7, "eval-flags").
WHEN_FULL = "#!lua flags=allow-oom\n"
_CLAIM = WHEN_FULL + (_HERE / "claim.lua").read_text("utf-8")
_RENEW = WHEN_FULL + (_HERE / "renew.lua").read_text("utf-8")
APPLY = (_HERE / "apply.lua").read_text("utf-8")
_GUARDED = APPLY + (_HERE / "guarded.lua").read_text("utf-8")
_SETTLE = WHEN_FULL + APPLY + (_HERE / "settle.lua").read_text("utf-8")


class Changed(Exception):
    """What the writes were made from has changed since it was read; make them again."""


@dataclass(frozen=True, slots=True)
class Basis:
    """A hash that writes were made from, and its field `version` as it was read ('' for none)."""

    key: str
    version: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A record that is ours until its lease ends. `fence` counts the claims on it; only the newest may settle.

    `lost` is how many claims before this one, in a row, were never heard of again: each a worker that died.
    """

    id: str
    fence: int
    lost: int
    fields: dict[str, bytes]


async def claim(redis: Redis, due: str, prefix: str, now: int, lease: int, count: int) -> list[Claim]:
    """Up to `count` records of the queue `due` that are due at `now`, oldest first, or one suspect; times in ms."""
    rows = await run(redis, _CLAIM, [due], [prefix, now, lease, count, SUSPECT])
    return [
        Claim(id.decode(), fence, lost, {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)})
        for id, fence, lost, flat in rows
    ]


async def renew(redis: Redis, due: str, prefix: str, until: int, claims: Iterable[Claim]) -> set[str]:
    """Hold these until then (ms); gives the ids of those that are not ours any more."""
    held = [word for claim in claims for word in (claim.id, claim.fence)]
    lost = await run(redis, _RENEW, [due], [prefix, until, *held])
    return {id.decode() for id in lost}


async def page(redis: Redis, queue: str, after: str, count: int) -> list[tuple[str, int]]:
    """Ids with their scores from a sorted set, after this id ('' for the first of all; one that is gone: as well)."""
    rank = await redis.zrank(queue, after) if after else None
    start = 0 if rank is None else rank + 1
    rows = await redis.zrange(queue, start, start + count - 1, withscores=True)
    return [(id.decode(), int(score)) for id, score in rows]


async def write_if_absent(
    redis: Redis, key: str, writes: Iterable[Write], acknowledge: Acknowledge = "memory", basis: Basis | None = None
) -> bytes | None:
    """Apply `writes` unless the string `key` exists; None when applied, else what `key` holds. Raises Unconfirmed, and
    Changed where `basis` has.
    """
    held: bytes | None = await _guarded(redis, _GUARDED, key, "", "", writes, acknowledge, basis)
    return held


async def write_if(
    redis: Redis,
    record: str,
    field: str,
    value: Word,
    writes: Iterable[Write],
    acknowledge: Acknowledge = "memory",
) -> bool:
    """Apply `writes` if this field of the record has this value ('': none); False when it has not."""
    return await _guarded(redis, WHEN_FULL + _GUARDED, record, field, value, writes, acknowledge) is None


async def write_if_claimed(redis: Redis, record: str, fence: int, writes: Iterable[Write]) -> bool:
    """Apply `writes`, and the claim is given back, if nobody has claimed the record since; False when somebody has.

    May be called again when its answer was lost: the writes are applied once.
    """
    applied, *_ = await run(redis, _SETTLE, [record], [fence, *words(writes)])
    return bool(applied)


async def _guarded(
    redis: Redis,
    script: str,
    key: str,
    field: str,
    value: Word,
    writes: Iterable[Write],
    acknowledge: Acknowledge = "memory",
    basis: Basis | None = None,
) -> bytes | None:
    keys, version = ([key, basis.key], basis.version) if basis else ([key], "")
    applied, *held = await run(redis, script, keys, [field, value, version, *words(writes)], acknowledge)
    if applied < 0:
        raise Changed
    return None if applied else held[0]


def words(writes: Iterable[Write]) -> list[Word]:
    """As apply.lua takes them."""
    return [word for write in writes for word in (len(write), *write)]
