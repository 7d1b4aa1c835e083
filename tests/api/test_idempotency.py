"""Once only: an event by its source and id, every other POST by its `Idempotency-Key`."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from arq.connections import ArqRedis
from fastapi import Depends, FastAPI, Request

from notifier.api.idempotency import Once
from notifier.app import create_app
from notifier.config import Settings
from notifier.errors import InProgress, KeyReused
from notifier.sealing import Sealer
from notifier.setting_types import ApiKey
from tests.api.conftest import BEARER, MakeEvent
from tests.conftest import SetClock
from tests.service import API_KEY

KEY = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
WANTED: dict[str, Any] = {
    "account": "acc-1",
    "purpose": "sign_in",
    "recipient": {"email": "anna@example.com", "phone": "+355691234567"},
}


@pytest.mark.parametrize(
    ("changed", "pointers"),
    [
        ({"subject": "acc-2"}, ["/subject"]),
        ({"type": "account.new_device"}, ["/type"]),
        ({"type": "account.account_deactivated"}, ["/type", "/data/context/ip", "/data/context/device"]),
        ({"data.reference": "cAnArY31337"}, ["/data/reference"]),
        ({"data.channels": ["sms"]}, ["/data/channels"]),
        ({"data.recipient.email": "eve@example.com"}, ["/data/recipient/email"]),
        ({"data.recipient.phone": None}, ["/data/recipient/phone", "/data/channels"]),
        (
            {"data.recipient.locale": "sq", "data.recipient.timezone": "Europe/Tirane", "data.recipient.name": "Anna"},
            ["/data/recipient/locale", "/data/recipient/timezone", "/data/recipient/name"],
        ),
        (
            {"data.context.ip": "192.0.2.8", "data.context.location": "Tiranë"},
            ["/data/context/ip", "/data/context/location"],
        ),
        ({"data.context.occurred_at": "2026-03-09T14:05:01Z"}, ["/data/context/occurred_at"]),
    ],
)
async def test_another_event_under_the_same_id_is_told_in_which_fields_it_differs(
    changed: dict[str, Any], pointers: list[str], web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    first = await web.post("/v1/events", json=event())
    kept = await redis.dbsize()
    other = event()
    for place, value in changed.items():
        *steps, name = place.split(".")
        target: Any = other
        for step in steps:
            target = target[step]
        target[name] = value
    if other["type"] == "account.account_deactivated":
        other["data"]["context"] = {"occurred_at": other["data"]["context"]["occurred_at"]}
    answer = await web.post("/v1/events", json=other)
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["type"] == "https://notify.example.com/problems/event-conflict"
    assert [each["pointer"] for each in problem["errors"]] == pointers
    for value in ("acc-", "anna", "eve@", "Tiran", "192.0.2", "2026", "cAnArY"):
        assert value not in answer.text
    assert await redis.dbsize() == kept
    assert (await web.post("/v1/events", json=event())).text == first.text


async def test_what_is_written_otherwise_and_means_the_same_is_the_same_event(
    web: httpx.AsyncClient, event: MakeEvent
) -> None:
    first = event(recipient={"locale": "en", "timezone": "UTC"})
    again = event(occurred_at="2026-03-09T15:05:00+01:00", location=None)
    again["time"], again["traceparent"] = "2026-03-09T14:06:00Z", "00-1"
    again["data"]["recipient"] = dict(reversed((first["data"]["recipient"] | {"phone": "+355 69 123 4567"}).items()))
    again["data"]["channels"] = ["email", "sms"]
    answers = [await web.post("/v1/events", json=each) for each in (first, again)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].text == answers[1].text


async def test_a_repeated_event_whose_key_is_retired_is_told_so(
    settings: Settings, redis: ArqRedis, clock: SetClock, web: httpx.AsyncClient, event: MakeEvent
) -> None:
    assert (await web.post("/v1/events", json=event())).status_code == 202
    rotated = settings.model_copy(update={"payload_keys": (b"\1" * 32,)})
    transport = httpx.ASGITransport(create_app(rotated, redis, clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=BEARER) as other:
        assert (await other.post("/v1/events", json=event())).status_code == 409


async def test_the_same_request_under_a_key_is_done_once_and_answered_the_same(
    web: httpx.AsyncClient, redis: ArqRedis, clock: SetClock
) -> None:
    first = await web.post("/v1/codes", json=WANTED, headers=KEY)
    assert (first.status_code, first.headers.get("idempotent-replayed")) == (202, None)
    made = len(await redis.keys("ntf:*"))
    clock.forward(hours=23)
    again = await web.post("/v1/codes", json=WANTED, headers=KEY)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (202, "true")
    assert again.json() == first.json()
    # Quoted, as RFC 8941 has it, it is the same key.
    quoted = await web.post("/v1/codes", json=WANTED, headers={"idempotency-key": f'"{KEY["idempotency-key"]}"'})
    assert quoted.json() == first.json()
    assert len(await redis.keys("ntf:*")) == made


async def test_another_request_under_the_same_key_is_refused(web: httpx.AsyncClient, redis: ArqRedis) -> None:
    first = await web.post("/v1/codes", json=WANTED, headers=KEY)
    code = first.json()["code_id"]
    for path, body in (
        ("/v1/codes", WANTED | {"account": "acc-2"}),
        ("/v1/codes?x", WANTED),
        (f"/v1/codes/{code}/verify", {"code": "123456"}),
        ("/v1/links/revoke", {"account": "acc-1", "purposes": ["deactivate"]}),
    ):
        answer = await web.post(path, json=body, headers=KEY)
        assert answer.status_code == 422
        assert answer.json()["type"] == "https://notify.example.com/problems/idempotency-key-reused"
        assert KEY["idempotency-key"] not in answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/codes", WANTED),
        ("/v1/codes/{code}/verify", {"code": "wrong"}),
        ("/v1/codes/{code}/resend", {}),
        ("/v1/links/revoke", {"account": "acc-1", "purposes": ["deactivate"]}),
        ("/v1/suppressions/lift", {"email": "anna@example.com"}),
    ],
)
async def test_every_such_path_takes_a_key(
    path: str, body: dict[str, Any], web: httpx.AsyncClient, clock: SetClock, redis: ArqRedis
) -> None:
    if "{code}" in path:
        path = path.format(code=(await web.post("/v1/codes", json=WANTED)).json()["code_id"])
        await redis.delete(*await redis.keys("limit:*"))
    answers = await asyncio.gather(*(web.post(path, json=body, headers=KEY) for _ in range(20)))
    done = [answer for answer in answers if answer.is_success]
    assert done
    assert len({answer.text for answer in done}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in done) == 1
    for answer in answers:
        if answer not in done:
            assert answer.status_code == 409
            assert answer.headers["retry-after"] == "1"
    clock.forward(seconds=1)
    assert (await web.post(path, json=body, headers=KEY)).text == done[0].text


async def test_while_the_first_is_in_progress_the_second_is_told_to_wait(settings: Settings, redis: ArqRedis) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def handler(request: Request, caller: Annotated[ApiKey, Depends(lambda: settings.api_keys[0])]) -> Any:
        begun.set()
        await go_on.wait()
        return {"done": "once"}

    app = FastAPI()
    app.add_api_route("/", Once(redis, Sealer(settings.payload_keys))(handler), methods=["POST"], status_code=201)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api", headers=KEY) as web:
        first = asyncio.create_task(web.post("/"))
        await begun.wait()
        with pytest.raises(InProgress) as told:
            await web.post("/")
        assert told.value.retry_after == 1
        # Another request with the key is refused at once.
        with pytest.raises(KeyReused):
            await web.post("/", json={})
        # It died with its process: after a minute it may be done again.
        (record,) = await redis.keys("once:*")
        assert 0 < await redis.ttl(record) <= 60
        go_on.set()
        assert ((await first).status_code, (await first).json()) == (201, {"done": "once"})
        again = await web.post("/")
        assert (again.status_code, again.json()) == (201, {"done": "once"})


async def test_an_error_is_not_kept(web: httpx.AsyncClient, redis: ArqRedis) -> None:
    wrong = await web.post("/v1/codes", json=WANTED | {"purpose": "No"}, headers=KEY)
    assert wrong.status_code == 422
    assert not await redis.keys("once:*")
    assert (await web.post("/v1/codes", json=WANTED, headers=KEY)).status_code == 202


async def test_a_code_whose_answer_got_lost_is_not_made_twice(
    web: httpx.AsyncClient, redis: ArqRedis, clock: SetClock
) -> None:
    first = await web.post("/v1/codes", json=WANTED, headers=KEY)
    # As if the process had died before it kept its answer, and the minute between two sendings had passed.
    await redis.delete(*await redis.keys("once:*"), *await redis.keys("limit:*"))
    again = await web.post("/v1/codes", json=WANTED, headers=KEY)
    assert "idempotent-replayed" not in again.headers
    assert again.json() == first.json()
    assert len(await redis.keys("code:*")) == 1


@pytest.fixture
async def two(settings: Settings, redis: ArqRedis, clock: SetClock) -> AsyncIterator[httpx.AsyncClient]:
    """Two producers, one of them with two keys."""
    keys = tuple(
        ApiKey(producer, hashlib.sha256(key.encode()).hexdigest(), frozenset({"links:write"}))
        for producer, key in (("one", "old"), ("one", "new"), ("two", "other"))
    )
    app = create_app(settings.model_copy(update={"api_keys": keys}), redis, clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as web:
        yield web


async def test_a_key_is_its_producers(two: httpx.AsyncClient) -> None:
    body = {"account": "acc-1", "purposes": ["deactivate"]}

    async def replayed(key: str) -> bool:
        answer = await two.post("/v1/links/revoke", json=body, headers=KEY | {"authorization": f"Bearer {key}"})
        assert answer.status_code == 200
        return "idempotent-replayed" in answer.headers

    assert [await replayed(key) for key in ("old", "old", "new", "other", "other")] == [False, True, True, False, True]
    nobody = await two.post("/v1/links/revoke", json=body, headers=KEY | {"authorization": f"Bearer {API_KEY}"})
    assert nobody.status_code == 401


@pytest.mark.parametrize("key", ["", " ", '""', '"', "a b", "x" * 256, '"' + "x" * 256 + '"', "caf\u00e9", '"a"b'])
async def test_a_key_that_is_none_is_refused(key: str, web: httpx.AsyncClient, redis: ArqRedis) -> None:
    answer = await web.post("/v1/codes", json=WANTED, headers={b"idempotency-key": key.encode("latin-1")})
    assert answer.status_code == 400
    assert await redis.dbsize() == 0


async def test_two_keys_are_refused(web: httpx.AsyncClient) -> None:
    headers = [("idempotency-key", "a"), ("idempotency-key", "b")]
    assert (await web.post("/v1/codes", json=WANTED, headers=headers)).status_code == 400


async def test_nothing_of_it_is_kept_in_clear_or_for_ever(web: httpx.AsyncClient, redis: ArqRedis) -> None:
    guess = {"code": "314159"}
    await web.post("/v1/codes", json=WANTED, headers=KEY)
    await web.post(f"/v1/codes/{'a' * 26}/verify", json=guess, headers={"idempotency-key": "another"})
    records = await redis.keys("once:*")
    assert len(records) == 2
    digests = [digest(json.dumps(guess).encode()).hexdigest() for digest in (hashlib.sha256, hashlib.blake2b)]
    for record in records:
        content = record + (await redis.get(record) or b"")
        for word in ("anna", "69123", "acc-1", "314159", "8e03978e", "another", *digests):
            assert word.encode() not in content
        assert 0 < await redis.ttl(record) <= 24 * 3600
