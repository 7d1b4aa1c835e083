"""`/v1/schemas`: each notice's schema is one, describes what the service takes, and has an example that it takes."""

from typing import Any

import httpx
import jsonschema_rs
import pytest
from arq.connections import ArqRedis

from notifier import examples
from notifier.notices import NOTICES
from tests.api.conftest import MakeEvent

URL = "https://notify.example.com/v1/schemas/"
CANARY = "cAnArY31337"


async def schema(web: httpx.AsyncClient, notice: str) -> Any:
    answer = await web.get(f"/v1/schemas/{notice}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
    return answer.json()


def test_every_notice_has_an_example_and_no_other() -> None:
    assert examples.EXAMPLES.keys() == NOTICES.keys()


@pytest.mark.parametrize("notice", NOTICES)
async def test_a_schema_is_one_and_its_example_is_taken(notice: str, web: httpx.AsyncClient, redis: ArqRedis) -> None:
    found = await schema(web, notice)
    jsonschema_rs.meta.validate(found)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["$id"] == URL + notice
    validator = jsonschema_rs.Draft202012Validator(found, validate_formats=True)
    for example in found["examples"]:
        validator.validate(example)
    posted = examples.event(notice) | {"dataschema": found["$id"]}
    assert posted["data"] in found["examples"]
    answer = await web.post("/v1/events", json=posted)
    assert answer.status_code == 202, answer.text
    assert bool(answer.json()["code_id"]) == (NOTICES[notice].code is not None)


@pytest.mark.parametrize(
    ("notice", "place", "value"),
    [
        ("login_succeeded", "context", {}),
        ("login_succeeded", "context.occurred_at", "yesterday"),
        ("login_succeeded", "context.ip", "192.0.2.256"),
        ("login_succeeded", "context.ip", 7),
        ("login_succeeded", "context.device", ""),
        ("login_succeeded", "context.device", "x" * 1025),
        ("login_succeeded", "context.unknown", "x"),
        ("login_succeeded", "recipient", {}),
        ("login_succeeded", "recipient", {"email": None}),
        ("login_succeeded", "recipient.email", "nobody"),
        ("login_succeeded", "recipient.phone", "0691234567"),
        ("login_succeeded", "recipient.locale", 7),
        ("login_succeeded", "channels", ["fax"]),
        ("login_succeeded", "reference", ""),
        ("withdrawal_confirmation", "context.amount", "1e3"),
        ("withdrawal_confirmation", "context.amount", 0.25),
        ("withdrawal_confirmation", "context.fee", "-0"),
        ("withdrawal_confirmation", "context.asset", "<b>"),
        ("withdrawal_confirmation", "context.address", "a b"),
        ("verification_code", "context.purpose", "Sign in"),
        ("account_deactivated", "context.device", "x"),
        ("two_factor_reset", "context.method", "pigeon"),
        ("email_changed", "context.old_email", "nobody"),
        ("login_method_linked", "context.provider", "github"),
        ("withdrawals_suspended", "context.reason", ""),
        ("withdrawals_suspended", "context.resumes_at", "2026-03-11"),
        ("document_review_result", "context.result", "perhaps"),
        *(
            ("unusual_activity", "context.verify_url", url)
            for url in (
                "http://northbank.example/verify",
                "javascript:alert(1)",
                "https://northbank",
                "https://203.0.113.24/",
                "https://user@northbank.example/",
                "https://northbank.example\\@evil.example",
                "https://northbank.example/ verify",
                'https://northbank.example/"onmouseover="x',
                "https://nоrthbank.example/",
                "https://northbank.example/" + "x" * 1000,
            )
        ),
    ],
)
async def test_a_schema_refuses_what_the_service_refuses(
    notice: str, place: str, value: Any, web: httpx.AsyncClient
) -> None:
    posted = examples.event(notice)
    *steps, name = place.split(".")
    target = posted["data"]
    for step in steps:
        target = target[step]
    target[name] = value
    validator = jsonschema_rs.Draft202012Validator(await schema(web, notice), validate_formats=True)
    assert not validator.is_valid(posted["data"])
    assert (await web.post("/v1/events", json=posted)).status_code == 422


async def test_they_are_listed_and_open_to_everybody_and_may_be_kept(web: httpx.AsyncClient) -> None:
    del web.headers["authorization"]
    listed = (await web.get("/v1/schemas")).json()["schemas"]
    assert [each["notice"] for each in listed] == list(NOTICES)
    for each in listed:
        assert each["says"]
        first = await web.get(each["dataschema"].replace("https://notify.example.com", ""))
        assert first.status_code == 200
        assert first.headers["cache-control"] == "public, max-age=3600"
        again = await web.get(first.request.url, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("notice", [CANARY, "..%2Fevents", "%00"])
async def test_another_is_not_found(notice: str, web: httpx.AsyncClient) -> None:
    answer = await web.get(f"/v1/schemas/{notice}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert CANARY not in answer.text


@pytest.mark.parametrize("given", [URL + "password_reset", f"https://example.com/{CANARY}", "", URL])
async def test_an_event_names_its_own_schema_or_none(
    given: str, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    answer = await web.post("/v1/events", json=event() | {"dataschema": given})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"pointer": "/dataschema", "detail": f"must be {URL}login_succeeded, or not be there"}
    ]
    assert await redis.dbsize() == 0
    assert (await web.post("/v1/events", json=event() | {"dataschema": None})).status_code == 202
