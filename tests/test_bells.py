"""Who is to be woken is: at once by a knock, once a second by a bell; and commands that go out together."""

import asyncio

import pytest
from arq.connections import ArqRedis
from redis.exceptions import ResponseError

from notifier.bells import QUEUE, Bells, listening
from notifier.notices import Lane
from notifier.notifications import KNOCKS
from tests.service import until


async def test_a_knock_is_heard_at_once(redis: ArqRedis) -> None:
    heard: list[str] = []
    async with listening(redis, heard.append):

        async def listens() -> bool:
            return bool(await redis.publish(KNOCKS, "alert"))

        await until(listens, 5)
        await until(lambda: heard, 5)
    assert set(heard) == {"alert"}


async def test_a_burst_rings_twice_in_its_second(redis: ArqRedis) -> None:
    bells = Bells(redis, lambda: 1_000_500)
    for _ in range(50):
        await bells.deliver(Lane.ALERT)
    await bells.deliver(Lane.BULK)
    # Now, and once more after all that came since; and the other lane's own.
    assert await redis.zcard(QUEUE) == 3


async def test_what_is_asked_together_is_answered_apart(redis: ArqRedis) -> None:
    await redis.set("text", "said")
    await redis.hset("hash", "field", "held")  # type: ignore[misc]
    commands = [("GET", "text"), ("HGETALL", "hash"), ("GET", "none"), ("GET", "hash")]
    said, fields, nothing, wrong = await asyncio.gather(
        *(redis.execute_command(*command) for command in commands),  # type: ignore[no-untyped-call]
        return_exceptions=True,
    )
    assert (said, fields, nothing) == (b"said", {b"field": b"held"}, None)
    assert isinstance(wrong, ResponseError)


async def test_who_does_not_wait_any_more_takes_nobody_s_answer(redis: ArqRedis) -> None:
    await redis.set("text", "said")
    given_up = asyncio.ensure_future(redis.get("text"))
    others = [asyncio.ensure_future(redis.get("text")) for _ in range(3)]
    await asyncio.sleep(0)
    given_up.cancel()
    assert await asyncio.gather(*others) == [b"said"] * 3
    with pytest.raises(asyncio.CancelledError):
        await given_up
