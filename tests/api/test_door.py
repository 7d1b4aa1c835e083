"""By which channels a message may leave: what is served, to which countries, and to one block of numbers how often."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis
from limits import parse

from notifier.app import create_app
from notifier.config import Settings
from tests.conftest import SetClock
from tests.people import Owner


@pytest.fixture
async def post(settings: Settings, redis: ArqRedis, clock: SetClock) -> AsyncIterator[Any]:
    """Post an event for this phone to a service with these settings."""
    clients: list[httpx.AsyncClient] = []

    async def post(phone: str, channels: list[str] | None = None, **changed: Any) -> httpx.Response:
        app = create_app(settings.model_copy(update=changed), redis, clock)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")
        clients.append(client)
        event = Owner(len(clients)).event("login_succeeded")
        event["data"]["recipient"]["phone"] = phone
        if channels:
            event["data"]["channels"] = channels
        return await client.post("/v1/events", json=event, headers={"authorization": "Bearer test-key"})

    yield post
    for client in clients:
        await client.aclose()


def sent(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 202, answer.text
    return [made["channel"] for made in answer.json()["notifications"]]


async def test_sms_goes_to_the_countries_named(post: Any) -> None:
    named = {"sms_countries": ("AL", "NO")}
    assert sent(await post("+355691234567", **named)) == ["email", "sms"]
    # A phone abroad costs the owner the SMS and not the alert; asked for by name it is refused.
    assert sent(await post("+46701234567", **named)) == ["email"]
    refused = await post("+46701234567", ["email", "sms"], **named)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/data/recipient/phone"
    assert "4670" not in refused.text


async def test_a_channel_that_is_not_set_up_is_named(post: Any) -> None:
    without = {"twilio_account_sid": None}
    assert sent(await post("+355691234567", **without)) == ["email"]
    refused = await post("+355691234567", ["sms"], **without)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/data/channels"


async def test_one_block_of_numbers_is_not_flooded(post: Any) -> None:
    few = {"limits": {"sms_block": parse("2/hour")}}
    for last in (1, 2):
        assert "sms" in sent(await post(f"+35569123000{last}", **few))
    refused = await post("+355691230003", **few)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 3_000
    assert "sms" in sent(await post("+355691330003", **few))
