"""The API as its callers see it: the whole application on the real store, over ASGI, with a producer's key; and served
by a process of its own, as `notifier serve` does it.
"""

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis as sync_redis
from arq.connections import ArqRedis

from notifier.app import create_app
from notifier.composition import Parts
from notifier.config import Settings
from notifier.records import Accepted
from notifier.sandbox.processes import start_child
from notifier.sandbox.valkey import EmbeddedValkey
from tests.conftest import SetClock
from tests.ports import HOST, reserved
from tests.service import API_KEY, environment

Post = Callable[..., Awaitable[httpx.Response]]
MakeEvent = Callable[..., dict[str, Any]]
BEARER = {"authorization": f"Bearer {API_KEY}"}
# Stands in what is refused, and may stand in no answer.
CANARY = "cAnArY31337"
# What a withdrawal's context has besides an alert's.
WITHDRAWAL = {
    "withdrawal_id": "w-1",
    "amount": "0.25",
    "asset": "BTC",
    "address": "bc1q",
    "network": "Bitcoin",
    "fee": "0.0001",
}


@pytest.fixture
async def web(settings: Settings, redis: ArqRedis, clock: SetClock) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(settings, redis, clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=BEARER) as web:
        yield web


@pytest.fixture
def event() -> MakeEvent:
    """The JSON of an event. Keyword arguments change its `data.context`, in `recipient` its recipient."""

    def make(
        type: str = "login_succeeded", id: str = "e-1", recipient: dict[str, Any] | None = None, **context: Any
    ) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": id,
            "source": "https://accounts.example",
            "type": f"account.{type}",
            "time": "2026-03-09T14:05:01Z",
            "subject": "acc-1",
            "data": {
                "recipient": {"email": "anna@example.com", "phone": "+355691234567", **(recipient or {})},
                "context": {
                    "occurred_at": "2026-03-09T14:05:00Z",
                    "ip": "192.0.2.7",
                    "device": "Firefox on Windows",
                    **context,
                },
            },
        }

    return make


async def refused(answer: httpx.Response, redis: ArqRedis) -> tuple[int, list[str]]:
    """The status of a problem, and the fields that it names. It repeats nothing, and nothing is stored."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert {"type", "title", "status", "detail"} <= document.keys()
    assert document["status"] == answer.status_code
    assert CANARY.lower() not in answer.text.lower()
    assert await redis.dbsize() == 0
    return answer.status_code, [each["pointer"] for each in document.get("errors", [])]


async def kept(answer: httpx.Response, redis: ArqRedis, settings: Settings) -> Accepted:
    """What a worker reads of an event that was answered 202."""
    assert answer.status_code == 202, answer.text
    id, parts = answer.json()["event_id"], Parts(settings, redis)
    sealed = await parts.outbox.payload(id)
    assert sealed
    return Accepted.open(parts.sealer, id, sealed)


@dataclass(frozen=True)
class Served:
    """The API of a process of its own, and its store."""

    port: int
    store: sync_redis.Redis
    log: Path

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("served")
    with (
        reserved() as port,
        EmbeddedValkey(directory / "store") as valkey,
        (directory / "log").open("wb") as log,
    ):
        url = f"http://{HOST}:{port}"
        env = environment(NOTIFIER_REDIS_URL=valkey.url, NOTIFIER_PUBLIC_URL=url)
        command = [sys.executable, "-m", "notifier", "serve", "--port", str(port)]
        process = start_child(command, output=log, env=env)
        try:
            ends = time.monotonic() + 30
            while not _ready(url):
                assert time.monotonic() < ends
                assert process.poll() is None
                time.sleep(0.1)
            with sync_redis.Redis.from_url(valkey.url) as store:
                yield Served(port, store, directory / "log")
            assert process.poll() is None
        finally:
            process.kill()
            process.wait()


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").is_success
    except httpx.TransportError:
        return False
