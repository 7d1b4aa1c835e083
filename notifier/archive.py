"""What is kept and told of notifications: an id comes in, its standing and timeline go out; an account's are listed and
erased; dead letters are listed and go back on their way.
"""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from links.durability import run
from links.store import WHEN_FULL, Write, page, write_if
from notifier import ids
from notifier.notices import Lane
from notifier.notifications import (
    COUNTS,
    DEAD,
    NOTIFICATION,
    QUEUE,
    RANKS,
    TIMELINE,
    Notification,
    account_index,
    keys,
    noted,
    queue,
    read,
    told,
)
from notifier.tally import TALLY, counted

_HERE = Path(__file__).parent
# How much of an account's index is read at once.
_CHUNK = 256
_NOTE, _REPORT, _ERASE = (
    WHEN_FULL + (_HERE / f"{name}.lua").read_text("utf-8") for name in ("note", "report", "erase")
)


class Archive:
    """The notifications that are kept, in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def find(self, id: str) -> Notification | None:
        """A notification by its id, whoever wrote it; None when there is none, or none that can be read."""
        if not ids.is_id(id):
            return None
        return _read(id, await self._redis.hgetall(NOTIFICATION + id))  # type: ignore[misc]

    async def timeline(self, id: str) -> list[dict[str, Any]]:
        """What has happened to a notification since it was accepted, oldest first."""
        rows = await self._redis.lrange(keys(id)[1], 0, -1)  # type: ignore[misc]
        # A click is noted just after it counted; the action that it made may have been forwarded by then.
        return sorted((json.loads(row) for row in rows), key=lambda entry: int(entry["at"]))

    async def note(self, id: str, at: int, what: str, **facts: str | int) -> None:
        """Add to a notification's timeline."""
        await run(self._redis, _NOTE, keys(id), [told(at, what, facts), TIMELINE])

    async def report(self, id: str, status: str, at: int, **facts: str | int) -> bool | None:
        """The other side tells what became of it. True when that is news, None when there is no such notification."""
        known = await run(
            self._redis, _REPORT, [*keys(id), TALLY], [told(at, status, facts), TIMELINE, status, RANKS[status]]
        )
        return None if known < 0 else bool(known)

    async def dead(self, after: str, count: int) -> list[tuple[str, int]]:
        """Ids of up to `count` dead letters and when each was given up (ms), oldest first, after this one."""
        return await page(self._redis, DEAD, after, count)

    async def replay(self, notification: Notification, now: int) -> bool:
        """A dead letter is due again; False when it is none any more."""
        key = NOTIFICATION + notification.id
        claims = await self._redis.hget(key, "claims")  # type: ignore[misc]
        writes: list[Write] = [
            ("ZREM", DEAD, notification.id),
            ("ZADD", queue(notification.lane), now, notification.id),
            # Given back by all who died with it: it is no suspect any more.
            ("HSET", key, "status", "accepted", "attempts", 0, "returned", claims or 0),
            ("HINCRBY", COUNTS, "failed", -1),
            # A counter that went down would look like one that began anew.
            counted("notifications", "replayed", notification.channel, notification.notice, notification.locale, ""),
            *noted(notification.id, now, "replayed", {}),
        ]
        return await write_if(self._redis, key, "status", "failed", writes)

    async def of_account(self, account: str, before: tuple[int, str] | None) -> AsyncIterator[tuple[int, Notification]]:
        """An account's (a digest) notifications that are kept, each with when it is due (ms): latest first, after the
        one that was due then and has this id; None for the first of all.
        """
        latest, last = (before[0], NOTIFICATION + before[1]) if before else ("+inf", "")
        read_so_far = 0
        while rows := await self._redis.zrevrangebyscore(
            account_index(account), latest, "-inf", start=read_so_far, num=_CHUNK, withscores=True
        ):
            read_so_far += len(rows)
            due = {key.decode(): int(score) for key, score in rows}
            for key in [key for key in due if not key.startswith(NOTIFICATION) or (due[key] == latest and key >= last)]:
                del due[key]
            async with self._redis.pipeline(transaction=False) as pipe:
                for key in due:
                    pipe.hgetall(key)
                held = await pipe.execute()
            for (key, score), fields in zip(due.items(), held, strict=True):
                if notification := _read(key.removeprefix(NOTIFICATION), fields):
                    yield score, notification

    async def erase(self, account: str) -> int:
        """Erase all that is kept for an account (a digest); gives how many notifications that were."""
        return int(await run(self._redis, _ERASE, [account_index(account), DEAD, COUNTS, TALLY], [NOTIFICATION, QUEUE]))

    async def given_up(self, since: int) -> int:
        """How many dead letters there are, of those that were given up since then (ms)."""
        return int(await self._redis.zcount(DEAD, since, "+inf"))

    async def counts(self) -> Mapping[str, int]:
        """How many notifications were accepted, and came to which end, since the store was made."""
        fields = await self._redis.hgetall(COUNTS)  # type: ignore[misc]
        return {name.decode(): int(value) for name, value in fields.items()}

    async def waiting(self, lane: Lane) -> tuple[int, int | None]:
        """How many notifications of a lane wait, and when the first of them is due (ms)."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.zcard(queue(lane))
            pipe.zrange(queue(lane), 0, 0, withscores=True)
            count, first = await pipe.execute()
        return count, int(first[0][1]) if first else None


def _read(id: str, fields: Mapping[bytes, bytes]) -> Notification | None:
    try:
        return read(id, {name.decode(): value for name, value in fields.items()})
    except (KeyError, ValueError):
        return None
