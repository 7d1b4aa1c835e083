"""How often is too often: each rule for itself, for all processes together, and when nobody can count."""

import asyncio

import pytest
from arq.connections import ArqRedis
from limits import parse
from redis.exceptions import RedisError

from notifier.errors import TooMany
from notifier.store import connect
from notifier.throttle import DEFAULTS, Throttle, block, network

RULES = {**DEFAULTS, "visitor": parse("3/minute"), "link_account": parse("1/hour")}


async def test_a_rule_ends_at_its_number_and_says_when_to_return(redis: ArqRedis) -> None:
    throttle = Throttle(redis, RULES)
    for _ in range(3):
        await throttle.take(visitor="a")
    with pytest.raises(TooMany) as refused:
        await throttle.take(visitor="a")
    assert 55 <= refused.value.retry_after <= 60
    assert refused.value.detail == "visitor allows 3 per 1 minute"
    await throttle.take(visitor="b")
    await throttle.take(link_account="a")
    with pytest.raises(TooMany) as refused:
        await throttle.take(link_account="a")
    assert 3_590 <= refused.value.retry_after <= 3_600


async def test_fifty_at_once_through_two_processes_are_counted_together(redis: ArqRedis) -> None:
    throttles = [Throttle(redis, RULES), Throttle(redis, RULES)]
    taken = await asyncio.gather(
        *(throttles[number % 2].take(visitor="a") for number in range(50)), return_exceptions=True
    )
    assert [type(each) for each in taken].count(type(None)) == 3
    assert [type(each) for each in taken].count(TooMany) == 47


async def test_whom_a_rule_is_about_is_not_kept_in_clear(redis: ArqRedis) -> None:
    await Throttle(redis, RULES).take(visitor="anna@example.com")
    (key,) = await redis.keys("*")
    assert key.startswith(b"limit:")
    assert b"anna" not in key


async def test_while_the_store_is_away_codes_are_refused_and_presses_are_counted_here() -> None:
    away = connect("redis://127.0.0.1:1", patient=False)
    throttle = Throttle(away, RULES)
    with pytest.raises((RedisError, OSError)):
        await throttle.take(code_address="a")
    for _ in range(3):
        await throttle.take_or_floor(visitor="a")
    with pytest.raises(TooMany):
        await throttle.take_or_floor(visitor="a")
    await away.aclose(close_connection_pool=True)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_a_visitor_is_counted_with_their_network(address: str, counted: str) -> None:
    assert network(address) == counted


def test_a_number_is_counted_with_its_block() -> None:
    assert block("+355691234567") == block("+355691239999") == "+35569123"
    assert block("+355691244567") != "+35569123"
