"""The worker's root: what it opens it lets go of, however far it came."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from notifier.bells import FORWARD
from notifier.config import Settings
from notifier.notices import Lane
from worker import shutdown, startup, worker_settings


def context(settings: Settings, redis: ArqRedis) -> dict[str, Any]:
    """As arq hands it to startup and shutdown."""
    made: dict[str, Any] = worker_settings(settings, redis).ctx  # type: ignore[attr-defined]
    return made | {"redis": redis}


async def test_a_worker_has_a_round_for_each_lane_and_one_for_actions(settings: Settings, redis: ArqRedis) -> None:
    ctx = context(settings, redis)
    await startup(ctx)
    assert set(ctx["rounds"]) == {*Lane, FORWARD}
    await shutdown(ctx)
    assert all(task.done() for one in ctx["rounds"].values() for task in one._tasks)


async def test_a_startup_that_fails_is_followed_by_a_shutdown_that_does_not(
    settings: Settings, redis: ArqRedis
) -> None:
    """arq calls it all the same: its own error would stand in the log in place of the cause."""
    ctx = context(settings.model_copy(update={"payload_keys": ()}), redis)
    with pytest.raises(IndexError):
        await startup(ctx)
    await shutdown(ctx)
    await shutdown(context(settings, redis))
