"""Health, and the headers that every answer has."""

import httpx
import pytest
from arq.connections import ArqRedis

from notifier.bells import HEARD
from notifier.composition import Parts
from notifier.config import Settings
from notifier.notices import Lane
from tests.api.conftest import MakeEvent
from tests.conftest import SetClock


async def test_it_is_alive_and_ready(web: httpx.AsyncClient) -> None:
    del web.headers["authorization"]
    assert (await web.get("/healthz")).json() == {"status": "ok"}
    assert [(await web.head(path)).status_code for path in ("/healthz", "/readyz")] == [200, 200]
    ready = await web.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ok", "problems": [], "warnings": ["no worker is heard of: start one with `notifier worker`"]},
    )


async def test_what_somebody_should_look_at_is_a_warning(
    web: httpx.AsyncClient, redis: ArqRedis, settings: Settings, clock: SetClock, event: MakeEvent
) -> None:
    async def warnings() -> list[str]:
        answer = await web.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        told: list[str] = answer.json()["warnings"]
        return told

    await redis.set(HEARD, "")
    for type in ("login_succeeded", "password_reset"):
        await web.post("/v1/events", json=event(type, id=type))
    clock.forward(seconds=59)
    assert await warnings() == []
    clock.forward(seconds=6)
    assert await warnings() == ["the queue critical is overdue by 65 s"]
    clock.forward(minutes=10)
    outbox = Parts(settings, redis, clock).outbox
    for lane in Lane:
        for taken, _ in await outbox.claim(lane, clock(), 9):
            await outbox.settle(taken, lane, "failed", clock(), reason="smtp_550")
    assert await warnings() == ["4 were given up in the last hour: see `notifier dead-letters list`"]
    clock.forward(minutes=61)
    assert await warnings() == []


@pytest.mark.parametrize(
    ("setting", "wrong", "right"), [("maxmemory-policy", "allkeys-lru", "noeviction"), ("appendonly", "no", "yes")]
)
async def test_a_store_that_may_lose_records_is_not_ready(
    setting: str, wrong: str, right: str, web: httpx.AsyncClient, redis: ArqRedis
) -> None:
    await redis.config_set(setting, wrong)
    try:
        answer = await web.get("/readyz")
    finally:
        await redis.config_set(setting, right)
    assert answer.status_code == 503
    assert setting in answer.json()["problems"][0]


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/l/wrong", "/v1/events", "/v1/notifications/x"])
async def test_every_answer_may_be_neither_kept_framed_nor_told_on(path: str, web: httpx.AsyncClient) -> None:
    headers = (await web.get(path)).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"].startswith("max-age=")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
