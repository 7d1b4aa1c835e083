"""`/v1/codes`: a code is asked for, and a guess answered."""

from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from notifier.clock import rfc3339
from notifier.composition import Parts
from notifier.config import Settings
from tests.conftest import SetClock

CANARY = "cAnArY31337"
WANTED = {
    "account": "acc-1",
    "purpose": "sign_in",
    "recipient": {"email": "anna@example.com", "phone": "+355691234567"},
}


async def digits(redis: ArqRedis, settings: Settings, id: str) -> str:
    codes = Parts(settings, redis).codes
    code = await codes.digits(id, "email")
    assert code
    return code


async def test_a_code_is_sent_and_verified_once(
    web: httpx.AsyncClient, redis: ArqRedis, settings: Settings, clock: SetClock
) -> None:
    asked = await web.post("/v1/codes", json=WANTED)
    assert asked.status_code == 202
    body = asked.json()
    assert body["expires_at"] == rfc3339(clock.now + 30 * 60_000)
    assert [n["channel"] for n in body["notifications"]] == ["email", "sms"]
    right = await digits(redis, settings, body["code_id"])
    verify = f"/v1/codes/{body['code_id']}/verify"
    wrong = await web.post(verify, json={"code": "x"})
    assert (wrong.status_code, wrong.json()) == (200, {"valid": False, "reason": "mismatch", "attempts_left": 4})
    assert (await web.post(verify, json={"code": right, "channel": "email"})).json() == {"valid": True}
    used = (await web.post(verify, json={"code": right, "channel": "email"})).json()
    assert used == {"valid": False, "reason": "used", "attempts_left": 0}
    again = await web.post("/v1/codes", json=WANTED)
    assert again.status_code == 429
    assert 1 <= int(again.headers["retry-after"]) <= 60
    assert again.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("key", [None, "a"])
async def test_a_code_is_checked_though_the_store_is_full(
    key: str | None, web: httpx.AsyncClient, redis: ArqRedis, settings: Settings
) -> None:
    id = (await web.post("/v1/codes", json=WANTED)).json()["code_id"]
    right = await digits(redis, settings, id)
    await redis.config_set("maxmemory", 1)
    try:
        for guess, valid in (("x", False), (right, True)):
            headers = {"idempotency-key": f"{key}-{guess}"} if key else {}
            answer = await web.post(f"/v1/codes/{id}/verify", json={"code": guess}, headers=headers)
            assert (answer.status_code, answer.json()["valid"]) == (200, valid)
            if key:
                again = await web.post(f"/v1/codes/{id}/verify", json={"code": guess}, headers=headers)
                assert (again.json(), again.headers["idempotent-replayed"]) == (answer.json(), "true")
        left = await redis.dbsize()
        other = {"idempotency-key": "other"} if key else {}
        assert (await web.post("/v1/codes", json=WANTED | {"account": "acc-2"}, headers=other)).status_code == 503
        assert await redis.dbsize() == left
    finally:
        await redis.config_set("maxmemory", 0)


async def test_a_code_dies_with_its_life(
    web: httpx.AsyncClient, redis: ArqRedis, settings: Settings, clock: SetClock
) -> None:
    id = (await web.post("/v1/codes", json=WANTED)).json()["code_id"]
    right = await digits(redis, settings, id)
    clock.forward(minutes=30)
    answer = await web.post(f"/v1/codes/{id}/verify", json={"code": right})
    assert answer.json()["reason"] == "expired"


async def test_a_code_that_was_guessed_at_too_often_is_not_sent_again(
    web: httpx.AsyncClient, redis: ArqRedis, clock: SetClock
) -> None:
    id = (await web.post("/v1/codes", json=WANTED)).json()["code_id"]
    for left in (4, 3, 2, 1, 0):
        answer = await web.post(f"/v1/codes/{id}/verify", json={"code": "none"})
        assert (answer.json()["reason"], answer.json()["attempts_left"]) == ("mismatch", left)
    clock.forward(minutes=2)
    recorded = len(await redis.keys("ntf:*"))
    refused = await web.post(f"/v1/codes/{id}/resend")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "this code was used, was guessed at too often or has expired; ask for a new one",
    )
    assert len(await redis.keys("ntf:*")) == recorded


async def test_a_code_is_not_sent_again_where_its_owner_has_no_address(web: httpx.AsyncClient, redis: ArqRedis) -> None:
    wanted = WANTED | {"recipient": {"email": "anna@example.com"}}
    id = (await web.post("/v1/codes", json=wanted)).json()["code_id"]
    refused = await web.post(f"/v1/codes/{id}/resend", json={"channels": ["sms"]})
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/channels"]
    assert len(await redis.keys("ntf:*")) == 1


@pytest.mark.parametrize("id", ["a" * 26, "x", "%00", "..%2F..", "%F0%9F%94%91", "a" * 5_000])
async def test_an_unknown_code_is_unknown(id: str, web: httpx.AsyncClient, redis: ArqRedis) -> None:
    answer = await web.post(f"/v1/codes/{id}/verify", json={"code": "-"})
    assert answer.status_code == 404 or answer.json() == {"valid": False, "reason": "unknown", "attempts_left": 0}
    assert not [key for key in await redis.keys("*") if not key.startswith((b"limit:", b"tally"))]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("", WANTED | {"purpose": f"{CANARY} x"}, "/purpose"),
        ("", WANTED | {"account": f"{CANARY} x"}, "/account"),
        ("", WANTED | {"recipient": {"email": CANARY}}, "/recipient/email"),
        ("", WANTED | {"channels": [CANARY]}, "/channels/0"),
        ("", WANTED | {"x": CANARY}, "/x"),
        ("", WANTED | {"recipient": {}}, "/recipient"),
        ("", WANTED | {"recipient": {"phone": "+355691234567"}, "channels": ["email"]}, "/recipient/email"),
        ("/x/verify", {"code": ""}, "/code"),
        ("/x/verify", {"code": 123456}, "/code"),
        ("/x/verify", {"code": CANARY * 9}, "/code"),
        ("/x/verify", {"code": "1", "channel": CANARY}, "/channel"),
        ("/x/verify", {}, "/code"),
    ],
)
async def test_a_wrong_field_is_named_and_not_repeated(
    path: str, body: dict[str, Any], pointer: str, web: httpx.AsyncClient, redis: ArqRedis
) -> None:
    answer = await web.post(f"/v1/codes{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert CANARY not in answer.text
    assert not [key for key in await redis.keys("*") if not key.startswith(b"limit:")]


async def test_half_of_a_surrogate_pair_is_no_guess(web: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    answer = await web.post("/v1/codes/x/verify", content=rb'{"code": "\ud800"}', headers=headers)
    assert answer.status_code == 422


async def test_both_need_a_key(web: httpx.AsyncClient, redis: ArqRedis) -> None:
    del web.headers["authorization"]
    for path in ("/v1/codes", "/v1/codes/x/verify"):
        assert (await web.post(path, json=WANTED)).status_code == 401
    assert not [key for key in await redis.keys("*") if not key.startswith(b"limit:")]
