"""A worker's rounds on a real queue: bounded, held by renewed leases, never in the way of what is not theirs."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from links.store import SUSPECT, Claim, claim, renew, write_if_claimed
from notifier.clock import system_clock
from notifier.rounds import Held, Round
from tests.service import until

Work = Callable[[Held, None], Awaitable[None]]


class Queue:
    """Records in Redis, and rounds over them with a short lease."""

    def __init__(self, redis: ArqRedis, lease: timedelta) -> None:
        self.redis = redis
        self.lease = lease
        self.started: list[str] = []
        self.settled: list[str] = []

    async def put(self, *ids: str) -> None:
        for id in ids:
            await self.redis.hset(f"record:{id}", "x", "1")  # type: ignore[misc]
            await self.redis.zadd("queue", {id: system_clock()})

    async def claim(self, count: int) -> list[tuple[Claim, None]]:
        lease = round(self.lease.total_seconds() * 1000)
        return [(one, None) for one in await claim(self.redis, "queue", "record:", system_clock(), lease, count)]

    async def renew(self, claims: Collection[Claim]) -> set[str]:
        until = system_clock() + round(self.lease.total_seconds() * 1000)
        return await renew(self.redis, "queue", "record:", until, claims)

    async def settle(self, held: Held) -> bool:
        id = held.claim.id
        writes = [("ZREM", "queue", id)]
        if not await write_if_claimed(self.redis, f"record:{id}", held.claim.fence, writes):
            return False
        self.settled.append(id)
        return True

    @asynccontextmanager
    async def round(self, work: Work, most: int = 8, batch: int = 4) -> AsyncIterator[Round[None]]:
        async def counted(held: Held, item: None) -> None:
            self.started.append(held.claim.id)
            await work(held, item)

        one = Round(self.claim, counted, self.renew, self.lease, most=most, batch=batch)
        one.start()
        try:
            yield one
        finally:
            await one.stop(timedelta(seconds=0.5))


@pytest.fixture
def queue(redis: ArqRedis) -> Queue:
    return Queue(redis, timedelta(seconds=0.6))


async def test_what_takes_longer_than_its_lease_stays_in_one_hand(redis: ArqRedis) -> None:
    # A machine that is busy may come late to a renewal, though not by two thirds of the lease.
    queue = Queue(redis, timedelta(seconds=2))

    async def slow(held: Held, _: None) -> None:
        await asyncio.sleep(3)
        assert held.ours
        assert await queue.settle(held)

    await queue.put("a", "b")
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(queue.round(slow))
        await until(lambda: len(queue.settled) == 2)
    assert sorted(queue.started) == ["a", "b"]


async def test_what_was_lost_is_let_go(queue: Queue) -> None:
    let_go = asyncio.Event()

    async def stuck(held: Held, _: None) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            let_go.set()

    await queue.put("a")
    async with queue.round(stuck):
        await until(lambda: queue.started)
        # As if another worker had claimed it while this one was stopped.
        await queue.redis.hincrby("record:a", "claims", 1)  # type: ignore[misc]
        await asyncio.wait_for(let_go.wait(), 2)
    assert queue.settled == []


async def test_a_process_that_was_stopped_past_its_lease_knows(queue: Queue) -> None:
    seen: list[bool] = []

    async def stopped(held: Held, _: None) -> None:
        seen.append(held.ours)
        time.sleep(0.7)  # noqa: ASYNC251  # the whole process, as SIGSTOP does
        seen.append(held.ours)

    await queue.put("a")
    async with queue.round(stopped):
        await until(lambda: len(seen) >= 2)
    assert seen[:2] == [True, False]


async def test_a_clock_that_is_set_past_a_lease_ends_it(queue: Queue) -> None:
    """Workers compare their claims by it: to another one this claim is over."""
    seen: list[bool] = []

    async def working(held: Held, _: None) -> None:
        seen.append(held.ours)
        held.told -= timedelta(hours=1).total_seconds()  # as if the clock stood an hour later
        seen.append(held.ours)

    await queue.put("a")
    async with queue.round(working):
        await until(lambda: len(seen) >= 2)
    assert seen[:2] == [True, False]


async def test_some_that_hang_do_not_stop_the_others(queue: Queue) -> None:
    async def work(held: Held, _: None) -> None:
        if held.claim.id.startswith("hung"):
            await asyncio.Event().wait()
        assert await queue.settle(held)

    await queue.put("hung1", "hung2", "hung3", *(f"ok{i}" for i in range(40)))
    async with queue.round(work):
        await until(lambda: len(queue.settled) == 40)


async def test_never_more_than_its_most_at_once(queue: Queue) -> None:
    at_once: list[int] = []
    going = 0

    async def work(held: Held, _: None) -> None:
        nonlocal going
        going += 1
        at_once.append(going)
        await asyncio.sleep(0.01)
        going -= 1
        await queue.settle(held)

    await queue.put(*(f"r{i:03}" for i in range(100)))
    async with queue.round(work, most=10, batch=3):
        await until(lambda: len(queue.settled) == 100)
    assert max(at_once) == 10
    assert len(queue.started) == 100


async def test_a_suspect_is_alone(queue: Queue) -> None:
    going: set[str] = set()
    beside: dict[str, set[str]] = {}

    async def work(held: Held, _: None) -> None:
        id = held.claim.id
        beside[id] = set(going)
        for other in going:
            beside[other].add(id)
        going.add(id)
        await asyncio.sleep(0.05)
        going.remove(id)
        await queue.settle(held)

    await queue.put(*"abcdefgh")
    for id in "cf":
        await queue.redis.hset(f"record:{id}", "claims", str(SUSPECT))  # type: ignore[misc]
    async with queue.round(work):
        await until(lambda: len(queue.settled) == 8)
    assert "f" not in beside["c"]
    # Those that were taken before the suspect may still be going; none is taken with it.
    assert not beside["c"] & set("defgh")
    assert not beside["f"] & set("gh")


async def test_stopping_lets_what_is_in_hand_end_and_takes_nothing_more(queue: Queue) -> None:
    release = asyncio.Event()

    async def work(held: Held, _: None) -> None:
        await release.wait()
        await queue.settle(held)

    await queue.put("a")
    one = Round(queue.claim, work, queue.renew, queue.lease)
    one.start()
    await until(lambda: queue.redis.hget("record:a", "claims"))
    stopping = asyncio.create_task(one.stop(timedelta(seconds=5)))
    await asyncio.sleep(0)
    await queue.put("b")
    await asyncio.sleep(1)  # longer than the lease: what is in hand is still held
    release.set()
    await stopping
    assert queue.settled == ["a"]
    assert await queue.redis.hget("record:b", "claims") is None  # type: ignore[misc]
