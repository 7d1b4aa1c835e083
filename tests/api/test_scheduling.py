"""`send_at`: what is posted before its time."""

import httpx
import pytest
from arq.connections import ArqRedis

from notifier.clock import rfc3339
from tests.api.conftest import MakeEvent, refused
from tests.conftest import SetClock

DAY = 86_400_000


def scheduled(event: dict[str, object], at: int | str) -> dict[str, object]:
    """The event, to be sent then."""
    data = event["data"]
    assert isinstance(data, dict)
    return {**event, "data": {**data, "send_at": at if isinstance(at, str) else rfc3339(at)}}


async def test_it_is_scheduled_and_says_so(web: httpx.AsyncClient, event: MakeEvent, clock: SetClock) -> None:
    at = clock.now + 30 * DAY
    answer = await web.post("/v1/events", json=scheduled(event(), at))
    assert answer.status_code == 202
    made = answer.json()["notifications"]
    assert [each["status"] for each in made] == ["scheduled"] * 2
    shown = (await web.get(f"/v1/notifications/{made[0]['id']}")).json()
    assert (shown["status"], shown["send_at"], shown["accepted_at"]) == ("scheduled", rfc3339(at), rfc3339(clock.now))
    assert shown["deadline"] == rfc3339(at + 3 * DAY)
    assert shown["timeline"] == [
        {"at": rfc3339(clock.now), "what": "accepted"},
        {"at": rfc3339(clock.now), "what": "scheduled", "send_at": rfc3339(at)},
    ]
    # The same answer, however late the same event comes again.
    clock.forward(days=31)
    assert (await web.post("/v1/events", json=scheduled(event(), at))).json() == answer.json()
    assert (await web.get(f"/v1/notifications/{made[0]['id']}")).json()["status"] == "accepted"


async def test_another_time_is_another_event(web: httpx.AsyncClient, event: MakeEvent, clock: SetClock) -> None:
    await web.post("/v1/events", json=scheduled(event(), clock.now + DAY))
    for other in (event(), scheduled(event(), clock.now + DAY + 1)):
        answer = await web.post("/v1/events", json=other)
        assert answer.status_code == 409
        assert [each["pointer"] for each in answer.json()["errors"]] == ["/data/send_at"]


@pytest.mark.parametrize("ago", [1, 400 * DAY])
async def test_a_past_time_is_at_once(web: httpx.AsyncClient, event: MakeEvent, clock: SetClock, ago: int) -> None:
    (made, _) = (await web.post("/v1/events", json=scheduled(event(), clock.now - ago))).json()["notifications"]
    assert made["status"] == "accepted"
    assert (await web.get(f"/v1/notifications/{made['id']}")).json()["send_at"] is None


@pytest.mark.parametrize("at", [30 * DAY + 1, "tomorrow", "2026-03-09T14:05:00", "9999-01-01T00:00:00Z"])
async def test_a_time_that_is_none_or_too_far_is_refused(
    web: httpx.AsyncClient, event: MakeEvent, clock: SetClock, redis: ArqRedis, at: int | str
) -> None:
    posted = scheduled(event(), at if isinstance(at, str) else clock.now + at)
    answer = await web.post("/v1/events", json=posted)
    assert await refused(answer, redis) == (422, ["/data/send_at"])
