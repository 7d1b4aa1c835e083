"""Odd values that an event may have: carried, and read back for its messages as they were taken."""

import json
import socket
import time
from decimal import Decimal
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from notifier.app import create_app
from notifier.config import Settings
from notifier.contexts import Activity, Withdrawal
from notifier.store import connect
from tests.api.conftest import BEARER, WITHDRAWAL, MakeEvent, kept
from tests.conftest import SetClock
from tests.service import PROMPTLY_S


@pytest.mark.parametrize(
    "text",
    [
        "\u200b",
        "\0",
        "\u202e\u2066",
        " ",
        "a\r\nBcc: x",
        ".",
        "\n.\n",
        "\x1b]0;x\x07",
        "\u2028",
        "evil.example",
        "javascript:alert(1)",
        "{{ 7*7 }}{% include 'x' %}",
        "%(code)s %s {0}",
        "<img src=x>",
        "Z" + "\u0351\u0316" * 400,
        "\U0001f469\u200d\U0001f4bb",
        "x" * 1024,
        "q\u0301.example",
    ],
)
async def test_no_text_that_a_stranger_chose_stops_a_message(
    text: str, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, settings: Settings
) -> None:
    body = event(device=text, location=text, recipient={"name": text, "antiphishing_phrase": text})
    accepted = await kept(await web.post("/v1/events", json=body), redis, settings)
    assert isinstance(accepted.context, Activity)
    for shown in (accepted.context.device, accepted.context.location, accepted.recipient.name):
        assert shown
        assert len(shown) <= 120
        assert shown.isprintable()


@pytest.mark.parametrize(
    "amount", ["0", "0.00000000", "0.00000001", "0.000000000000000001", "100", "00.10", "9" * 30 + "." + "9" * 18]
)
async def test_an_amount_is_read_back_as_it_was_given(
    amount: str, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, settings: Settings
) -> None:
    body = event("withdrawal_confirmation", **{**WITHDRAWAL, "amount": amount, "fee": amount})
    context = (await kept(await web.post("/v1/events", json=body), redis, settings)).context
    assert isinstance(context, Withdrawal)
    assert context.amount.as_tuple() == context.fee.as_tuple() == Decimal(amount).as_tuple()


@pytest.mark.parametrize(
    ("locale", "chosen"),
    [
        ("sq", "sq"),
        ("sq-AL", "sq"),
        ("NB_no.UTF-8", "nb"),
        ("xx", "en"),
        ("../../etc/passwd", "en"),
        ("sq/../../etc", "sq"),
        ("\0", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
async def test_any_locale_is_answered_in_one_that_is_served(
    locale: str | None, chosen: str, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, settings: Settings
) -> None:
    answer = await web.post("/v1/events", json=event(recipient={"locale": locale}))
    accepted = await kept(answer, redis, settings)
    assert accepted.locale == chosen


@pytest.mark.parametrize(
    ("occurred_at", "utc"),
    [
        ("2026-03-09t14:05:00z", "2026-03-09T14:05:00+00:00"),
        ("2026-03-09 14:05:00.123456789+05:45", "2026-03-09T08:20:00.123456+00:00"),
        # An hour that the clocks of the zone leave out is still an instant when its offset is given.
        ("2026-03-29T02:30:00+01:00", "2026-03-29T01:30:00+00:00"),
    ],
)
async def test_a_time_is_an_instant(
    occurred_at: str, utc: str, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, settings: Settings
) -> None:
    answer = await web.post("/v1/events", json=event(occurred_at=occurred_at, recipient={"timezone": "UTC"}))
    accepted = await kept(answer, redis, settings)
    assert isinstance(accepted.context, Activity)
    assert accepted.context.occurred_at.isoformat() == utc


async def test_channels_are_those_asked_for_and_reachable(
    web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    for channels, given, status in (
        (["email", "email"], ["email"], 202),
        (["sms"], ["sms"], 202),
        ([], ["email", "sms"], 202),
        (["fax"], [], 422),
        (["email", "sms"], [], 422),
    ):
        body = event(id=f"{channels}")
        body["data"]["channels"] = channels
        if status == 422:
            del body["data"]["recipient"]["phone"]
        answer = await web.post("/v1/events", json=body)
        assert answer.status_code == status
        assert [n["channel"] for n in answer.json().get("notifications", [])] == given


@pytest.mark.parametrize(
    ("channels", "recipient", "pointer"),
    [
        ([], {"email": None, "phone": None}, "/data/recipient"),
        (["email", "sms"], {"phone": None}, "/data/recipient/phone"),
        (["email"], {"email": None}, "/data/recipient/email"),
    ],
)
async def test_an_address_that_is_needed_is_named(
    channels: list[str], recipient: dict[str, None], pointer: str, web: httpx.AsyncClient, event: MakeEvent
) -> None:
    body = event(recipient=recipient)
    body["data"]["channels"] = channels
    answer = await web.post("/v1/events", json=body)
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, [pointer])


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("id", "", "must not be empty"),
        ("source", "a\nb", "must be one line of text"),
        ("subject", "", "must not be empty"),
        ("subject", "acc 1", "must be ASCII letters, digits and signs, without spaces"),
        ("id", "\ud800", "must be text: it has half of a surrogate pair"),
        ("\ud800", "x", "must be text: it has half of a surrogate pair"),
    ],
)
async def test_what_would_be_right_is_told_in_words_of_ours(
    name: str, value: str, told: str, web: httpx.AsyncClient, event: MakeEvent
) -> None:
    # Written by hand: httpx would refuse half of a surrogate pair itself.
    raw = json.dumps(event() | {name: value}).encode()
    answer = await web.post("/v1/events", content=raw, headers={"content-type": "application/json"})
    assert [each["detail"] for each in answer.json()["errors"]] == [told]


@pytest.mark.parametrize("path", ["data", "data/recipient", "data/context", ""])
async def test_half_of_a_surrogate_pair_is_refused_wherever_it_stands(
    path: str, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    for name, value in (("reference", '"\\ud800"'), ("name", '"\\ud800"'), ("device", '"\\ud800"'), ("\\ud800", "1")):
        body = event()
        target: Any = body
        for step in filter(None, path.split("/")):
            target = target[step]
        target["@"] = "@"
        raw = httpx.Request("POST", "http://api", json=body).content.decode().replace('"@":"@"', f'"{name}":{value}')
        answer = await web.post("/v1/events", content=raw, headers={"content-type": "application/json"})
        # The names of extension attributes have no such character; their values are not kept.
        assert answer.status_code in (400, 422) or (path == "" and answer.status_code == 202), answer.text
        assert await redis.dbsize() == 0 or path == ""
        await redis.flushall()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_another_method_is_a_problem(method: str, web: httpx.AsyncClient) -> None:
    answer = await web.request(method, "/v1/events")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")


async def test_a_store_that_is_away_is_told_at_once(settings: Settings, clock: SetClock, event: MakeEvent) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    redis = connect(f"redis://127.0.0.1:{port}", patient=False)
    transport = httpx.ASGITransport(create_app(settings, redis, clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=BEARER) as web:
        for method, path in (
            ("POST", "/v1/events"),
            ("GET", "/v1/notifications/" + "a" * 26),
            ("POST", "/v1/codes/x/verify"),
        ):
            started = time.monotonic()
            body = event() if path == "/v1/events" else {"code": "1"}
            answer = await web.request(method, path, json=body)
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
            assert int(answer.headers["retry-after"]) > 0
            assert time.monotonic() - started < PROMPTLY_S
        assert (await web.get("/healthz")).status_code == 200
        assert (await web.get("/readyz")).status_code == 503
    await redis.aclose(close_connection_pool=True)
