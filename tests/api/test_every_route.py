"""Every path of the OpenAPI document that takes JSON, on the running service: bad JSON, and a canary in each field; the
answer is a problem that repeats nothing, nothing is stored and nothing logged.
"""

import copy
import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.conftest import BEARER, CANARY, Served

TEXT = json.dumps({"device": CANARY})
BODIES: dict[str, tuple[bytes, set[int]]] = {
    "NaN": (b'{"a": NaN}', {400}),
    "Infinity": (b'{"a": -Infinity}', {400}),
    "1e400": (b'{"a": 1e400}', {400}),
    "half of a surrogate pair": (b'{"account": "\\ud800", "id": "\\ud800"}', {422}),
    "100,000 levels": (b"[" * 30_000, {400}),
    "an integer of 5,000 digits": (b'{"a": ' + b"9" * 5_000 + b"}", {400}),
    "a name twice": (f'{{"{CANARY}": 1, "{CANARY}": 2}}'.encode(), {400}),
    "a byte order mark": (b"\xef\xbb\xbf" + TEXT.encode(), {400}),
    "UTF-16": (TEXT.encode("utf-16"), {400}),
    "Latin-1": (b'{"a": "\xe9"}', {400}),
    "nothing": (b"", {400}),
    "null": (b"null", {422}),
    "an array": (b"[1]", {422}),
    "a string": (f'"{CANARY}"'.encode(), {422}),
    "a number": (b"7", {422}),
    "half an object": (TEXT[:-1].encode(), {400}),
    "two objects": (TEXT.encode() * 2, {400}),
    "a comment": (b"{} // " + CANARY.encode(), {400}),
    "a packed bomb": (gzip.compress(b" " * 10_000_000), {400}),
    "another type": (TEXT.encode(), {415}),
    "no type": (TEXT.encode(), {415}),
}
TYPES = {"another type": "text/html", "no type": ""}


@pytest.fixture(scope="module")
def web(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, headers=BEARER, timeout=30) as web:
        yield web


@pytest.fixture(scope="module")
def examples(web: httpx.Client) -> list[tuple[str, str, Any]]:
    """Each path that takes JSON, its media type, and a body that would be right."""
    taken = []
    for path, methods in web.get("/openapi.json").json()["paths"].items():
        for operation in methods.values():
            for media, content in operation.get("requestBody", {}).get("content", {}).items():
                shown = [each["value"] for each in content.get("examples", {}).values()]
                example = content.get("example", shown[0] if shown else None)
                if "json" in media and example is not None:
                    # A batch of one: what is right beside it would be taken.
                    example = example[:1] if isinstance(example, list) else example
                    taken.append((path.replace("{", "").replace("}", ""), media, example))
    assert len(taken) > 5
    return taken


def stored(served: Served) -> dict[bytes, Any]:
    kept: dict[bytes, Any] = {key: served.store.dump(key) for key in served.store.scan_iter()}
    return {key: held for key, held in kept.items() if not key.startswith(b"limit")}


@pytest.fixture(autouse=True)
def nothing_stored_and_nothing_told(served: Served) -> Iterator[None]:
    before = stored(served)
    yield
    assert stored(served) == before
    log = served.log.read_text()
    for piece in (CANARY, "Traceback", '"unhandled"'):
        assert piece not in log


def problem(answer: httpx.Response) -> Any:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert CANARY.lower() not in answer.text.lower()
    document = answer.json()
    assert document["status"] == answer.status_code
    return document


@pytest.mark.parametrize("what", BODIES)
def test_bad_json(what: str, web: httpx.Client, examples: list[tuple[str, str, Any]]) -> None:
    body, statuses = BODIES[what]
    for path, media, _ in examples:
        headers = {"content-type": TYPES.get(what, media)}
        answer = web.post(path, content=body, headers={name: value for name, value in headers.items() if value})
        if answer.status_code == 200:
            if (path, what) == ("/v1/accounts/account/inbox/read", "nothing"):
                continue  # all of an inbox that is empty
            # A batch is answered event by event; what is no event is refused there.
            assert (path, what) == ("/v1/events/batch", "an array")
            assert answer.json()["results"][0]["status"] == 422
            continue
        # No body at all says as much as {} where all is optional; then there is nothing under this id.
        optional = {404} if path.endswith("/resend") or "receipts" in path else set()
        assert problem(answer)["status"] in statuses | optional, (path, answer.text)


def leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of everything in a body."""
    if at:
        yield at
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from leaves(inner, (*at, step))


@pytest.mark.parametrize("wrong", [{"x": CANARY}, [CANARY], f"{CANARY}\n\0{{{{7*7}}}}" + "x" * 1_025, 10**30])
def test_what_is_wrong_is_named_by_its_place_and_not_repeated(
    wrong: Any, web: httpx.Client, examples: list[tuple[str, str, Any]]
) -> None:
    seen = 0
    for path, media, example in examples:
        for *way, last in leaves(example):
            body = copy.deepcopy(example)
            target = body
            for step in way:
                target = target[step]
            if not isinstance(target, dict):
                continue
            target[last] = wrong
            answer = web.post(path, json=body, headers={"content-type": media})
            if path == "/v1/events/batch":
                assert CANARY not in answer.text
                (document,) = answer.json()["results"]
            elif answer.status_code == 404:
                continue  # an example's id
            else:
                document = problem(answer)
            assert document["status"] == 422, (path, way, last, document)
            places = [each["pointer"] for each in document["errors"]]
            inside = way[1:] if path == "/v1/events/batch" else way
            place = "".join(f"/{step}" for step in (*inside, last))
            assert any(pointer.startswith(place) or place.startswith(pointer) for pointer in places), (place, places)
            seen += 1
    assert seen > 40
