"""What the platform's site shows an owner: items go in, each once; an account's (a digest) are read, marked and erased.

inbox:<account>          sorted set: ids of notifications, by place
inbox:<account>:unread   sorted set: those of them that are unread
inbox-item:<id>          the sealed item

A place is when the item came (ms), and one more than the last where that is later: so it is a cursor that misses none.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis

from links.durability import run
from notifier.notifications import NOTIFICATION
from notifier.sealing import Sealer, Unsealable
from notifier.transports.base import Item, ItemLink

# Whoever waits for news of any inbox hears here whose it is.
NEWS = "inbox-news"
_INBOX = "inbox:"
_ITEM = "inbox-item:"
_PUT = (Path(__file__).parent / "inbox.lua").read_text("utf-8")
_ERASE = """
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('DEL', ARGV[1] .. id) end
redis.call('DEL', KEYS[1], KEYS[2])
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item where it stands: `place` is when it came (ms)."""

    place: int
    unread: bool
    item: Item


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in their order, fewer than asked for where some cannot be read; `next`: there may be more after this."""

    entries: Sequence[Entry]
    next: int | None


class Inbox:
    """In Redis; an item is kept for `age`, sealed."""

    def __init__(self, redis: Redis, sealer: Sealer, age: timedelta) -> None:
        self._redis = redis
        self._sealer = sealer
        self._age = round(age.total_seconds() * 1000)

    async def put(self, item: Item, now: int) -> int | None:
        """Its place, the same when it comes again; None when its notification is kept no more."""
        id, (every, unread) = item.notification, _keys(item.account)
        sealed = self._sealer.seal(_ITEM + id, json.dumps(asdict(item)).encode())
        keys = [NOTIFICATION + id, every, unread, _ITEM + id]
        place = await run(self._redis, _PUT, keys, [id, sealed, now, self._age, NEWS, item.account])
        return int(place) if place else None

    async def page(self, account: str, before: int | None, count: int, now: int, *, unread: bool) -> Page:
        """Up to `count`, newest first, of places before this one; only what is unread, or all."""
        latest = "+inf" if before is None else f"({before}"
        rows = await self._redis.zrevrangebyscore(
            _keys(account)[unread], latest, self._oldest(now), start=0, num=count, withscores=True
        )
        return await self._read(account, rows, count)

    async def since(self, account: str, place: int, count: int) -> Page:
        """Up to `count` that came after this place, oldest first."""
        rows = await self._redis.zrangebyscore(
            _keys(account)[0], f"({place}", "+inf", start=0, num=count, withscores=True
        )
        return await self._read(account, rows, count)

    async def latest(self, account: str) -> int:
        """The place of the newest; 0 where there is none."""
        rows = await self._redis.zrevrange(_keys(account)[0], 0, 0, withscores=True)
        return int(rows[0][1]) if rows else 0

    async def unread(self, account: str, now: int) -> int:
        """How many are unread."""
        return int(await self._redis.zcount(_keys(account)[1], self._oldest(now), "+inf"))

    async def place(self, account: str, id: str) -> int | None:
        """Where this notification's item is; None where the account has none."""
        score = await self._redis.zscore(_keys(account)[0], id)
        return None if score is None else int(score)

    async def mark(self, account: str, id: str) -> None:
        """It was read."""
        await self._redis.zrem(_keys(account)[1], id)

    async def mark_all(self, account: str, place: int) -> None:
        """All up to this place were read."""
        await self._redis.zremrangebyscore(_keys(account)[1], "-inf", place)

    async def erase(self, account: str) -> None:
        """All of it. What was on its way has lost its notification before, and comes no more."""
        await run(self._redis, _ERASE, _keys(account), [_ITEM])

    def _oldest(self, now: int) -> str:
        return f"({now - self._age}"

    async def _read(self, account: str, rows: Sequence[tuple[bytes, float]], count: int) -> Page:
        if not rows:
            return Page((), None)
        ids = [id.decode() for id, _ in rows]
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.mget([_ITEM + id for id in ids])
            pipe.zmscore(_keys(account)[1], ids)
            sealed, unread = await pipe.execute()
        found = [
            (int(place), mark is not None, self._open(id, held))
            for id, (_, place), held, mark in zip(ids, rows, sealed, unread, strict=True)
        ]
        entries = [Entry(place, mark, item) for place, mark, item in found if item]
        return Page(entries, int(rows[-1][1]) if len(rows) == count else None)

    def _open(self, id: str, sealed: bytes | None) -> Item | None:
        """None where it has just come of age, or its key is listed no more."""
        try:
            told = json.loads(self._sealer.open(_ITEM + id, sealed)) if sealed else None
        except Unsealable:
            return None
        return Item(**told | {"links": tuple(ItemLink(**link) for link in told["links"])}) if told else None


def _keys(account: str) -> list[str]:
    return [f"{_INBOX}{account}", f"{_INBOX}{account}:unread"]
