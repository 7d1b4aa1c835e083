"""Keys in the store: shown once, found by their id, two to a producer, gone at once; nothing kept opens anything."""

import asyncio

import pytest
from arq.connections import ArqRedis
from limits import parse
from redis.exceptions import RedisError

from notifier.errors import Conflict, NotFound
from notifier.keyring import Keyring, Known, digest, id_of, signing_secret
from notifier.setting_types import ApiKey
from notifier.store import connect
from tests.conftest import SetClock

RIGHTS = ApiKey(
    "sign-in",
    "",
    frozenset({"events:write"}),
    notices=frozenset({"new_device"}),
    limits={"api_key": parse("5/minute"), "code_producer": parse("7/10minute")},
)


async def everything(redis: ArqRedis) -> bytes:
    return b"".join([await redis.dump(key) or b"" for key in await redis.keys("*")])


@pytest.fixture
def keyring(redis: ArqRedis) -> Keyring:
    return Keyring(redis)


async def test_a_key_is_found_as_it_was_made(keyring: Keyring, redis: ArqRedis, clock: SetClock) -> None:
    made = await keyring.add(RIGHTS, clock.now, life=60_000, signed=True)
    id = id_of(made.plain)
    assert id
    (kept,) = (await keyring.all()).values()
    assert kept == made.kept
    assert kept.key == RIGHTS._replace(id=id, digest=digest(made.plain), signing=kept.key.signing)
    assert (kept.created, kept.expires, kept.used) == (clock.now, clock.now + 60_000, None)
    assert [kept.live(clock.now + ms) for ms in (59_999, 60_000)] == [True, False]
    held = await everything(redis)
    secret = signing_secret(kept.key, made.plain)
    assert secret
    assert made.secret
    for told in (made.plain, made.plain[-52:], made.secret.removeprefix("whsec_")):
        assert told.encode() not in held
    assert secret not in held
    assert signing_secret(kept.key, made.plain[:-1] + "b") is None


@pytest.mark.parametrize("presented", ["", "nk_", "test-key", "nk_aaaaaaaa_", "nk_aaaaaaaa_" + "b" * 51, "x" * 8_000])
def test_what_is_no_key(presented: str) -> None:
    assert id_of(presented) is None


async def test_two_live_keys_and_no_more(keyring: Keyring, clock: SetClock) -> None:
    first = await keyring.add(RIGHTS, clock.now)
    second = await keyring.rotate("sign-in", clock.now, expire_old=1_000)
    assert second.kept.key._replace(id="", digest="") == RIGHTS
    for another in (keyring.add(RIGHTS, clock.now), keyring.rotate(first.kept.key.id, clock.now)):
        with pytest.raises(Conflict, match="revoke one first") as refused:
            await another
        assert first.kept.key.id in refused.value.detail
    await keyring.add(RIGHTS._replace(producer="another"), clock.now)
    clock.forward(ms=1_000)
    third = await keyring.rotate(second.kept.key.id, clock.now)
    # What has expired goes with the next change.
    ids = {made.kept.key.id for made in (second, third)}
    assert {id for id, kept in (await keyring.all()).items() if kept.key.producer == "sign-in"} == ids


async def test_a_rotated_key_lives_and_is_signed_as_the_old_one(keyring: Keyring, clock: SetClock) -> None:
    first = await keyring.add(RIGHTS, clock.now, life=1_000_000, signed=True)
    clock.forward(ms=400_000)
    second = await keyring.rotate(first.kept.key.id, clock.now, expire_old=2_000_000)
    assert second.kept.expires == clock.now + 1_000_000
    assert second.secret not in (None, first.secret)
    assert (await keyring.all())[first.kept.key.id].expires == first.kept.expires


async def test_what_is_revoked_is_gone(keyring: Keyring, clock: SetClock) -> None:
    made = await keyring.add(RIGHTS, clock.now)
    assert await keyring.revoke(made.kept.key.id, clock.now) == made.kept
    assert await keyring.all() == {}
    for gone in (keyring.revoke(made.kept.key.id, clock.now), keyring.rotate("sign-in", clock.now)):
        with pytest.raises(NotFound):
            await gone


async def test_ten_at_once_make_two(keyring: Keyring, clock: SetClock) -> None:
    made = await asyncio.gather(*(keyring.add(RIGHTS, clock.now) for _ in range(10)), return_exceptions=True)
    assert [type(each) for each in made].count(Conflict) == 8
    assert len(await keyring.all()) == 2


async def test_a_record_that_cannot_be_read_is_passed_over(keyring: Keyring, redis: ArqRedis, clock: SetClock) -> None:
    made = await keyring.add(RIGHTS, clock.now)
    for id, record in (("aaaaaaaa", "{"), ("bbbbbbbb", '{"producer": "x"}'), ("cccccccc", "[]")):
        await redis.hset("api-keys", id, record)  # type: ignore[misc]
    assert list(await keyring.all()) == [made.kept.key.id]


async def test_a_new_key_is_known_at_once_and_a_revoked_one_for_two_seconds(keyring: Keyring, clock: SetClock) -> None:
    known = Known(keyring, clock)
    first = (await keyring.add(RIGHTS, clock.now, life=10_000)).kept.key
    assert await known.find(first.id) == first
    second = (await keyring.add(RIGHTS, clock.now)).kept.key
    clock.forward(ms=50)
    assert await known.find(second.id) == second
    await keyring.revoke(second.id, clock.now)
    clock.forward(ms=2_000)
    assert await known.find(second.id) is None
    clock.forward(ms=-60_000)
    assert await known.find(first.id) == first
    clock.forward(ms=70_000)
    assert await known.find(first.id) is None


async def test_while_the_store_is_away_no_key_is_unknown(clock: SetClock) -> None:
    away = connect("redis://127.0.0.1:1", patient=False)
    known = Known(Keyring(away), clock)
    for _ in range(2):
        with pytest.raises(RedisError):
            await known.find("aaaaaaaa")
    await away.aclose(close_connection_pool=True)
