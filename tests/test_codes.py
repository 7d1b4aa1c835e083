"""Codes on a real store: what is right once, what is counted, and what is never kept."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from links.store import write_if_absent
from notifier.codes import ATTEMPTS, Codes, Verdict
from notifier.events import Channel
from notifier.ids import new_id
from tests.conftest import SetClock

RIGHT = Verdict(None, ATTEMPTS)
USED = Verdict("used", 0)
LIFE = timedelta(minutes=30)
BOTH: tuple[Channel, ...] = ("email", "sms")


@pytest.fixture
def keys() -> list[bytes]:
    return [secrets.token_bytes(32) for _ in range(2)]


def made(redis: ArqRedis, keys: list[bytes], length: int = 6) -> Codes:
    return Codes(redis, keys, length=length, lengths={}, life=LIFE, lives={})


@pytest.fixture
def codes(redis: ArqRedis, keys: list[bytes]) -> Codes:
    return made(redis, keys, 6)


async def issued(
    codes: Codes,
    redis: ArqRedis,
    clock: SetClock,
    *,
    id: str | None = None,
    account: str = "account",
    purpose: str = "sign_in",
    channels: Sequence[Channel] = BOTH,
) -> str:
    id = id or new_id("code")
    await write_if_absent(redis, "no-such-key", codes.issue(id, "event", account, purpose, channels, clock.now))
    return id


async def right(codes: Codes, id: str, channel: Channel = "email") -> str:
    digits = await codes.digits(id, channel)
    assert digits is not None
    return digits


async def wrong(codes: Codes, id: str) -> str:
    rights = [await right(codes, id, channel) for channel in BOTH]
    return next(guess for guess in ("000000", "111111", "222222") if guess not in rights)


async def test_a_code_is_the_same_each_time_and_bound_to_all_it_is_for(
    redis: ArqRedis, keys: list[bytes], clock: SetClock
) -> None:
    codes, found = made(redis, keys, 10), set()
    one, other = new_id("code"), new_id("code")
    for changed in ({}, {"account": "other"}, {"purpose": "withdrawal"}, {"id": other}):
        id = await issued(codes, redis, clock, **{"id": one, **changed})  # type: ignore[arg-type]
        for channel in BOTH:
            digits = await right(codes, id, channel)
            assert digits == await right(codes, id, channel)
            found.add(digits)
    assert len(found) == 8


@pytest.mark.parametrize("length", [4, 10])
async def test_a_code_has_its_leading_zeros(length: int, redis: ArqRedis, keys: list[bytes], clock: SetClock) -> None:
    codes = made(redis, keys, length)
    ids = [await issued(codes, redis, clock) for _ in range(100)]
    digits = [await right(codes, id) for id in ids]
    assert {len(each) for each in digits} == {length}
    assert len({each[0] for each in digits}) > 5


async def test_a_right_code_is_right_once_however_it_is_spaced(codes: Codes, redis: ArqRedis, clock: SetClock) -> None:
    id = await issued(codes, redis, clock)
    digits = await right(codes, id)
    assert await codes.verify(id, f" {digits[:3]} {digits[3:]}\n", clock.now) == RIGHT
    assert await codes.verify(id, digits, clock.now) == USED
    assert await codes.verify(id, await right(codes, id, "sms"), clock.now, channel="sms") == USED


async def test_each_channels_code_is_used_by_itself_when_it_is_asked_for(
    codes: Codes, redis: ArqRedis, clock: SetClock
) -> None:
    id = await issued(codes, redis, clock)
    mail, sms = await right(codes, id), await right(codes, id, "sms")
    assert (await codes.verify(id, sms, clock.now, channel="email")).reason == "mismatch"
    assert (await codes.verify(id, mail, clock.now, channel="email")).reason is None
    assert await codes.verify(id, mail, clock.now, channel="email") == USED
    assert (await codes.verify(id, mail, clock.now)).reason == "mismatch"
    assert (await codes.verify(id, sms, clock.now)).reason is None
    assert await codes.verify(id, sms, clock.now, channel="sms") == USED


async def test_wrong_guesses_count_down_to_none_even_for_the_right_one(
    codes: Codes, redis: ArqRedis, clock: SetClock
) -> None:
    id = await issued(codes, redis, clock)
    for left in (4, 3, 2, 1, 0):
        assert await codes.verify(id, await wrong(codes, id), clock.now) == Verdict("mismatch", left)
    for channel in (None, *BOTH):
        verdict = await codes.verify(id, await right(codes, id), clock.now, channel=channel)
        assert verdict == Verdict("too_many_attempts", 0)


async def test_fifty_parallel_guesses_are_no_more_than_five(codes: Codes, redis: ArqRedis, clock: SetClock) -> None:
    id = await issued(codes, redis, clock)
    guess = await wrong(codes, id)
    verdicts = await asyncio.gather(*(codes.verify(id, guess, clock.now) for _ in range(50)))
    assert sorted(v.attempts_left for v in verdicts if v.reason == "mismatch") == [0, 1, 2, 3, 4]
    assert (await codes.verify(id, await right(codes, id), clock.now)).reason == "too_many_attempts"


async def test_of_parallel_right_guesses_one_wins(codes: Codes, redis: ArqRedis, clock: SetClock) -> None:
    id = await issued(codes, redis, clock)
    digits = await right(codes, id)
    verdicts = await asyncio.gather(*(codes.verify(id, digits, clock.now) for _ in range(20)))
    assert sorted(str(v.reason) for v in verdicts) == ["None", *["used"] * 19]


async def test_a_code_dies_at_thirty_minutes_to_the_millisecond(codes: Codes, redis: ArqRedis, clock: SetClock) -> None:
    id = await issued(codes, redis, clock)
    digits, end = await right(codes, id), clock.now + 30 * 60_000
    assert codes.expires("sign_in", clock.now) == end
    assert await codes.verify(id, digits, end) == Verdict("expired", 0)
    assert await codes.verify(id, digits, end - 1) == RIGHT
    assert await redis.pexpiretime(f"code:{id}") == end + 24 * 3_600_000  # type: ignore[misc]


@pytest.mark.parametrize("guess", ["", "-", "000000", "None", "\u0661" * 6, "x" * 10_000])
async def test_nothing_is_right_where_there_is_no_code(
    guess: str, codes: Codes, redis: ArqRedis, keys: list[bytes], clock: SetClock
) -> None:
    """Unknown; never sent on that channel; its key retired."""
    assert await codes.verify(new_id("code"), guess, clock.now) == Verdict("unknown", 0)
    id = await issued(codes, redis, clock, channels=("email",))
    assert (await codes.digits(id, "sms")) is None
    assert (await codes.verify(id, guess, clock.now, channel="sms")).reason == "mismatch"
    retired = made(redis, [secrets.token_bytes(32)], 6)
    for channel in (None, *BOTH):
        assert (await retired.verify(id, guess, clock.now, channel=channel)).reason == "mismatch"


async def test_codes_outlive_the_rotation_of_keys_while_their_key_is_listed(
    redis: ArqRedis, keys: list[bytes], clock: SetClock
) -> None:
    old, new = keys
    before = made(redis, [old], 6)
    id = await issued(before, redis, clock)
    digits = await right(before, id)
    gone, both = made(redis, [new], 6), made(redis, [old, new], 6)
    assert await gone.digits(id, "email") is None
    assert (await gone.verify(id, digits, clock.now)).reason == "mismatch"
    assert (await both.verify(id, digits, clock.now)).reason is None
    # The newest key is the one that makes codes.
    assert await before.digits(await issued(both, redis, clock), "email") is None


async def test_a_code_is_not_kept(codes: Codes, redis: ArqRedis, clock: SetClock) -> None:
    id = await issued(made(redis, [b"k" * 32], 10), redis, clock)
    kept = await redis.hgetall(f"code:{id}")  # type: ignore[misc]
    digits = [await made(redis, [b"k" * 32], 10).digits(id, channel) for channel in BOTH]
    assert set(await redis.keys("*")) == {f"code:{id}".encode(), b"tally"}
    assert not [value for value in kept.values() for each in digits if each and each.encode() in value]
    assert not {hex(int(each or 0))[2:].encode() for each in digits} & set(kept.values())
