"""The bells that wake workers: arq jobs that say which queue has work, and nothing else. No address, code or token
travels in a job; a bell that is lost costs the time until the next sweep.
"""

import json
from collections.abc import Callable

from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, TimeoutError

from notifier.notices import Lane

QUEUE = "notifier:bells"
# Bells of one queue within this span ring once: a burst of events costs twenty jobs a second, not one each.
_SPAN_MS = 50
_LIFE_S = 60


def connect(url: str, *, patient: bool) -> ArqRedis:
    """A client. A patient one waits ten minutes for a store that is away, as a worker does that has nothing else to do;
    another gives up within two seconds, since somebody waits for its answer.

    arq's jobs are JSON, since its own default would unpickle what it finds.
    """
    broken: list[type[Exception]] = [ConnectionError, BusyLoadingError, OSError]
    pool: ConnectionPool = ConnectionPool.from_url(
        url,
        socket_timeout=5 if patient else 1.5,
        socket_connect_timeout=2 if patient else 0.7,
        retry=Retry(ExponentialBackoff(cap=1, base=0.05), 600 if patient else 1, ()),
        retry_on_error=[*broken, TimeoutError] if patient else broken,
    )
    return ArqRedis(pool, job_serializer=serialize, job_deserializer=json.loads, default_queue_name=QUEUE)


def serialize(job: dict[str, object]) -> bytes:
    """A job as JSON."""
    return json.dumps(job).encode()


class Bells:
    """Rings through `redis`; `clock` gives ms."""

    def __init__(self, redis: ArqRedis, clock: Callable[[], int]) -> None:
        self._redis = redis
        self._clock = clock

    async def deliver(self, lane: Lane) -> None:
        """This lane has notifications that are due."""
        await self._ring("deliver", lane)

    async def forward(self) -> None:
        """There are actions to forward."""
        await self._ring("forward")

    async def _ring(self, function: str, *arguments: str) -> None:
        span = self._clock() // _SPAN_MS
        name = ":".join((function, *arguments))
        if await self._redis.enqueue_job(function, *arguments, _job_id=f"{name}:{span}", _expires=_LIFE_S):
            return
        # Rung within this span already, and that job may have looked before we wrote: one more, after it.
        await self._redis.enqueue_job(
            function, *arguments, _job_id=f"{name}:{span + 1}", _defer_by=_SPAN_MS / 1000, _expires=_LIFE_S
        )
