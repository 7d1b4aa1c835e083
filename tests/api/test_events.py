"""`POST /v1/events`: taken once and for good, or refused in words that repeat nothing, with nothing stored."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from notifier.app import create_app
from notifier.config import Settings
from notifier.ids import is_id
from notifier.setting_types import ApiKey
from tests.api.conftest import BEARER, CANARY, WITHDRAWAL, MakeEvent, refused
from tests.conftest import SetClock

JSON = {"content-type": "application/json"}
# Bodies, and the status that answers each.
NOT_STRICT: list[tuple[bytes, int]] = [
    (b"", 400),
    (b" ", 400),
    (b"null", 422),
    (b"[]", 422),
    (b'"x"', 422),
    (b"7", 422),
    (b"{", 400),
    (b"{} {}", 400),
    (b'{"id": NaN}', 400),
    (b'{"id": Infinity}', 400),
    (b'{"id": -Infinity}', 400),
    (b'{"id": 1e400}', 400),
    (b'{"id": -1e400}', 400),
    (b'{"id": ' + b"9" * 5_000 + b"}", 400),
    (b'{"id": "1", "id": "2"}', 400),
    (b'{"data": {"x": {"a": 1, "\\u0061": 2}}}', 400),
    (b"\xef\xbb\xbf{}", 400),
    (('{"id": "' + CANARY + '"}').encode("utf-16"), 400),
    (b'{"id": "\xff' + CANARY.encode() + b'"}', 400),
    (b'{"id": "' + CANARY.encode() + b"}", 400),
    (b"[" * 60_000, 400),
    (b"[" * 17 + b"]" * 17, 400),
    (b'{"a":' * 10_000, 400),
    (b"[" * 100_000, 413),
    (b'"' + b"x" * 64 * 1024 + b'"', 413),
    (b"\x1f\x8b\x08\x00gzip", 400),
]
# Where a value is wrong, and the value.
WRONG_VALUES: list[tuple[str, Any]] = [
    ("/id", ""),
    ("/id", f"{CANARY}\n"),
    ("/id", CANARY * 30),
    ("/source", f"\0{CANARY}"),
    ("/specversion", CANARY),
    ("/type", f"account.{CANARY}"),
    ("/type", CANARY),
    ("/subject", f"{CANARY} x"),
    ("/subject", f"{CANARY}\u00e9"),
    ("/time", CANARY),
    ("/datacontenttype", CANARY),
    ("/data", CANARY),
    ("/data/recipient", [CANARY]),
    ("/data/recipient/email", f"{CANARY}@"),
    ("/data/recipient/email", f"anna@example.com\r\nBcc: {CANARY}@example.com"),
    ("/data/recipient/phone", f"+1900{CANARY}"),
    ("/data/recipient/timezone", f"Europe/{CANARY}"),
    ("/data/recipient/timezone", f"../../{CANARY}"),
    ("/data/recipient/locale", CANARY * 10),
    ("/data/recipient/locale", 7),
    ("/data/recipient/unknown", CANARY),
    ("/data/reference", CANARY * 200),
    ("/data/channels/0", [CANARY]),
    ("/data/context/device", CANARY * 100),
    ("/data/context/device", {"x": CANARY}),
    ("/data/context/unknown", CANARY),
    ("/data/context/ip", f"fe80::1%{CANARY}"),
    ("/data/context/ip", f"192.0.2.7/{CANARY}"),
    ("/data/context/occurred_at", "10000-01-01T00:00:00Z"),
    ("/data/context/occurred_at", "9999-12-31T23:59:59-14:00"),
    ("/data/context/occurred_at", "0001-01-01T00:00:00+14:00"),
    ("/data/context/occurred_at", "0001-01-01T00:00:00Z"),
    ("/data/context/occurred_at", "9999-12-31T23:59:59Z"),
    ("/data/context/occurred_at", "2026-03-29T02:30:00"),
    ("/data/context/occurred_at", "2026-02-30T02:30:00Z"),
    ("/data/context/occurred_at", "2026-03-09T24:00:01Z"),
    ("/data/context/occurred_at", f"2026-03-09T14:05:00[{CANARY}]"),
    ("/data/context/occurred_at", 1_790_000_000),
    *(("/data/context/amount", value) for value in ("-0", "-1", "1E+9999", "NaN", "1e3", "0x1", "1,5")),
    *(("/data/context/amount", value) for value in ("", ".5", "٣", 0.25, f"1{CANARY}", "1" * 31, "0." + "1" * 19)),
    ("/data/context/asset", f"{CANARY}<b>"),
]


async def test_one_look_at_a_refusal_shows_all_that_is_wrong(web: httpx.AsyncClient, event: MakeEvent) -> None:
    made = event("login_succeded", recipient={"email": "nope"}) | {"specversion": "0.3"}
    made["data"]["channels"] = ["fax"]
    problem = (await web.post("/v1/events", json=made)).json()
    wrong = {each["pointer"]: each["detail"] for each in problem["errors"]}
    assert list(wrong) == ["/type", "/specversion", "/data/recipient/email", "/data/channels/0"]
    assert wrong["/type"].startswith("must be one of account.login_succeeded, ")
    assert wrong["/specversion"] == "must be '1.0'"
    assert wrong["/data/channels/0"] == "must be 'email', 'sms' or 'inbox'"
    # Of a notice that there is, what it needs is told with the rest.
    made["type"] = "account.login_succeeded"
    made["data"]["context"] |= {"ip": "nowhere", "more": 1}
    problem = (await web.post("/v1/events", json=made)).json()
    assert [each["pointer"] for each in problem["errors"]] == [
        "/specversion",
        "/data/recipient/email",
        "/data/channels/0",
        "/data/context/ip",
        "/data/context/more",
    ]


async def test_an_event_is_accepted_with_its_notifications(web: httpx.AsyncClient, event: MakeEvent) -> None:
    answer = await web.post("/v1/events", json=event("password_reset"))
    assert answer.status_code == 202
    body = answer.json()
    assert body.keys() == {"event_id", "notifications", "code_id"}
    assert [(n["channel"], n["status"], len(n["id"])) for n in body["notifications"]] == [
        ("email", "accepted", 26),
        ("sms", "accepted", 16),
    ]
    assert all(is_id(id) for id in (body["event_id"], body["code_id"]))
    assert (await web.post("/v1/events", json=event(id="e-2"))).json()["code_id"] is None


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/cloudevents+json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/json; odata=verbose; charset=utf-8",
        "application/json; profile=strict",
    ],
)
async def test_it_is_taken_as_cloudevents_or_plain_json(
    content_type: str, web: httpx.AsyncClient, event: MakeEvent
) -> None:
    answer = await web.post("/v1/events", json=event(), headers={"content-type": content_type})
    assert answer.status_code == 202


async def test_twenty_parallel_posts_of_one_event_are_one(
    web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    answers = await asyncio.gather(*(web.post("/v1/events", json=event("new_device")) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert len(await redis.keys("ntf:*")) == 2
    assert len(await redis.keys("event:*")) == len(await redis.keys("code:*")) == 1


async def test_the_same_id_with_another_body_is_a_conflict(
    web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    first = await web.post("/v1/events", json=event())
    clock.forward(days=6)
    kept = await redis.dbsize()
    other = await web.post("/v1/events", json=event(device=CANARY))
    assert (other.status_code, CANARY in other.text) == (409, False)
    assert await redis.dbsize() == kept
    assert (await web.post("/v1/events", json=event())).text == first.text
    another_source = event(device=CANARY) | {"source": "https://other.example"}
    assert (await web.post("/v1/events", json=another_source)).status_code == 202


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", f"Bearer {CANARY}", f"Basic {CANARY}", "Basic test-key", "test-key"]
)
async def test_without_a_known_key_nothing_is_taken(
    authorization: str | None, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    del web.headers["authorization"]
    headers = {} if authorization is None else {"authorization": authorization}
    answer = await web.post("/v1/events", json=event(), headers=headers)
    assert await refused(answer, redis) == (401, [])
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_key_without_the_scope_takes_nothing(
    settings: Settings, redis: ArqRedis, clock: SetClock, event: MakeEvent
) -> None:
    (key,) = settings.api_keys
    scoped = settings.model_copy(update={"api_keys": (ApiKey(key.producer, key.digest, frozenset({"codes:write"})),)})
    transport = httpx.ASGITransport(create_app(scoped, redis, clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=BEARER) as web:
        assert await refused(await web.post("/v1/events", json=event()), redis) == (403, [])
        assert (await web.get("/v1/notifications/" + "a" * 26)).status_code == 403
        assert (await web.post(f"/v1/codes/{'a' * 26}/verify", json={"code": "1"})).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/json; charset=",
        "application/json; profile=strict; charset=latin-1",
        "application/cloudevents-batch+json",
    ],
)
async def test_another_content_type_is_refused(
    content_type: str, web: httpx.AsyncClient, redis: ArqRedis, event: MakeEvent
) -> None:
    answer = await web.post("/v1/events", json=event(), headers={"content-type": content_type})
    assert await refused(answer, redis) == (415, [])


async def test_what_is_not_strict_json_is_refused(
    web: httpx.AsyncClient, redis: ArqRedis, subtests: pytest.Subtests
) -> None:
    for body, status in NOT_STRICT:
        with subtests.test(body=body[:30]):
            answer = await web.post("/v1/events", content=body, headers=JSON)
            assert await refused(answer, redis) == (status, [""] if status == 422 else [])


async def test_fifty_megabytes_are_not_read_to_their_end(web: httpx.AsyncClient, redis: ArqRedis) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(50 * 16):
            read += 1
            yield b" " * 65_536

    assert await refused(await web.post("/v1/events", content=endless(), headers=JSON), redis) == (413, [])
    assert read <= 3


async def test_a_wrong_value_is_named_and_not_repeated(
    web: httpx.AsyncClient, redis: ArqRedis, event: MakeEvent, subtests: pytest.Subtests
) -> None:
    for path, value in WRONG_VALUES:
        with subtests.test(path=path, value=str(value)[:40]):
            body = event("withdrawal_confirmation", **WITHDRAWAL)
            *steps, where = path.removesuffix("/0").split("/")[1:]
            target: dict[str, Any] = body
            for step in steps:
                target = target[step]
            target[where] = value
            answer = await web.post("/v1/events", json=body)
            assert await refused(answer, redis) == (422, [path])
            assert answer.json()["detail"].startswith(path)
