"""The worker's listener: it ends when it is told to, wherever that finds it; what it hears too late it lets go."""

import asyncio
import contextlib
from typing import Any

import pytest
from arq.connections import ArqRedis

from notifier.bells import QUEUE, serialize
from notifier.config import Settings
from notifier.listener import Listener
from tests.service import until


async def nothing(ctx: dict[str, Any]) -> None:
    """A job."""


def listener(settings: Settings, redis: ArqRedis) -> Listener:
    arq = {
        "functions": [nothing],
        "redis_pool": redis,
        "queue_name": QUEUE,
        "handle_signals": False,
        "keep_result": 0,
        "job_serializer": serialize,
        "ctx": {"settings": settings},
    }
    return Listener(type("WorkerSettings", (), arq))


async def test_a_bell_that_nobody_heard_in_time_is_let_go_without_a_word_of_errors(
    settings: Settings, redis: ArqRedis, caplog: pytest.LogCaptureFixture
) -> None:
    await redis.zadd(QUEUE, {"nothing:1": 1})  # what it rang for is gone: it lived for a minute
    listening = asyncio.create_task(listener(settings, redis).main())
    await until(lambda: _is_empty(redis))
    listening.cancel()
    await asyncio.wait([listening], timeout=5)
    assert [record.message for record in caplog.records if record.exc_info] == []
    assert await redis.keys("arq:result:*") == []


async def _is_empty(redis: ArqRedis) -> bool:
    return not await redis.zcard(QUEUE)


async def test_a_cancellation_that_is_lost_in_the_client_ends_it_all_the_same(
    settings: Settings, redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def losing(*_: Any, **__: Any) -> list[bytes]:
        """Once, as asyncio.wait_for does before Python 3.12 with what is done already."""
        if not asked.is_set():
            asked.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(10)
        return []

    monkeypatch.setattr(redis, "zrangebyscore", losing)
    listening = asyncio.create_task(listener(settings, redis).main())
    await asyncio.wait_for(asked.wait(), 5)
    listening.cancel()
    ended, _ = await asyncio.wait([listening], timeout=5)
    listening.cancel()
    assert ended
