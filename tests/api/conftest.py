"""The API as its callers see it: the whole application on the real store, over ASGI, with a producer's key."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from notifier.app import create_app
from notifier.config import Settings
from tests.conftest import SetClock
from tests.service import API_KEY

Post = Callable[..., Awaitable[httpx.Response]]
MakeEvent = Callable[..., dict[str, Any]]
BEARER = {"authorization": f"Bearer {API_KEY}"}


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
