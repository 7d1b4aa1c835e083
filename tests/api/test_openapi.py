"""The OpenAPI document is complete, and true: what it says of every path is what the service does."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from arq.connections import ArqRedis
from fastapi.routing import iter_route_contexts

from notifier.api import openapi
from notifier.api.schemas import event_schema
from notifier.app import create_app
from notifier.config import Settings
from notifier.notices import NOTICES
from notifier.setting_types import SCOPES
from tests.conftest import SetClock

# Pages, and what describes the API itself.
NOT_DESCRIBED = {"/l/{token}", "/openapi.json", "/docs", "/docs/{name}", "/problems", "/problems/{name}"}


@pytest.fixture
def document(settings: Settings, redis: ArqRedis, clock: SetClock) -> Any:
    return openapi.document(create_app(settings, redis, clock), settings.public_url, Event=event_schema())


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


async def test_it_is_served_to_everybody(web: httpx.AsyncClient, document: Any) -> None:
    del web.headers["authorization"]
    answer = await web.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == document
    assert document["openapi"].startswith("3.1")


def test_every_path_is_described(settings: Settings, redis: ArqRedis, document: Any) -> None:
    routes = list(iter_route_contexts(create_app(settings, redis).routes))
    served = {(route.path_format or "", method.lower()) for route in routes for method in route.methods or ()}
    described = {(path, method) for path, method, _ in operations(document)}
    assert {path for path, method in served - described if method != "head"} == NOT_DESCRIBED
    assert described <= served


def test_every_operation_says_what_it_takes_gives_and_refuses(document: Any) -> None:
    named = set()
    for path, method, operation in operations(document):
        named.add(operation["operationId"])
        assert operation["summary"], path
        assert operation["description"], path
        (tag,) = operation["tags"]
        assert tag in {each["name"] for each in document["tags"]}
        answers = operation["responses"]
        assert any(status.startswith("2") for status in answers), path
        assert {"400", "431", "500"} <= answers.keys(), path
        if "requestBody" in operation:
            assert {"408", "413", "415", "422"} <= answers.keys(), path
            for content in operation["requestBody"]["content"].values():
                assert content["schema"], path
        for needs in operation["security"]:
            for scheme, scopes in needs.items():
                assert scheme in document["components"]["securitySchemes"]
                assert set(scopes) <= SCOPES
        if method == "post" and "key" in str(operation["security"]) and tag not in ("Events", "Receipts"):
            assert openapi.IDEMPOTENCY_KEY in operation["parameters"], path
    assert len(named) == len(list(operations(document)))


def test_every_reference_leads_somewhere_and_every_schema_is_one(document: Any) -> None:
    for reference in re.findall(r"'\$ref': '([^']+)'", str(document)):
        target = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)
    assert "HTTPValidationError" not in str(document)
    assert "$defs" not in str(document)


def test_every_example_fits_its_schema(document: Any) -> None:
    seen = 0
    for path, _, operation in operations(document):
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            examples = [each["value"] for each in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            # No tool that tries examples out can write a mail.
            assert examples or media == "message/rfc822", (path, media)
            schema = {**content["schema"], "components": document["components"]}
            for example in examples:
                jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(example)
                seen += 1
    assert seen > 2 * len(NOTICES)


def test_every_answer_and_the_webhook_have_an_example_that_fits(document: Any) -> None:
    webhook = document["webhooks"]["action-confirmed"]["post"]
    described = [*((path, operation) for path, _, operation in operations(document)), ("webhook", webhook)]
    for path, operation in described:
        contents = [answer.get("content", {}) for answer in operation["responses"].values()]
        contents += [operation["requestBody"]["content"]] if operation is webhook else []
        for media, content in ((media, shown) for each in contents for media, shown in each.items()):
            assert media in ("text/plain", "text/event-stream") or "json" in media, path
            schema = {**content["schema"], "components": document["components"]}
            jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(content["example"])


def test_every_parameter_is_explained(document: Any) -> None:
    for path, _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (path, parameter["name"])


def test_what_is_posted_to_the_platform_is_described(document: Any) -> None:
    webhook = document["webhooks"]["action-confirmed"]["post"]
    schema = {**webhook["requestBody"]["content"]["application/json"]["schema"], "components": document["components"]}
    forwarded: dict[str, Any] = {
        "type": "account.deactivation_confirmed",
        "timestamp": "2026-03-09T14:07:12.345Z",
        "data": {
            "account_id": "acct-1001",
            "event_id": "a" * 26,
            "notice": "login_succeeded",
            "reference": None,
            "clicked_at": "2026-03-09T14:07:12.345Z",
            "ip": "203.0.113.9",
            "user_agent": "",
            "locale": "sq",
        },
    }
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    assert validator.is_valid(forwarded)
    assert not validator.is_valid(forwarded | {"type": "account.something"})
    assert not validator.is_valid(forwarded | {"timestamp": "yesterday"})
    for name in forwarded["data"]:
        data = {other: value for other, value in forwarded["data"].items() if other != name}
        assert not validator.is_valid(forwarded | {"data": data}), name


async def test_a_key_without_the_scope_that_is_told_may_not(
    settings: Settings, redis: ArqRedis, clock: SetClock, document: Any
) -> None:
    (key,) = settings.api_keys
    headers = {"authorization": "Bearer test-key"}
    for path, method, operation in operations(document):
        scopes = [scope for needs in operation["security"] for scope in needs.get("key", ())]
        if not scopes:
            continue
        lesser = settings.model_copy(update={"api_keys": (key._replace(scopes=SCOPES - set(scopes)),)})
        transport = httpx.ASGITransport(create_app(lesser, redis, clock))
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as web:
            url = re.sub(r"\{\w+\}", "x", path)
            assert (await web.request(method, url, headers=headers)).status_code == 403, path
            assert (await web.request(method, url)).status_code == 401, path
