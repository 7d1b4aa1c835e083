"""CloudEvents over HTTP, as the official SDK writes them: structured, in binary mode, and in batches."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from notifier.api.cloudevents import EVENT, MOST_EVENTS
from notifier.api.events import side_by_side
from notifier.config import Settings
from tests.api.conftest import CANARY, MakeEvent, kept, refused

BATCH = {"content-type": "application/cloudevents-batch+json"}
JSON = {"content-type": "application/json"}


def sdk(event: dict[str, Any], **changed: Any) -> CloudEvent:
    attributes = {name: value for name, value in event.items() if name != "data"}
    attributes |= {"time": datetime(2026, 3, 9, 14, 5, 1, tzinfo=UTC), "datacontenttype": "application/json"} | changed
    return CloudEvent(attributes, event["data"])


def headers(event: dict[str, Any], **changed: str | None) -> list[tuple[str, str]]:
    """Binary mode, written by hand; None leaves an attribute out."""
    told = {name: value for name, value in event.items() if name != "data"} | changed
    return [("content-type", "application/json"), *((f"ce-{name}", value) for name, value in told.items() if value)]


async def test_one_event_is_the_same_in_every_mode(web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis) -> None:
    made = sdk(event(), source='https://accounts.example/ä b"c%d', id="signin/1 %20 \U0001f511")
    messages = (to_structured_event(made), to_binary_event(made))
    answers = [await web.post("/v1/events", content=each.body, headers=each.headers) for each in messages]
    plain = json.loads(to_structured_event(made).body)
    answers.append(await web.post("/v1/events", json=plain))
    answers.append(await web.post("/v1/events/batch", content=json.dumps([plain]), headers=BATCH))
    assert [answer.status_code for answer in answers] == [202, 202, 202, 200]
    (result,) = answers[3].json()["results"]
    assert result == {"status": 202} | answers[0].json()
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert len(await redis.keys("event:*")) == 1


async def test_an_event_whose_sender_holds_bytes_is_the_same(web: httpx.AsyncClient, event: MakeEvent) -> None:
    made = event()
    packed = to_structured_event(sdk(made | {"data": json.dumps(made["data"]).encode()}))
    assert b"data_base64" in packed.body
    answers = [await web.post("/v1/events", json=made), await web.post("/v1/events", content=packed.body, headers=JSON)]
    batch = await web.post("/v1/events/batch", content=b"[" + packed.body + b"]", headers=BATCH)
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert batch.json()["results"] == [{"status": 202} | answers[0].json()]


@pytest.mark.parametrize("packed", ["", CANARY, "e30", "bm8=", None, 7, ["e30="]])
@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/batch"])
async def test_packed_data_that_is_none_is_named(
    packed: Any, path: str, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    made = {name: value for name, value in event().items() if name != "data"} | {"data_base64": packed}
    answer = await web.post(path, content=json.dumps([made] if path.endswith("batch") else made), headers=JSON)
    problem = answer.json()["results"][0] if path.endswith("batch") else answer.json()
    assert (problem["status"], [each["pointer"] for each in problem["errors"]]) == (422, ["/data_base64"])
    assert CANARY not in answer.text
    assert not await redis.keys("event:*")


async def test_data_is_given_once(web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis) -> None:
    answer = await web.post("/v1/events", json=event() | {"data_base64": "e30="})
    assert await refused(answer, redis) == (422, ["/data_base64"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("acct-1", "acct-1"),
        ("acct%2D1", "acct-1"),
        ("a%2525", "a%25"),
        ('"acct-1"', "acct-1"),
        (r'"a\"b\\c"', r'a"b\c'),
        ("a+b", "a+b"),
        ("a%zz", "a%zz"),
    ],
)
async def test_a_header_is_unquoted_and_decoded_once(
    written: str, meant: str, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, settings: Settings
) -> None:
    made = event()
    answer = await web.post("/v1/events", json=made["data"], headers=headers(made, subject=written))
    assert (await kept(answer, redis, settings)).account == meant


async def posted(web: httpx.AsyncClient, body: Any, given: list[tuple[str, str]] | dict[str, str]) -> httpx.Response:
    return await web.post("/v1/events", content=json.dumps(body), headers=given)


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("ce-id", CANARY, "/id"),
        ("CE-Subject", "acc-1", "/subject"),
        ("ce-data", CANARY, "/data"),
        ("ce-datacontenttype", "application/json", "/datacontenttype"),
        ("ce-extension", f"%ff{CANARY}", "/extension"),
        ("ce-an-other", CANARY, "/an-other"),
        ("ce-an_other", CANARY, "/an_other"),
        ("ce-", CANARY, "/"),
    ],
)
async def test_a_header_too_many_is_refused(
    name: str, value: str, pointer: str, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    made = event()
    answer = await posted(web, made["data"], [*headers(made), (name, value)])
    assert await refused(answer, redis) == (422, [pointer])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", None),
        ("source", None),
        ("type", None),
        ("subject", None),
        ("specversion", None),
        ("specversion", "0.3"),
        ("time", "yesterday"),
    ],
)
async def test_a_header_too_few_or_wrong_is_named(
    name: str, value: str | None, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    made = event()
    answer = await posted(web, made["data"], headers(made, **{name: value}))
    assert await refused(answer, redis) == (422, [f"/{name}"])


async def test_an_attribute_in_capitals_is_named(web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis) -> None:
    assert await refused(await web.post("/v1/events", json=event() | {"Subject": CANARY}), redis) == (422, ["/Subject"])


async def test_bytes_that_are_no_ascii_are_no_attribute(
    web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    made = event()
    raw = [*((name.encode(), value.encode()) for name, value in headers(made)), (b"ce-extension", b"caf\xe9")]
    answer = await web.post("/v1/events", content=json.dumps(made["data"]), headers=raw)
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/extension"]


async def test_headers_beside_a_structured_event_must_say_the_same(
    web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    made = event() | {"attempt": 7, "replayed": True}
    structured = {"content-type": "application/cloudevents+json"}
    answer = await posted(web, made, structured | {"ce-id": "other", "ce-more": "x"})
    assert await refused(answer, redis) == (422, ["/id", "/more"])
    same = structured | {"ce-id": "e-1", "ce-subject": "acc%2D1", "ce-attempt": "7", "ce-replayed": "true"}
    assert (await posted(web, made, same)).status_code == 202


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/cloudevents+avro", "application/octet-stream"]
)
async def test_data_of_another_kind_is_refused(
    content_type: str, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    made = event()
    answer = await posted(web, made["data"], [("content-type", content_type), *headers(made)[1:]])
    assert await refused(answer, redis) == (415, [])


async def test_what_is_wrong_in_the_body_is_named_as_in_structured_mode(
    web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    made = event(recipient={"email": CANARY}, x=CANARY)
    answer = await posted(web, made["data"], headers(made))
    assert await refused(answer, redis) == (422, ["/data/recipient/email", "/data/context/x"])
    bodies: tuple[object, ...] = ([], "x", 7, None)
    for body in bodies:
        assert await refused(await posted(web, body, headers(made)), redis) == (422, ["/data"])


async def test_a_batch_has_a_result_for_each_in_order_and_one_bad_harms_no_other(
    web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    large = event(id="large")
    large["data"]["reference"] = "x" * 66_000
    batch = [
        event(id="a"),
        event("password_reset", id="b"),
        event(id="c", ip=CANARY),
        CANARY,
        event(id="a"),
        event(id="a", device="another"),
        large,
        event("nothing", id="d"),
        event(id="e"),
    ]
    answer = await web.post("/v1/events/batch", content=json.dumps(batch), headers=BATCH)
    assert answer.status_code == 200
    assert CANARY not in answer.text
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [202, 202, 422, 422, 202, 409, 413, 422, 202]
    assert [each["pointer"] for each in results[2]["errors"]] == ["/data/context/ip"]
    assert results[4] == results[0]
    assert [each["pointer"] for each in results[5]["errors"]] == ["/data/context/device"]
    assert (results[0]["code_id"], results[1]["code_id"] is None) == (None, False)
    assert len(await redis.keys("event:*")) == 3
    # As each alone would have been answered; and a batch that is sent again changes nothing.
    assert {"status": 202} | (await web.post("/v1/events", json=batch[1])).json() == results[1]
    again = await asyncio.gather(
        *(web.post("/v1/events/batch", content=json.dumps(batch), headers=BATCH) for _ in range(3))
    )
    assert {each.text for each in again} == {answer.text}


@pytest.mark.parametrize(
    ("body", "content_type", "status", "pointers"),
    [
        (b"{}", "application/cloudevents-batch+json", 422, [""]),
        (b"null", "application/json", 422, [""]),
        (b"", "application/json", 400, []),
        (b"[{}", "application/json", 400, []),
        (b"[]", "application/cloudevents+json", 415, []),
        (b"[]", "text/plain", 415, []),
        (b"[" + b"{}," * MOST_EVENTS + b"{}]", "application/json", 413, []),
        (b'["' + b"x" * 1024 * 1024 + b'"]', "application/json", 413, []),
        (b"[" * 18 + b"]" * 18, "application/json", 400, []),
    ],
)
async def test_what_is_no_batch_is_refused_whole(
    body: bytes, content_type: str, status: int, pointers: list[str], web: httpx.AsyncClient, redis: ArqRedis
) -> None:
    answer = await web.post("/v1/events/batch", content=body, headers={"content-type": content_type})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert [each["pointer"] for each in answer.json().get("errors", [])] == pointers
    assert await redis.dbsize() == 0


async def test_the_first_event_under_an_id_is_that_event_in_a_batch_too(
    web: httpx.AsyncClient, event: MakeEvent
) -> None:
    batch = []
    for number in range(20):
        first, other = event(id=f"e-{number}", device="A"), event(id=f"e-{number}", device="B")
        batch += [first | {"subject": f"acct-{number}"}, other | {"subject": f"another-{number}"}]
    answer = await web.post("/v1/events/batch", content=json.dumps(batch), headers=BATCH)
    assert [result["status"] for result in answer.json()["results"]] == [202, 409] * 20


def test_what_is_accepted_side_by_side_is_of_different_accounts_and_ids() -> None:
    def one(id: str, subject: object, source: str = "a") -> dict[str, object]:
        return {"id": id, "source": source, "subject": subject}

    batch = [
        *(one("1", "x"), one("2", "y"), one("1", "z", "b")),
        *(one("3", "x"), None, 7),
        *(None, one("4", ["x"])),
        *(one("4", "w"), one("5", "x")),
    ]
    assert [len(part) for part in side_by_side(batch)] == [3, 2, 1, 2, 2]
    assert [each for part in side_by_side(batch) for each in part] == batch
    assert max(len(part) for part in side_by_side([one(str(n), str(n)) for n in range(1_000)])) <= 32


async def test_a_batch_may_be_empty_and_full(web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis) -> None:
    empty = await web.post("/v1/events/batch", content=b"[]", headers=BATCH)
    assert (empty.status_code, empty.json()) == (200, {"results": []})
    batch = [event("account_reactivated", id=f"e-{number}", recipient={"phone": None}) for number in range(MOST_EVENTS)]
    for each in batch:
        each["data"]["context"] = {"occurred_at": "2026-03-09T14:05:00Z"}
    answer = await web.post("/v1/events/batch", content=json.dumps(batch), headers=BATCH)
    assert {result["status"] for result in answer.json()["results"]} == {202}
    assert len(await redis.keys("event:*")) == len({each["event_id"] for each in answer.json()["results"]}) == 1_000


async def test_a_batch_needs_a_key(web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis) -> None:
    del web.headers["authorization"]
    answer = await web.post("/v1/events/batch", content=json.dumps([event()]), headers=BATCH)
    assert answer.status_code == 401
    assert await redis.dbsize() == 0


@pytest.mark.parametrize(("kind", "status"), [(EVENT, 422), ("application/json", 202)])
async def test_only_a_cloudevent_needs_its_version(
    kind: str, status: int, web: httpx.AsyncClient, event: MakeEvent
) -> None:
    made = {name: value for name, value in event().items() if name != "specversion"}
    answer = await web.post("/v1/events", content=json.dumps(made), headers={"content-type": kind})
    assert answer.status_code == status
    assert [each["pointer"] for each in answer.json().get("errors", [])] == ["/specversion"] * (status == 422)
