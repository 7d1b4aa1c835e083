"""Actions that were consumed and are not yet forwarded: claims on those that are due go out, what came of them in.

Consuming a link (ledger.py) makes one, in the same step.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from redis.asyncio import Redis

from links.durability import run
from links.store import WHEN_FULL, Claim, Word, Write, claim, page, renew, write_if, write_if_claimed

DUE = "link:due"
ACTION = "link:action:"
# Where the id of an action is said once the platform has answered it.
FINISHED = "link:finished"
# Hash: how often each thing happened to links, by what, purpose and reason, as their audits have it.
TALLY = "tally:links"
_DEAD = "link:dead"
_HERE = Path(__file__).parent
_FINISH = WHEN_FULL + (_HERE / "audit.lua").read_text("utf-8") + (_HERE / "finish.lua").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Buried:
    """An action that was given up: when (ms), and why."""

    id: str
    at: int
    purpose: str
    reason: str


class Actions:
    """In Redis. An answer, or a dead letter, is kept for `keep`; an audit's entries grow as old as `keep_audit`."""

    def __init__(self, redis: Redis, *, keep: timedelta, keep_audit: timedelta) -> None:
        self._redis = redis
        self._keep = round(keep.total_seconds() * 1000)
        self._keep_audit = round(keep_audit.total_seconds() * 1000)

    async def claim(self, now: int, lease: int, count: int) -> list[Claim]:
        """Actions that are due to be forwarded, ours for the lease (ms)."""
        return await claim(self._redis, DUE, ACTION, now, lease, count)

    async def renew(self, until: int, claims: Collection[Claim]) -> set[str]:
        """Hold these until then; gives the ids of those that are not ours any more."""
        return await renew(self._redis, DUE, ACTION, until, claims)

    async def retry(self, action: Claim, due: int) -> bool:
        """The platform could not be reached: due again."""
        return await write_if_claimed(
            self._redis,
            ACTION + action.id,
            action.fence,
            [
                ("HINCRBY", ACTION + action.id, "attempts", 1),
                ("ZADD", DUE, due, action.id),
                _counted(action.fields.get("purpose"), "again"),
            ],
        )

    async def bury(self, action: Claim, now: int, reason: str) -> bool:
        """No more attempts: a dead letter, kept as long as an account's state, and still pending to its owner."""
        key = ACTION + action.id
        writes: list[Write] = [
            ("ZREM", DUE, action.id),
            ("ZREMRANGEBYSCORE", _DEAD, "-inf", now - self._keep),
            ("ZADD", _DEAD, now, action.id),
            ("HSET", key, "buried", now, "reason", reason),
            _counted(action.fields.get("purpose"), "dead"),
            ("PEXPIRE", key, self._keep),
        ]
        return await write_if_claimed(self._redis, key, action.fence, writes)

    async def dead(self, after: str, count: int) -> list[Buried]:
        """Up to `count` dead letters, oldest first, after the one with this id ('' for the first of all)."""
        letters = []
        for id, at in await page(self._redis, _DEAD, after, count):
            purpose, reason = await self._redis.hmget(ACTION + id, ["purpose", "reason"])  # type: ignore[misc]
            letters.append(Buried(id, at, (purpose or b"").decode(), (reason or b"").decode()))
        return letters

    async def replay(self, action: str, now: int) -> bool:
        """A dead letter is due again; False when it is none any more."""
        key = ACTION + action
        claims, buried, purpose = await self._redis.hmget(key, ["claims", "buried", "purpose"])  # type: ignore[misc]
        if buried is None:
            return False
        writes: list[Write] = [
            ("ZREM", _DEAD, action),
            ("ZADD", DUE, now, action),
            ("HDEL", key, "buried", "reason"),
            ("HSET", key, "attempts", 0, "returned", claims or 0),
            ("PERSIST", key),
            _counted(purpose, "replayed"),
        ]
        return await write_if(self._redis, key, "buried", buried, writes)

    async def given_up(self, since: int) -> int:
        """How many dead letters there are, of those that were given up since then (ms)."""
        return int(await self._redis.zcount(_DEAD, since, "+inf"))

    async def waiting(self) -> tuple[int, int | None]:
        """How many actions wait to be forwarded, and when the first of them is due (ms)."""
        first = await self._redis.zrange(DUE, 0, 0, withscores=True)
        return int(await self._redis.zcard(DUE)), int(first[0][1]) if first else None

    async def finish(self, action: Claim, outcome: Literal["done", "refused"], now: int, answer: bytes | None) -> bool:
        """The platform has answered. `answer` (opaque) is kept for `keep`, for the link's page to tell."""
        keys = [ACTION + action.id, DUE, TALLY]
        lives = self._keep, self._keep_audit
        args: list[Word] = [action.id, action.fence, outcome, now, answer or b"", *lives, FINISHED]
        return bool(await run(self._redis, _FINISH, keys, args))

    async def answer(self, action: str) -> bytes | None:
        """What the platform said to a finished action, if it said more than done."""
        held: bytes | None = await self._redis.hget(ACTION + action, "answer")  # type: ignore[misc]
        return held


def _counted(purpose: bytes | None, outcome: str) -> Write:
    return ("HINCRBY", TALLY, f"forwarded {(purpose or b'-').decode()} {outcome}", 1)
