"""`POST /v1/notifications/{id}/cancel` and `/resend`."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from notifier.clock import rfc3339
from notifier.composition import Parts
from notifier.config import Settings
from notifier.notices import Lane
from tests.api.conftest import WITHDRAWAL, MakeEvent
from tests.conftest import SetClock

DAY = 86_400_000


@pytest.fixture
def parts(settings: Settings, redis: ArqRedis, clock: SetClock) -> Parts:
    return Parts(settings, redis, clock)


async def posted(web: httpx.AsyncClient, event: dict[str, Any], send_at: int | None = None) -> list[str]:
    if send_at is not None:
        event["data"]["send_at"] = rfc3339(send_at)
    answer = await web.post("/v1/events", json=event)
    assert answer.status_code == 202, answer.text
    return [made["id"] for made in answer.json()["notifications"]]


async def cancelled(web: httpx.AsyncClient, id: str) -> tuple[int, str]:
    answer = await web.post(f"/v1/notifications/{id}/cancel")
    if answer.status_code == 200:
        assert answer.json() == {"id": id, "status": "cancelled"}
    return answer.status_code, answer.json().get("detail", "")


async def test_what_is_scheduled_is_cancelled_and_again_the_same(
    web: httpx.AsyncClient, event: MakeEvent, clock: SetClock, parts: Parts
) -> None:
    first, second = await posted(web, event(), clock.now + DAY)
    assert await asyncio.gather(*(cancelled(web, first) for _ in range(20))) == [(200, "")] * 20
    shown = (await web.get(f"/v1/notifications/{first}")).json()
    assert shown["status"] == "cancelled"
    assert [entry["what"] for entry in shown["timeline"]] == ["accepted", "scheduled", "cancelled"]
    queues = (await web.get("/v1/queues")).json()
    assert queues["counts"] == {"accepted": 2, "cancelled": 1}
    assert queues["waiting"]["alert"] == {"count": 1, "overdue_ms": 0}
    clock.forward(days=1)
    assert [one.id for _, one in await parts.outbox.claim(Lane.ALERT, clock(), 10)] == [second]


async def test_what_is_on_its_way_or_was_sent_is_not_and_is_told_how_it_stands(
    web: httpx.AsyncClient, event: MakeEvent, clock: SetClock, parts: Parts
) -> None:
    (id,) = await posted(web, event(recipient={"phone": None}))
    ((taken, _),) = await parts.outbox.claim(Lane.ALERT, clock(), 10)
    status, detail = await cancelled(web, id)
    assert (status, "is being sent" in detail) == (409, True)
    await parts.outbox.retry(taken, Lane.ALERT, clock(), clock(), doubtful=True)
    status, detail = await cancelled(web, id)
    assert (status, "may have been sent" in detail) == (409, True)
    ((taken, _),) = await parts.outbox.claim(Lane.ALERT, clock(), 10)
    await parts.outbox.settle(taken, Lane.ALERT, "sent", clock())
    await parts.archive.report(id, "delivered", clock())
    status, detail = await cancelled(web, id)
    assert (status, "it is delivered" in detail) == (409, True)


async def test_what_supersedes_does_not_once_all_of_it_is_cancelled(
    web: httpx.AsyncClient, event: MakeEvent, clock: SetClock, parts: Parts, redis: ArqRedis
) -> None:
    withdrawal = event("withdrawal_confirmation", id="now", **WITHDRAWAL)
    await posted(web, withdrawal)
    later = await posted(web, event("withdrawal_confirmation", id="later", **WITHDRAWAL), clock.now + 60_000)
    accepted = await parts.archive.find(later[0])
    assert accepted
    (newest,) = await redis.keys("link:newest:*")
    for waiting, id in ((1, later[0]), (0, later[1])):
        assert await cancelled(web, id) == (200, "")
        assert len(await redis.zrangebyscore(newest, clock.now + 1, "+inf")) == waiting
    # Nor is what it would have said kept for longer than of an event of today.
    far = await posted(web, event("withdrawal_confirmation", id="far", **WITHDRAWAL), clock.now + 20 * DAY)
    found = await parts.archive.find(far[0])
    assert found
    week = timedelta(days=7).total_seconds() * 1000
    for id in far:
        assert await redis.pttl(f"event:{found.event}") > week
        assert await cancelled(web, id) == (200, "")
    assert 0 < await redis.pttl(f"event:{found.event}") <= week


async def test_a_dead_letter_is_sent_again_and_nothing_else(
    web: httpx.AsyncClient, event: MakeEvent, clock: SetClock, parts: Parts
) -> None:
    (id,) = await posted(web, event(recipient={"phone": None}))
    again = f"/v1/notifications/{id}/resend"
    assert (await web.post(again)).status_code == 409
    ((taken, _),) = await parts.outbox.claim(Lane.ALERT, clock(), 10)
    await parts.outbox.settle(taken, Lane.ALERT, "failed", clock(), reason="smtp_550")
    # Under one key once, though two ask.
    headers = {"idempotency-key": "one"}
    answers = [await web.post(again, headers=headers) for _ in range(2)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"id": id, "status": "accepted"})] * 2
    refused = await web.post(again)
    assert (refused.status_code, "it is accepted" in refused.json()["detail"]) == (409, True)
    assert (await web.get("/v1/dead-letters")).json()["dead_letters"] == []
    ((taken, _),) = await parts.outbox.claim(Lane.ALERT, clock(), 10)
    assert taken.id == id


@pytest.mark.parametrize("what", ["cancel", "resend"])
@pytest.mark.parametrize("id", ["a" * 26, "dead", "%00"])
async def test_what_is_not_there_is_not_found(web: httpx.AsyncClient, what: str, id: str) -> None:
    assert (await web.post(f"/v1/notifications/{id}/{what}")).status_code == 404
