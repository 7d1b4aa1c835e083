"""Every error is a problem document whose type is a page of the service's own; none repeats what was sent."""

import re
from collections.abc import Iterator

import httpx
import pytest
from arq.connections import ArqRedis

from notifier import errors
from notifier.api.edge import style_source
from notifier.api.problems import TABLE, Problem, Problems, kind
from tests.api.conftest import MakeEvent

CANARY = "cAnArY31337"
PUBLIC = "https://notify.example.com"


def kinds(base: type[errors.NotifierError] = errors.NotifierError) -> Iterator[type[errors.NotifierError]]:
    yield base
    for each in base.__subclasses__():
        yield from kinds(each)


def test_every_error_that_is_raised_has_a_row_of_its_own() -> None:
    assert set(kinds()) - set(TABLE) == {errors.Refused}
    assert len({row.name for row in TABLE.values()}) == len(TABLE)
    for error, row in TABLE.items():
        assert kind(error.__new__(error)) is row
        assert re.fullmatch("[a-z-]+", row.name)
        assert 400 <= row.status < 600
        assert row.title
        assert row.meaning.endswith(".")
        assert row.remedy.endswith(".")


def test_a_document_has_what_its_error_carries() -> None:
    problems = Problems(PUBLIC)
    assert problems.document(errors.NotFound("nothing here")) == {
        "type": f"{PUBLIC}/problems/not-found",
        "title": "There is nothing here",
        "status": 404,
        "detail": "nothing here",
    }
    assert problems.document(errors.TooMany("too many", 7))["retry_after"] == 7
    wrong = errors.Invalid([errors.FieldProblem("/a", "is needed"), errors.FieldProblem("", "must be an object")])
    document = problems.document(wrong)
    assert document["detail"] == "/a: is needed"
    assert document["errors"] == [
        {"pointer": "/a", "detail": "is needed"},
        {"pointer": "", "detail": "must be an object"},
    ]


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.name)
async def test_a_type_is_explained_where_it_points(row: Problem, web: httpx.AsyncClient) -> None:
    del web.headers["authorization"]
    page = await web.get(f"/problems/{row.name}")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = page.text.replace("&#39;", "'")
    for told in (row.title, row.meaning, row.remedy, str(row.status)):
        assert told in text
    assert "prefers-color-scheme: dark" in page.text
    policy = page.headers["content-security-policy"]
    assert style_source(page.text) in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page.text
    assert row.name in (await web.get("/problems")).text


@pytest.mark.parametrize("name", [CANARY, "..%2F..", "%00"])
async def test_another_name_is_none(name: str, web: httpx.AsyncClient) -> None:
    answer = await web.get(f"/problems/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", f"/v1/{CANARY}", 404, "not-found"),
        ("GET", f"/{CANARY}", 404, "not-found"),
        ("GET", "/v1/events/", 404, "not-found"),
        ("GET", "/v1/events", 405, "method-not-allowed"),
        ("PUT", "/v1/events", 405, "method-not-allowed"),
        ("POST", "/v1/schemas", 405, "method-not-allowed"),
        ("POST", "/v1/events", 415, "unsupported-media-type"),
        ("GET", f"/v1/dead-letters?limit={CANARY}", 422, "invalid"),
        ("GET", "/v1/dead-letters?limit=0", 422, "invalid"),
        ("GET", f"/v1/dead-letters?kind={CANARY}", 422, "invalid"),
        ("GET", f"/v1/dead-letters?cursor={CANARY * 9}", 422, "invalid"),
        ("GET", f"/v1/audit?account={CANARY * 20}", 422, "invalid"),
        ("GET", "/v1/audit", 422, "invalid"),
        ("POST", f"/v1/dead-letters/{CANARY}/replay", 404, "not-found"),
    ],
)
async def test_whatever_is_asked_amiss_is_answered_alike(
    method: str, path: str, status: int, name: str, web: httpx.AsyncClient, redis: ArqRedis
) -> None:
    answer = await web.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["status"], problem["type"]) == (status, f"{PUBLIC}/problems/{name}")
    assert CANARY not in answer.text
    assert await redis.dbsize() == 0
    if status == 405:
        assert answer.headers["allow"]
    if status == 415:
        assert answer.headers["accept-encoding"] == "identity"


async def test_a_callback_that_nobody_signed_is_told_what_is_looked_for(web: httpx.AsyncClient) -> None:
    del web.headers["authorization"]
    answer = await web.post("/v1/receipts/twilio?notification=abc", data={"MessageStatus": "sent"})
    assert (answer.status_code, answer.json()["type"]) == (403, f"{PUBLIC}/problems/forged-callback")
    assert "NOTIFIER_PUBLIC_URL" in (await web.get("/problems/forged-callback")).text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v1/accounts/acc-1%0A"),
        ("GET", "/v1/queues%0A"),
        ("GET", "/v1/accounts/acc%00-1/inbox"),
        ("GET", "/healthz%0A"),
        ("GET", "/metrics%0A"),
        ("GET", "/docs%0A"),
        ("GET", "/l/token%0A"),
        ("GET", "/%7Fhealthz"),
    ],
)
async def test_a_path_with_a_control_character_is_none(
    method: str, path: str, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    assert (await web.post("/v1/events", json=event())).status_code == 202
    before = await redis.dbsize()
    answer = await web.request(method, path)
    kind = "text/html; charset=utf-8" if path.startswith("/l/") else "application/problem+json"
    assert (answer.status_code, answer.headers["content-type"]) == (404, kind)
    assert await redis.dbsize() == before


async def test_a_query_parameter_is_named(web: httpx.AsyncClient) -> None:
    answer = await web.get("/v1/dead-letters?limit=0&kind=x")
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/kind", "/limit"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/dead-letters?limit=x", "must be a whole number"),
        ("/v1/accounts/acc-1/inbox?unread=x", "must be true or false"),
    ],
)
async def test_what_a_parameter_must_be_is_told_in_words_of_ours(path: str, told: str, web: httpx.AsyncClient) -> None:
    assert [each["detail"] for each in (await web.get(path)).json()["errors"]] == [told]


async def test_a_body_that_is_packed_is_not_unpacked(web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis) -> None:
    for coding, status in (("gzip", 415), ("br", 415), (CANARY, 415), ("identity", 202)):
        answer = await web.post("/v1/events", json=event(), headers={"content-encoding": coding})
        assert answer.status_code == status
        assert CANARY not in answer.text
        assert (await redis.dbsize() == 0) == (status == 415)


async def test_headers_have_at_most_eight_kibibytes(web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis) -> None:
    answer = await web.post("/v1/events", json=event(), headers={"x-much": "x" * 8_192})
    assert (answer.status_code, answer.json()["type"]) == (431, f"{PUBLIC}/problems/headers-too-large")
    assert answer.headers["content-security-policy"]
    assert await redis.dbsize() == 0
    assert (await web.post("/v1/events", json=event(), headers={"x-much": "x" * 7_500})).status_code == 202


@pytest.mark.parametrize(
    ("path", "accept", "page"),
    [
        ("/", "text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("/", "*/*", False),
        ("/v1/nowhere", "text/html", False),
        ("/l/" + "x" * 9_000, "*/*", True),
    ],
)
async def test_people_get_a_page_in_their_language(path: str, accept: str, page: bool, web: httpx.AsyncClient) -> None:
    answer = await web.get(path, headers={"accept": accept, "accept-language": "sv"})
    assert answer.status_code in (401, 404)
    assert answer.headers["content-type"].startswith("text/html") is page
    assert ('lang="sv"' in answer.text) is page


async def test_an_error_under_a_link_is_told_in_the_language_that_was_switched_to(web: httpx.AsyncClient) -> None:
    answer = await web.put("/l/x?lang=de", headers={"accept-language": "sv"})
    assert answer.status_code == 405
    assert 'lang="de"' in answer.text
