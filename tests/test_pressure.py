"""A full lane takes no more, and a store that is nearly full sheds bulk before alerts; looked at once a second."""

from collections.abc import AsyncIterator

import pytest
from arq.connections import ArqRedis

from notifier.composition import Parts
from notifier.config import Settings
from notifier.errors import Overloaded
from notifier.notices import Lane
from notifier.notifications import queue
from notifier.pressure import DEPTHS, Pressure
from tests.conftest import SetClock

FEW = {"critical": 3, "alert": 2, "bulk": 1}


@pytest.fixture
async def pressure(settings: Settings, redis: ArqRedis, clock: SetClock) -> AsyncIterator[Pressure]:
    yield Parts(settings.model_copy(update={"lane_depths": FEW}), redis, clock).pressure
    await redis.config_set("maxmemory", 0)


async def refused(pressure: Pressure) -> list[str]:
    shed = []
    for lane in Lane:
        try:
            await pressure.admit(lane)
        except Overloaded:
            shed.append(lane.value)
    return shed


def test_every_lane_has_its_depth() -> None:
    assert list(DEPTHS) == [lane.value for lane in Lane]
    assert sorted(DEPTHS.values(), reverse=True) == list(DEPTHS.values())


async def test_a_lane_is_full_by_what_waits_in_it(pressure: Pressure, redis: ArqRedis, clock: SetClock) -> None:
    assert await refused(pressure) == []
    for count, shed in ((1, ["bulk"]), (2, ["alert", "bulk"]), (3, ["critical", "alert", "bulk"])):
        for lane in Lane:
            await redis.zadd(queue(lane), {f"n{count}": clock.now})
        clock.forward(seconds=1)
        assert await refused(pressure) == shed
    await redis.flushall()
    assert await refused(pressure) == ["critical", "alert", "bulk"]  # not looked at yet
    clock.forward(seconds=-5)
    assert await refused(pressure) == []


async def test_what_was_let_in_since_the_last_look_counts(pressure: Pressure) -> None:
    for _ in range(2):
        await pressure.admit(Lane.ALERT)
    with pytest.raises(Overloaded, match="too much waits in the lane alert"):
        await pressure.admit(Lane.ALERT)


async def test_what_waits_for_its_time_is_no_backlog(pressure: Pressure, redis: ArqRedis, clock: SetClock) -> None:
    await redis.zadd(queue(Lane.BULK), {f"n{n}": clock.now + 60_000 for n in range(9)})
    assert await refused(pressure) == []
    clock.forward(minutes=1)
    assert await refused(pressure) == ["bulk"]


@pytest.mark.parametrize(
    ("part", "shed"), [(0.5, []), (0.9, ["bulk"]), (0.99, ["alert", "bulk"]), (1.5, ["alert", "bulk"])]
)
async def test_a_store_that_is_nearly_full_sheds_bulk_first(
    part: float, shed: list[str], pressure: Pressure, redis: ArqRedis
) -> None:
    # Much, for what the server needs for itself to change nothing.
    await redis.setrange("ballast", 40_000_000, b"x")
    used = (await redis.info("memory"))["used_memory"]
    await redis.config_set("maxmemory", round(used / part))
    assert await refused(pressure) == shed
