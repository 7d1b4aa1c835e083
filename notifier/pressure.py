"""Whether there is room for more: a lane comes in; nothing goes out, or `Overloaded`.

A lane takes no more once too much waits in it, and the less urgent ones once the store is nearly full: bulk before
alerts, and what is critical never before the store itself refuses it.
"""

import math
from collections.abc import Mapping

from redis.asyncio import Redis

from notifier.clock import Clock
from notifier.errors import Overloaded

# How many notifications may wait in a lane. One worker sends some thousand a second (docs/capacity.md): a million, the
# most that may stand before a new code, is gone in about half of a code's life; a backlog of bulk in three minutes.
DEPTHS: Mapping[str, int] = {"critical": 1_000_000, "alert": 500_000, "bulk": 200_000}
# The part of the store's memory from which on a lane takes nothing; what is left is for those after it.
_FULL: Mapping[str, float] = {"alert": 0.95, "bulk": 0.85}
# When to come back: the less urgent later, for the others to have the room first. Seconds.
_RETRY_S: Mapping[str, int] = {"critical": 2, "alert": 10, "bulk": 30}
_FRESH_MS = 1_000


class Pressure:
    """Looks at the store once a second, and counts what it lets in meanwhile.

    `queues` are the lanes' sorted sets, by when each entry is due (ms).
    """

    def __init__(self, redis: Redis, queues: Mapping[str, str], depths: Mapping[str, int], clock: Clock) -> None:
        self._redis = redis
        self._queues = queues
        self._depths = depths
        self._clock = clock
        self._looked = 0
        self._waiting = dict.fromkeys(queues, 0)
        self._part = 0.0

    async def admit(self, lane: str) -> None:
        """Raises Overloaded, or as Redis does."""
        now = self._clock()
        # A clock that was set back is as good as one that went on.
        if not 0 <= now - self._looked < _FRESH_MS:
            # First, so that one request looks and not all that come meanwhile.
            self._looked = now
            await self._look(now)
        if self._part >= _FULL.get(lane, math.inf):
            raise Overloaded("the store is nearly full, and what is more urgent goes first", _RETRY_S[lane])
        if self._waiting[lane] >= self._depths[lane]:
            raise Overloaded(f"too much waits in the lane {lane}", _RETRY_S[lane])
        self._waiting[lane] += 1

    async def _look(self, now: int) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for queue in self._queues.values():
                # What waits for its time to come, or is being sent, is no backlog.
                pipe.zcount(queue, "-inf", now)
            pipe.info("memory")
            *waiting, memory = await pipe.execute()
        self._waiting = dict(zip(self._queues, waiting, strict=True))
        most, used = memory.get("maxmemory", 0), memory["used_memory"] - memory.get("mem_not_counted_for_evict", 0)
        self._part = used / most if most else 0.0
