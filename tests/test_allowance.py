"""What a key may ask: exactly where it is little, for all processes together, and mostly without asking the store."""

import asyncio

import pytest
from arq.connections import ArqRedis
from limits import parse
from redis.exceptions import RedisError

from notifier.allowance import LAST_USED, Allowances
from notifier.setting_types import ApiKey
from notifier.store import connect
from tests.conftest import SetClock

RULE = parse("60000/minute")
FIVE = ApiKey("tests", "0" * 64, frozenset(), id="aaaaaaaa", limits={"api_key": parse("5/minute")})
MANY = ApiKey("tests", "1" * 64, frozenset())


async def commands(redis: ArqRedis) -> int:
    return int((await redis.info("commandstats")).get("cmdstat_evalsha", {"calls": 0})["calls"])


async def test_a_small_quota_is_counted_exactly(redis: ArqRedis, clock: SetClock) -> None:
    processes = [Allowances(redis, RULE), Allowances(redis, RULE)]
    taken = await asyncio.gather(*(processes[n % 2].take(FIVE, 1, clock.now) for n in range(20)))
    assert sum(each.granted for each in taken) == 5
    last = await processes[0].take(FIVE, 1, clock.now)
    assert (last.granted, last.quota, last.window, last.left) == (0, 5, 60, 0)
    assert 55 <= last.reset <= 60
    assert last.headers == {
        "ratelimit-policy": '"api_key";q=5;w=60',
        "ratelimit": f'"api_key";r=0;t={last.reset}',
    }


async def test_what_is_refused_costs_no_call(redis: ArqRedis, clock: SetClock) -> None:
    allowances = Allowances(redis, RULE)
    assert (await allowances.take(FIVE, 9, clock.now)).granted == 5
    before = await commands(redis)
    assert [(await allowances.take(FIVE, 1, clock.now)).granted for _ in range(20)] == [0] * 20
    assert await commands(redis) == before
    clock.forward(minutes=1)
    await redis.delete("limit:api_key:aaaaaaaa")  # which ends by the store's own clock
    assert (await allowances.take(FIVE, 1, clock.now)).left == 4


async def test_of_what_is_more_than_is_left_it_gets_the_rest(redis: ArqRedis, clock: SetClock) -> None:
    allowances = Allowances(redis, RULE)
    assert (await allowances.take(FIVE, 2, clock.now)).left == 3
    more = await allowances.take(FIVE, 10, clock.now)
    assert (more.granted, more.left) == (3, 0)
    assert (await allowances.take(FIVE._replace(id="bbbbbbbb"), 10, clock.now)).granted == 5


async def test_the_next_window_is_a_new_one(redis: ArqRedis, clock: SetClock) -> None:
    allowances = Allowances(redis, RULE)
    short = FIVE._replace(limits={"api_key": parse("2/second")})
    assert (await allowances.take(short, 9, clock.now)).granted == 2
    await asyncio.sleep(1.01)  # the store's own clock
    clock.forward(ms=1_010)
    assert (await allowances.take(short, 9, clock.now)).granted == 2


async def test_a_large_quota_is_told_by_its_64ths(redis: ArqRedis, clock: SetClock) -> None:
    first, second = Allowances(redis, RULE), Allowances(redis, RULE)
    before = await commands(redis)
    for count in range(1, 938):
        allowance = await first.take(MANY, 1, clock.now)
        assert (allowance.granted, allowance.left) == (1, 60_000 - count)
    assert await commands(redis) == before
    assert await redis.dbsize() == 0
    await first.take(MANY, 1, clock.now)
    assert (await second.take(MANY, 1_000, clock.now)).left == 60_000 - 1_938
    assert await commands(redis) == before + 2
    assert sum([(await second.take(MANY, 1_000, clock.now)).granted for _ in range(70)]) == 58_062
    assert (await second.take(MANY, 1, clock.now)).granted == 0


async def test_a_window_that_is_over_is_forgotten(redis: ArqRedis, clock: SetClock) -> None:
    allowances = Allowances(redis, RULE)
    await allowances.take(MANY, 900, clock.now)
    clock.forward(seconds=60)
    assert (await allowances.take(MANY, 1, clock.now)).left == 59_999
    clock.forward(hours=-1)
    assert (await allowances.take(MANY, 1, clock.now)).left == 59_999


async def test_that_a_key_is_used_is_noted_once_a_minute(redis: ArqRedis, clock: SetClock) -> None:
    many, allowances = MANY._replace(id="aaaaaaaa"), Allowances(redis, RULE)
    before = await commands(redis)
    for _ in range(5):
        await allowances.take(many, 1, clock.now)
    assert await commands(redis) == before + 1
    clock.forward(minutes=1)
    await allowances.take(many, 1, clock.now)
    noted = await redis.hgetall(LAST_USED)  # type: ignore[misc]
    assert noted == {b"aaaaaaaa": str(clock.now - clock.now % 60_000).encode()}


async def test_what_could_not_be_told_is_told_later(redis: ArqRedis, clock: SetClock) -> None:
    away = connect("redis://127.0.0.1:1", patient=False)
    allowances = Allowances(away, RULE)
    await allowances.take(MANY, 900, clock.now)
    with pytest.raises(RedisError):
        await allowances.take(MANY, 100, clock.now)
    await away.aclose(close_connection_pool=True)
    allowances._redis = redis
    assert (await allowances.take(MANY, 100, clock.now)).left == 59_000
