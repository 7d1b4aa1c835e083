"""`GET /v1/notifications/{id}`: what has happened, without an address, code or link."""

import httpx
import pytest
from arq.connections import ArqRedis

from notifier.clock import rfc3339
from notifier.outbox import Outbox
from tests.api.conftest import MakeEvent
from tests.conftest import SetClock


async def test_it_tells_what_has_happened_and_nothing_personal(
    web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    posted = (await web.post("/v1/events", json=event("password_reset"))).json()
    first, second = posted["notifications"]
    await Outbox(redis).note(first["id"], clock.now + 5, "clicked", purpose="deactivate")
    shown = await web.get(f"/v1/notifications/{first['id']}")
    assert shown.status_code == 200
    assert shown.json() == {
        "id": first["id"],
        "event_id": posted["event_id"],
        "notice": "password_reset",
        "channel": "email",
        "locale": "en",
        "status": "accepted",
        "accepted_at": rfc3339(clock.now),
        "deadline": rfc3339(clock.now + 30 * 60_000),
        "attempts": 0,
        "timeline": [
            {"at": rfc3339(clock.now), "what": "accepted"},
            {"at": rfc3339(clock.now + 5), "what": "clicked", "purpose": "deactivate"},
        ],
    }
    other = await web.get(f"/v1/notifications/{second['id']}")
    assert (other.json()["channel"], len(other.json()["timeline"])) == ("sms", 1)
    # An id that names another key of the store is no notification's.
    assert (await web.get(f"/v1/notifications/{first['id']}:timeline")).status_code == 404


@pytest.mark.parametrize("id", ["a" * 26, "x", "%00", "..%2F..", "%F0%9F%94%91", "a" * 5_000])
async def test_an_unknown_id_is_not_found_and_not_repeated(id: str, web: httpx.AsyncClient) -> None:
    answer = await web.get(f"/v1/notifications/{id}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert id not in answer.text


async def test_it_needs_a_key(web: httpx.AsyncClient) -> None:
    del web.headers["authorization"]
    assert (await web.get("/v1/notifications/" + "a" * 26)).status_code == 401
