"""Requests as bytes on a real connection to `notifier serve`: what is no HTTP, lies, is too much or too slow."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from tests.api.conftest import MakeEvent, Served
from tests.ports import HOST
from tests.service import API_KEY

CANARY = "cAnArY31337"
AUTHORIZATION = f"Authorization: Bearer {API_KEY}"
JSON = "Content-Type: application/json"
# As long as a request may take to come, and what a busy machine adds to it.
PATIENCE_S, LATE_S = 10, 5


def post(body: bytes, *headers: str, path: str = "/v1/events", length: int | None = None) -> bytes:
    """A request; `length` is what it says that its body has."""
    lines = (f"POST {path} HTTP/1.1", "Host: api", AUTHORIZATION, JSON, *headers)
    told = f"Content-Length: {len(body) if length is None else length}"
    return "\r\n".join((*lines, told, "", "")).encode("latin-1") + body


def raw(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


class Answer:
    """The first answer of what was said on a connection; its status is 0 where nothing was."""

    def __init__(self, said: bytes) -> None:
        head, _, self.body = said.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split()[1]) if first else 0
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def complete(self) -> bool:
        return len(self.body) >= int(self.headers.get("content-length", 1_000_000))

    def problem(self) -> Any:
        assert self.headers["content-type"] == "application/problem+json"
        assert self.headers["x-content-type-options"] == "nosniff"
        assert self.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in self.headers["content-security-policy"]
        assert CANARY.encode() not in self.body
        return json.loads(self.body[: int(self.headers["content-length"])])


async def ask(served: Served, *parts: bytes, pause: float = 0) -> Answer:
    """What is answered to these parts, sent one after another until there is an answer."""
    reader, writer = await asyncio.open_connection(HOST, served.port)
    answered = asyncio.create_task(_read(reader))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.wait([answered], timeout=pause)
            if answered.done():
                break
        async with asyncio.timeout(PATIENCE_S + LATE_S):
            return await answered
    except ConnectionError:
        return await answered
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Answer:
    said = b""
    try:
        while not Answer(said).complete and (chunk := await reader.read(65_536)):
            said += chunk
    except ConnectionError:
        pass
    return Answer(said)


@pytest.fixture(autouse=True)
async def nothing_stored(served: Served) -> AsyncIterator[None]:
    before = served.store.dbsize()
    yield
    assert served.store.dbsize() == before == 0
    log = served.log.read_text()
    assert CANARY not in log
    assert "Traceback" not in log
    assert '"unhandled"' not in log


CHUNKED = ("POST /v1/events HTTP/1.1", "Host: api", AUTHORIZATION, JSON, "Transfer-Encoding: chunked")
REFUSED = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    "another protocol": (raw("HELO mail.example"), 400),
    "an unknown method": (raw(f"{CANARY} /v1/events HTTP/1.1", "Host: api"), 400),
    "HTTP/9": (raw("GET /healthz HTTP/9.9", "Host: api"), 400),
    "a header without a colon": (raw("GET /healthz HTTP/1.1", "Host: api", CANARY), 400),
    "NUL in a header": (raw("GET /healthz HTTP/1.1", "Host: api", f"X: a\0{CANARY}"), 400),
    "a folded header": (raw("GET /healthz HTTP/1.1", "Host: api", "X: a", f" {CANARY}"), 400),
    "a length that is no number": (raw(*CHUNKED[:-1], f"Content-Length: {CANARY}"), 400),
    "a negative length": (raw(*CHUNKED[:-1], "Content-Length: -1"), 400),
    "an endless length": (raw(*CHUNKED[:-1], "Content-Length: " + "9" * 30), 400),
    "two lengths": (raw(*CHUNKED[:-1], "Content-Length: 2", "Content-Length: 3", body=b"{}"), 400),
    "length and chunks": (raw(*CHUNKED, "Content-Length: 2", body=b"2\r\n{}\r\n0\r\n\r\n"), 400),
    "no length": (raw(*CHUNKED[:-1], body=b"{}"), 400),
    "a length that is too short": (post(b'{"id": "' + CANARY.encode() + b'"}', length=8), 400),
    "a chunk that is none": (raw(*CHUNKED, body=b"zz\r\n{}\r\n"), 400),
    "a length over the limit": (post(b"{}", length=50_000_000), 413),
    "a body over the limit": (post(b" " * 70_000), 413),
    "a batch over the limit": (post(b" " * 1_100_000, path="/v1/events/batch"), 413),
    "gzip": (post(b"\x1f\x8b\x08\x00", "Content-Encoding: gzip"), 415),
    "two codings": (post(b"{}", "Content-Encoding: identity", "Content-Encoding: gzip"), 400),
    "a token twice": (post(b"{}", AUTHORIZATION), 400),
    "another token": (post(b"{}", f"Authorization: Bearer {CANARY}"), 400),
    "two types": (post(b"{}", "Content-Type: text/plain"), 400),
    "many headers": (post(b"{}", *(f"X-{n}: {CANARY * 10}" for n in range(80))), 431),
    "one long header": (post(b"{}", f"X: {CANARY * 800}"), 431),
    "a head without an end": (b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000, 431),
    "a method that is not served": (raw("TRACE /v1/events HTTP/1.1", "Host: api"), 405),
    "a path that is no UTF-8": (raw("GET /v1/%ff%fe HTTP/1.1", "Host: api"), 404),
    "a path that goes up": (raw("GET /v1/../../etc/passwd HTTP/1.1", "Host: api"), 404),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_it_is_refused_with_a_problem(what: str, served: Served) -> None:
    request, status = REFUSED[what]
    answer = await ask(served, request)
    assert answer.status == status, answer.body
    problem = answer.problem()
    assert problem["status"] == status
    assert problem["type"].startswith(f"{served.url}/problems/")


@pytest.mark.parametrize("size", [70_000, 1_400_000])
async def test_a_body_that_was_refused_leaves_its_connection_to_the_next_request(size: int, served: Served) -> None:
    reader, writer = await asyncio.open_connection(HOST, served.port)
    large, small = post(b" " * size), post(b"{}")
    writer.write(large[:1_000])
    assert (await _read(reader)).status == 413
    # The rest comes when the answer is there; in its last packet the next request begins.
    writer.write(large[1_000:] + small[:20])
    await asyncio.sleep(0.1)
    writer.write(small[20:])
    answer = await _read(reader)
    writer.close()
    assert answer.status == 422, answer.body


async def test_fifty_megabytes_in_chunks_are_refused(served: Served) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    answer = await ask(served, raw(*CHUNKED), *([chunk] * 800))
    assert answer.status in (413, 0)  # the connection may be gone before the answer is read
    assert (await ask(served, raw("GET /healthz HTTP/1.1", "Host: api"))).status == 200


async def test_what_comes_slowly_is_given_up(served: Served, event: MakeEvent) -> None:
    body = json.dumps(event()).encode()
    head = post(b"", length=len(body))
    drop = b"X-Slow: "

    slow = {
        "no body": ask(served, head),
        "half a body": ask(served, head + body[:20]),
        "a body by the byte": ask(served, head, *(body[n : n + 1] for n in range(60)), pause=0.25),
        "a longer length": ask(served, post(body, length=len(body) + 1)),
        "a chunk that does not end": ask(served, raw(*CHUNKED, body=b"ff\r\n{")),
        "half a head": ask(served, head[:40]),
        "a head by the byte": ask(served, head[:40], *(drop[n % 8 : n % 8 + 1] for n in range(60)), pause=0.25),
        "a batch": ask(served, post(b"[", path="/v1/events/batch", length=100)),
        "half a head after a whole request": _half_after_a_whole(served),
    }
    *answers, (silent, _) = await asyncio.gather(*map(_timed, slow.values()), _timed(ask(served)))
    assert silent.status == 0
    for what, (answer, seconds) in zip(slow, answers, strict=True):
        assert answer.status == 408, what
        assert answer.problem()["type"] == f"{served.url}/problems/too-slow", what
        assert answer.headers["connection"] == "close", what
        assert PATIENCE_S - 1 < seconds < PATIENCE_S + LATE_S, what


async def _timed(asked: Awaitable[Answer]) -> tuple[Answer, float]:
    began = time.monotonic()
    return await asked, time.monotonic() - began


async def _half_after_a_whole(served: Served) -> Answer:
    reader, writer = await asyncio.open_connection(HOST, served.port)
    whole = raw("GET /healthz HTTP/1.1", "Host: api")
    for _ in range(2):
        writer.write(whole)
        assert Answer(await reader.readuntil(b"}")).status == 200
    writer.write(whole[:20])
    try:
        return await _read(reader)
    finally:
        writer.close()


async def test_an_owner_with_many_cookies_gets_their_page(served: Served) -> None:
    cookies = [f"Cookie: a{n}={'x' * 1_000}" for n in range(20)]
    answer = await ask(served, raw("GET /l/dAAAA HTTP/1.1", "Host: api", *cookies))
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "request_",
    [
        raw("GET /healthz HTTP/1.0"),
        raw("GET http://api/healthz HTTP/1.1", "Host: api"),
        raw("GET /healthz HTTP/1.1", "Host: api", "Upgrade: websocket", "Connection: Upgrade"),
        raw("GET /healthz HTTP/1.1", "Host: api", f"X: {'x' * 7_900}"),
    ],
)
async def test_what_is_odd_and_right_is_answered(request_: bytes, served: Served) -> None:
    assert (await ask(served, request_)).status == 200


async def test_a_request_in_small_pieces_is_one(served: Served) -> None:
    request = post(b"{}", "Expect: 100-continue")
    pieces = [request[n : n + 7] for n in range(0, len(request), 7)]
    assert (await ask(served, *pieces, pause=0.01)).status == 422
