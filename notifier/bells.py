"""What wakes workers: knocks, which all that listen hear at once, and bells, arq jobs, which one of them hears, also
later. Both say which queue has work and nothing else: no address, code or token. One that is lost costs a second:
whoever is meant looks by itself.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable

from arq.connections import ArqRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from notifier.notices import Lane
from notifier.notifications import KNOCKS

QUEUE = "notifier:bells"
# Here while a worker listens: arq writes it again and again, and it dies soon after the last time.
HEARD = f"{QUEUE}:health-check"
FORWARD = "forward"
# Bells of one queue within this span ring once: who was knocked at is at work by then.
_SPAN_MS = 1_000
_LIFE_S = 60
# How long a silence is waited for at a time, and after which a connection that broke is made anew.
_SILENCE_S = 10
_AGAIN_S = 1


def serialize(job: dict[str, object]) -> bytes:
    """A job as JSON, or what became of it: of a bell that nobody heard in time arq tells an exception."""
    return json.dumps(job, default=lambda told: type(told).__name__).encode()


class Bells:
    """Rings through `redis`; `clock` gives ms. What a bell tells of is safe by then: that the bell fails, as it does in
    a store that is full, is nobody's error.
    """

    def __init__(self, redis: ArqRedis, clock: Callable[[], int]) -> None:
        self._redis = redis
        self._clock = clock
        # By bell, the latest span for which this process has one under way.
        self._under_way: dict[str, int] = {}

    async def deliver(self, lane: Lane) -> None:
        """This lane has notifications that are due; it was knocked as they were recorded."""
        await self._ring("deliver", lane)

    async def forward(self) -> None:
        """There are actions to forward."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.publish(KNOCKS, FORWARD)
        await self._ring("forward")

    async def _ring(self, function: str, *arguments: str) -> None:
        with contextlib.suppress(RedisError, OSError):
            await self._enqueue(function, *arguments)

    async def _enqueue(self, function: str, *arguments: str) -> None:
        span = self._clock() // _SPAN_MS
        name = ":".join((function, *arguments))
        latest = self._under_way.get(name, 0)
        if latest == span + 1:
            # It will ring once this span is over, and so after what is told of now.
            return
        self._under_way[name] = max(latest, span)
        if latest < span and await self._redis.enqueue_job(
            function, *arguments, _job_id=f"{name}:{span}", _expires=_LIFE_S
        ):
            return
        # Rung within this span already, and that job may have looked before we wrote: one more, after it.
        self._under_way[name] = span + 1
        await self._redis.enqueue_job(
            function, *arguments, _job_id=f"{name}:{span + 1}", _defer_by=_SPAN_MS / 1000, _expires=_LIFE_S
        )


@contextlib.asynccontextmanager
async def listening(redis: Redis, knocked: Callable[[str], None]) -> AsyncIterator[None]:
    """As long as the block runs, `knocked` is told of each knock which queue it is for."""
    task = asyncio.create_task(_listen(redis, knocked))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _listen(redis: Redis, knocked: Callable[[str], None]) -> None:
    while True:
        with contextlib.suppress(RedisError, OSError):
            async with redis.pubsub(ignore_subscribe_messages=True) as heard:
                await heard.subscribe(KNOCKS)
                while True:
                    message = await heard.get_message(timeout=_SILENCE_S)
                    if message:
                        knocked(message["data"].decode())
        await asyncio.sleep(_AGAIN_S)
