"""Keys of the store, as a producer meets them: scopes, notices, limits and signatures, changed while the API runs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis
from limits import parse
from standardwebhooks import Webhook

from notifier.app import create_app
from notifier.config import Settings
from notifier.keyring import Keyring, Made
from notifier.setting_types import SCOPES, ApiKey
from tests.api.conftest import BEARER, CANARY, MakeEvent
from tests.conftest import SetClock

RIGHTS = ApiKey("shop", "", SCOPES)
BATCH = {"content-type": "application/cloudevents-batch+json"}
JSON = {"content-type": "application/json"}
CODE = {"account": "acc-1", "purpose": "sign_in", "recipient": {"email": "anna@example.com"}}
PUBLIC = "https://notify.example.com/problems"


@pytest.fixture
def keyring(redis: ArqRedis) -> Keyring:
    return Keyring(redis)


def bearer(made: Made | str) -> dict[str, str]:
    return {"authorization": f"Bearer {made if isinstance(made, str) else made.plain}"}


async def stored(redis: ArqRedis) -> dict[bytes, bytes | None]:
    """Everything but counts of requests, and when keys were used."""
    passing = (b"limit:", b"api-keys:used")
    return {key: await redis.dump(key) for key in await redis.keys("*") if not key.startswith(passing)}


async def test_a_key_works_from_its_making_to_its_end(
    keyring: Keyring, web: httpx.AsyncClient, event: MakeEvent, clock: SetClock
) -> None:
    first = await keyring.add(RIGHTS, clock.now)
    assert (await web.post("/v1/events", json=event(), headers=bearer(first))).status_code == 202
    second = await keyring.rotate("shop", clock.now, expire_old=60_000)
    clock.forward(ms=100)
    for made in (first, second):
        assert (await web.get("/v1/queues", headers=bearer(made))).status_code == 200
    clock.forward(minutes=1)
    assert (await web.get("/v1/queues", headers=bearer(first))).status_code == 401
    await keyring.revoke(second.kept.key.id, clock.now)
    clock.forward(seconds=2)
    assert (await web.get("/v1/queues", headers=bearer(second))).status_code == 401
    assert (await web.get("/v1/queues", headers=BEARER)).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain[:-1] + "b",
        lambda plain: plain[:12] + "a" * 52,
        lambda plain: f"nk_aaaaaaaa_{plain[12:]}",
        lambda plain: plain.upper(),
        lambda plain: plain[:-1],
        lambda plain: f"nk_revision_{plain[12:]}",
    ],
)
async def test_a_key_that_is_nearly_right(
    change: Callable[[str], str], keyring: Keyring, web: httpx.AsyncClient, clock: SetClock
) -> None:
    made = await keyring.add(RIGHTS, clock.now)
    answer = await web.get("/v1/queues", headers=bearer(change(made.plain)))
    assert (answer.status_code, answer.json()["type"]) == (401, f"{PUBLIC}/unauthenticated")
    assert "ratelimit" not in answer.headers


async def test_a_key_cannot_be_told_while_the_store_is_away(settings: Settings, clock: SetClock) -> None:
    from notifier.store import connect

    away = connect("redis://127.0.0.1:1", patient=False)
    transport = httpx.ASGITransport(create_app(settings, away, clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as web:
        answer = await web.get("/v1/queues", headers=bearer("nk_aaaaaaaa_" + "a" * 52))
        assert (answer.status_code, answer.json()["type"]) == (503, f"{PUBLIC}/unavailable")
        assert (await web.get("/v1/queues", headers=bearer("another"))).status_code == 401
    await away.aclose(close_connection_pool=True)


async def test_a_notice_that_is_not_allowed(
    keyring: Keyring, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    made = await keyring.add(RIGHTS._replace(notices=frozenset({"login_succeeded"})), clock.now)
    web.headers.update(bearer(made))
    before = await stored(redis)
    answer = await web.post("/v1/events", json=event("password_reset"))
    assert (answer.status_code, answer.json()["type"]) == (403, f"{PUBLIC}/notice-not-allowed")
    assert "password_reset" in answer.json()["detail"]
    assert (await web.post("/v1/codes", json=CODE)).json()["type"] == f"{PUBLIC}/notice-not-allowed"
    assert await stored(redis) == before
    other = (await web.post("/v1/events", json=event("password_reset"), headers=BEARER)).json()["notifications"][0][
        "id"
    ]
    for doing in ("cancel", "resend"):
        answer = await web.post(f"/v1/notifications/{other}/{doing}")
        assert (answer.status_code, answer.json()["type"]) == (403, f"{PUBLIC}/notice-not-allowed")
    batch = [event(id="1"), event("password_reset", id="2"), event(id="3")]
    answered = await web.post("/v1/events/batch", content=json.dumps(batch), headers=BATCH)
    assert [result["status"] for result in answered.json()["results"]] == [202, 403, 202]
    code = (await web.post("/v1/codes", json=CODE, headers=BEARER)).json()["code_id"]
    clock.forward(minutes=2)
    again = await web.post(f"/v1/codes/{code}/resend")
    assert (again.status_code, again.json()["type"]) == (403, f"{PUBLIC}/notice-not-allowed")


async def test_every_answer_to_a_key_tells_what_it_has_left(
    keyring: Keyring, web: httpx.AsyncClient, event: MakeEvent, clock: SetClock
) -> None:
    rights = RIGHTS._replace(scopes=frozenset({"events:write"}), limits={"api_key": parse("6/hour")})
    web.headers.update(bearer(await keyring.add(rights, clock.now)))
    asked = [
        (await web.post("/v1/events", json=event()), 202),
        (await web.post("/v1/events", json={}), 422),
        (await web.get("/v1/queues"), 403),
        (await web.post("/v1/events", content=b"{", headers=JSON), 400),
        (await web.post("/v1/events", json=event(device="another")), 409),
        (await web.get("/v1/notifications/x"), 403),
        (await web.post("/v1/events", json=event()), 429),
    ]
    for left, (answer, status) in zip((5, 4, 3, 2, 1, 0, 0), asked, strict=True):
        assert answer.status_code == status
        assert answer.headers["ratelimit-policy"] == '"api_key";q=6;w=3600'
        assert answer.headers["ratelimit"].startswith(f'"api_key";r={left};t=3')
    assert 3_500 < int(answer.headers["retry-after"]) <= 3_600
    assert answer.json()["type"] == f"{PUBLIC}/too-many-requests"
    shared = await web.get("/v1/queues", headers=BEARER)
    assert shared.headers["ratelimit-policy"] == '"api_key";q=60000;w=60'


async def test_each_event_of_a_batch_counts(
    keyring: Keyring, web: httpx.AsyncClient, event: MakeEvent, clock: SetClock
) -> None:
    rights = RIGHTS._replace(limits={"api_key": parse("5/hour")})
    web.headers.update(bearer(await keyring.add(rights, clock.now)))
    batch = json.dumps([event(id=str(number)) for number in range(7)])
    answer = await web.post("/v1/events/batch", content=batch, headers=BATCH)
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [202] * 5 + [429] * 2
    assert results[-1]["retry_after"] > 3_500
    assert answer.headers["ratelimit"].startswith('"api_key";r=0')
    assert (await web.post("/v1/events/batch", content=batch, headers=BATCH)).status_code == 429


async def test_a_key_has_a_limit_on_codes_of_its_own(keyring: Keyring, web: httpx.AsyncClient, clock: SetClock) -> None:
    made = await keyring.add(RIGHTS._replace(limits={"code_producer": parse("1/hour")}), clock.now)
    other = CODE | {"account": "acc-2", "recipient": {"email": "arta@example.com"}}
    assert (await web.post("/v1/codes", json=CODE, headers=bearer(made))).status_code == 202
    assert (await web.post("/v1/codes", json=other, headers=bearer(made))).status_code == 429
    assert (await web.post("/v1/codes", json=other, headers=BEARER)).status_code == 202


async def test_a_lane_that_is_full_is_said_for_each_event(
    settings: Settings, redis: ArqRedis, event: MakeEvent, clock: SetClock
) -> None:
    app = create_app(settings.model_copy(update={"lane_depths": {"alert": 2}}), redis, clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api", headers=BEARER) as web:
        batch = json.dumps([event(id=str(number)) for number in range(2)])
        assert (await web.post("/v1/events/batch", content=batch, headers=BATCH)).status_code == 200
        clock.forward(seconds=1)
        before = await stored(redis)
        answer = await web.post("/v1/events", json=event(id="another"))
        assert (answer.status_code, answer.json()["type"]) == (503, f"{PUBLIC}/overloaded")
        assert int(answer.headers["retry-after"]) > 0
        assert await stored(redis) == before
        both = json.dumps([event(id="third"), event("password_reset", id="fourth")])
        results = (await web.post("/v1/events/batch", content=both, headers=BATCH)).json()["results"]
        assert [result["status"] for result in results] == [503, 202]
        assert (await web.post("/v1/codes", json=CODE)).status_code == 202


async def test_a_post_asks_the_store_no_more_than_it_must(
    keyring: Keyring, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    made = await keyring.add(RIGHTS, clock.now)
    one = event()
    del one["data"]["recipient"]["phone"]

    async def asked(headers: dict[str, str]) -> int:
        before = (await redis.info("stats"))["total_commands_processed"]
        assert (await web.post("/v1/events", json=one, headers=headers)).status_code == 202
        return int((await redis.info("stats"))["total_commands_processed"] - before)

    for headers in (BEARER, bearer(made)):
        await asked(headers)  # what is looked at once a second, and what a process learns
    told = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert await asked(BEARER) == await asked(bearer(made))
    # The write itself, and the news of a state there is none of.
    assert (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"] == told + 2


# Signed requests.


@pytest.fixture
async def signing(keyring: Keyring, web: httpx.AsyncClient, clock: SetClock) -> Webhook:
    """What signs for the key that `web` has from here on."""
    made = await keyring.add(RIGHTS, clock.now, signed=True)
    web.headers.update(bearer(made))
    assert made.secret
    return Webhook(made.secret)


def signed(signing: Webhook, clock: SetClock, content: str, seconds: int = 0, id: str = "msg-1") -> dict[str, str]:
    at = datetime.fromtimestamp(clock.now / 1000, UTC) + timedelta(seconds=seconds)
    return {
        **JSON,
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signing.sign(id, at, content),
    }


async def test_what_is_signed_is_taken_again_too(
    signing: Webhook, web: httpx.AsyncClient, event: MakeEvent, clock: SetClock
) -> None:
    body = json.dumps(event(device="Tiranë"), ensure_ascii=False, indent=3)
    answers = [
        await web.post("/v1/events", content=body.encode(), headers=signed(signing, clock, body, seconds))
        for seconds in (0, 0, -299, 299)
    ]
    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({answer.text for answer in answers}) == 1
    other = Webhook("whsec_" + "a" * 32)
    two = signed(signing, clock, body)
    two["webhook-signature"] = f"{signed(other, clock, body)['webhook-signature']} {two['webhook-signature']} v1a,x"
    assert (await web.post("/v1/events", content=body.encode(), headers=two)).status_code == 202


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-signature": None},
        {"webhook-id": None},
        {"webhook-timestamp": None},
        {"webhook-signature": "v1,"},
        {"webhook-signature": f"v1,{CANARY}"},
        {"webhook-signature": "é"},
        {"webhook-id": CANARY},
        {"webhook-timestamp": CANARY},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": "٣"},
    ],
)
async def test_what_is_not_signed_rightly_is_refused(
    change: dict[str, str | None],
    signing: Webhook,
    web: httpx.AsyncClient,
    event: MakeEvent,
    redis: ArqRedis,
    clock: SetClock,
) -> None:
    body, before = json.dumps(event()), await stored(redis)
    headers: dict[Any, Any] = {**signed(signing, clock, body), **change}
    sent = {name: value.encode() for name, value in headers.items() if value is not None}
    answer = await web.post("/v1/events", content=body, headers=sent)
    assert (answer.status_code, answer.json()["type"]) == (401, f"{PUBLIC}/bad-signature")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert CANARY not in answer.text
    assert await stored(redis) == before


@pytest.mark.parametrize("seconds", [-302, 302])
async def test_what_was_signed_long_ago_or_later_is_refused(
    seconds: int, signing: Webhook, web: httpx.AsyncClient, event: MakeEvent, clock: SetClock
) -> None:
    body = json.dumps(event())
    answer = await web.post("/v1/events", content=body, headers=signed(signing, clock, body, seconds))
    assert (answer.status_code, answer.json()["type"]) == (401, f"{PUBLIC}/bad-signature")


async def test_a_body_that_was_changed_on_its_way_is_refused(
    signing: Webhook, web: httpx.AsyncClient, event: MakeEvent, clock: SetClock
) -> None:
    headers = signed(signing, clock, json.dumps(event()))
    assert (await web.post("/v1/events", content=json.dumps(event()) + " ", headers=headers)).status_code == 401
    assert (await web.post("/v1/events", content=b"", headers=headers)).status_code == 401


async def test_what_has_no_body_is_signed_by_what_it_asks_for(
    signing: Webhook, web: httpx.AsyncClient, clock: SetClock
) -> None:
    headers = signed(signing, clock, "GET /v1/audit?account=a%20b")
    assert (await web.get("/v1/audit?account=a%20b", headers=headers)).status_code == 200
    assert (await web.get("/v1/audit?account=other", headers=headers)).status_code == 401
    assert (
        await web.delete("/v1/accounts/a", headers=signed(signing, clock, "DELETE /v1/accounts/b"))
    ).status_code == 401
    assert (
        await web.delete("/v1/accounts/a", headers=signed(signing, clock, "DELETE /v1/accounts/a"))
    ).status_code == 200
    assert (await web.get("/v1/queues", headers=signed(signing, clock, ""))).status_code == 401


async def test_a_large_batch_is_signed_and_a_large_event_still_refused(
    signing: Webhook, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    batch = json.dumps([event(id=str(number), device="x" * 1_000) for number in range(80)])
    assert len(batch) > 65_536
    headers = signed(signing, clock, batch) | BATCH
    results = (await web.post("/v1/events/batch", content=batch, headers=headers)).json()["results"]
    assert {result["status"] for result in results} == {202}
    assert (await web.post("/v1/events", content=batch, headers=signed(signing, clock, batch))).status_code == 413
    assert (await web.post("/v1/receipts/bounces", content=batch, headers=headers | JSON)).status_code in (404, 413)
