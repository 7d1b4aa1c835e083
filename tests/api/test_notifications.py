"""`GET /v1/notifications/{id}`: what has happened, without an address, code or link."""

import httpx
import pytest
from arq.connections import ArqRedis

from notifier.archive import Archive
from notifier.clock import rfc3339
from tests.api.conftest import MakeEvent
from tests.conftest import SetClock


async def test_it_tells_what_has_happened_and_nothing_personal(
    web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    posted = (await web.post("/v1/events", json=event("password_reset"))).json()
    first, second = posted["notifications"]
    await Archive(redis).note(first["id"], clock.now + 5, "clicked", purpose="deactivate")
    shown = await web.get(f"/v1/notifications/{first['id']}")
    assert shown.status_code == 200
    assert shown.json() == {
        "id": first["id"],
        "event_id": posted["event_id"],
        "notice": "password_reset",
        "channel": "email",
        "locale": "en",
        "locale_reason": "default",
        "status": "accepted",
        "accepted_at": rfc3339(clock.now),
        "send_at": None,
        "deadline": rfc3339(clock.now + 30 * 60_000),
        "attempts": 0,
        "timeline": [
            {"at": rfc3339(clock.now), "what": "accepted"},
            {"at": rfc3339(clock.now + 5), "what": "clicked", "purpose": "deactivate"},
        ],
    }
    other = await web.get(f"/v1/notifications/{second['id']}")
    assert (other.json()["channel"], len(other.json()["timeline"])) == ("sms", 1)


async def test_what_names_another_key_of_the_store_is_no_notification(
    web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    for made in (await web.post("/v1/events", json=event())).json()["notifications"]:
        await Archive(redis).note(made["id"], clock.now, "clicked")
        other = f"{made['id']}:timeline"
        assert await redis.exists(f"ntf:{other}")
        assert (await web.get(f"/v1/notifications/{other}")).status_code == 404
        # Longer than any such id may be, or not.
        assert (await web.get("/v1/audit", params={"notification": other})).status_code in (404, 422)


@pytest.mark.parametrize("id", ["a" * 26, "qq", "%00", "..%2F..", "%F0%9F%94%91", "a" * 5_000])
async def test_an_unknown_id_is_not_found_and_not_repeated(id: str, web: httpx.AsyncClient) -> None:
    answer = await web.get(f"/v1/notifications/{id}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert id not in answer.text


async def test_it_needs_a_key(web: httpx.AsyncClient) -> None:
    del web.headers["authorization"]
    assert (await web.get("/v1/notifications/" + "a" * 26)).status_code == 401
