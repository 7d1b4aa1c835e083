"""Health, and the headers that every answer has."""

import httpx
import pytest
from arq.connections import ArqRedis


async def test_it_is_alive_and_ready(web: httpx.AsyncClient) -> None:
    del web.headers["authorization"]
    assert (await web.get("/healthz")).json() == {"status": "ok"}
    ready = await web.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "problems": []})


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
