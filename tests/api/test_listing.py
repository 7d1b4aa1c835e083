"""`GET /v1/notifications?account=…`: an account's notifications, a page at a time."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from notifier import ids
from notifier.clock import rfc3339
from notifier.composition import Parts
from notifier.config import Settings
from notifier.notices import Lane
from notifier.outbox import Entry
from tests.api.conftest import MakeEvent
from tests.conftest import SetClock

LIST = "/v1/notifications"


@pytest.fixture
def parts(settings: Settings, redis: ArqRedis, clock: SetClock) -> Parts:
    return Parts(settings, redis, clock)


async def listed(web: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await web.get(LIST, params={"account": "acc-1", "cursor": cursor, **asked})
        assert answer.status_code == 200, answer.text
        page = answer.json()["notifications"]
        assert len(page) <= asked.get("limit", 50)
        found += page
        cursor = answer.json()["next"]
    return found


async def posted(web: httpx.AsyncClient, event: dict[str, Any]) -> list[str]:
    answer = await web.post("/v1/events", json=event)
    assert answer.status_code == 202, answer.text
    return [made["id"] for made in answer.json()["notifications"]]


@pytest.mark.parametrize("limit", [1, 2, 7, 200])
async def test_newest_first_and_each_once_whatever_the_page(
    web: httpx.AsyncClient, event: MakeEvent, clock: SetClock, limit: int
) -> None:
    batches = []
    for number in range(3):
        # Two of each come at the same moment.
        made = await posted(web, event(id=f"a-{number}")) + await posted(web, event(id=f"b-{number}"))
        batches.append(set(made))
        clock.forward(ms=1)
    await posted(web, {**event(id="other"), "subject": "acc-2"})
    found = [one["id"] for one in await listed(web, limit=limit)]
    assert [set(found[at : at + 4]) for at in range(0, 12, 4)] == batches[::-1]
    assert len(found) == 12


async def test_one_is_shown_as_by_itself_and_nothing_personal(
    web: httpx.AsyncClient, event: MakeEvent, clock: SetClock
) -> None:
    at = rfc3339(clock.now + 60_000)
    now = event(id="now")
    later = {**event("password_reset", id="later"), "data": {**event()["data"], "send_at": at}}
    await posted(web, now)
    await posted(web, later)
    found = await listed(web)
    assert [one["status"] for one in found] == ["scheduled"] * 2 + ["accepted"] * 2
    assert [one["send_at"] for one in found] == [at] * 2 + [None] * 2
    for one in found:
        shown = (await web.get(f"{LIST}/{one['id']}")).json()
        del shown["timeline"]
        assert one == shown
    assert "anna" not in str(found)
    assert "acc-1" not in str(found)


async def test_filters(web: httpx.AsyncClient, event: MakeEvent, parts: Parts, clock: SetClock) -> None:
    await posted(web, event(id="a"))
    clock.forward(seconds=1)
    await posted(web, event("password_reset", id="b"))
    ((taken, first), (other, second)) = await parts.outbox.claim(Lane.ALERT, clock(), 2)
    await parts.outbox.settle(taken, Lane.ALERT, "sent", clock())
    await parts.archive.report(first.id, "delivered", clock())
    await parts.outbox.settle(other, Lane.ALERT, "failed", clock())

    async def found(**asked: str) -> list[str]:
        return [one["id"] for one in await listed(web, limit=1, **asked)]

    assert await found(status="delivered") == [first.id]
    assert await found(status="failed") == [second.id]
    assert await found(status="sent") == []
    assert len(await found(status="accepted")) == 2
    assert len(await found(notice="login_succeeded")) == 2
    assert await found(notice="login_succeeded", channel=first.channel) == [first.id]
    assert await found(status="failed", channel=first.channel) == []


async def test_a_filter_that_fits_few_of_many_looks_at_a_part_at_a_time(
    web: httpx.AsyncClient, event: MakeEvent, parts: Parts, clock: SetClock
) -> None:
    oldest = await posted(web, event("password_reset"))
    for number in range(5):
        clock.forward(ms=1)
        entries = [
            Entry(ids.new_id("email"), "email", "login_succeeded", Lane.ALERT, "en", "exact", clock.now + 1, clock.now)
            for _ in range(500)
        ]
        await parts.outbox.record(
            f"e{number}", ids.digest("acc-1"), bytes(16), b"", entries, clock.now, keep=timedelta(1)
        )
    first = (await web.get(LIST, params={"account": "acc-1", "notice": "password_reset"})).json()
    assert first["notifications"] == []
    assert first["next"]
    assert {one["id"] for one in await listed(web, notice="password_reset")} == set(oldest)
    assert len({one["id"] for one in await listed(web, limit=200)}) == 2_502


async def test_an_erased_or_unknown_account_has_none(web: httpx.AsyncClient, event: MakeEvent) -> None:
    await posted(web, event())
    assert len(await listed(web)) == 2
    await web.delete("/v1/accounts/acc-1")
    assert await listed(web) == []
    assert await listed(web, account="nobody\x00") == []


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"account": ""}, "/account"),
        ({"account": "a" * 129}, "/account"),
        ({"limit": 0}, "/limit"),
        ({"limit": 201}, "/limit"),
        ({"status": "lost"}, "/status"),
        ({"channel": "fax"}, "/channel"),
        ({"notice": "cAnArY"}, "/notice"),
        ({"cursor": "cAnArY"}, "/cursor"),
        ({"cursor": "1." + "a" * 25}, "/cursor"),
        ({"cursor": "9" * 40 + "." + "a" * 26}, "/cursor"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_name(
    web: httpx.AsyncClient, asked: dict[str, Any], pointer: str
) -> None:
    answer = await web.get(LIST, params={"account": "acc-1", **asked})
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
    assert "cAnArY" not in answer.text


async def test_it_needs_an_account(web: httpx.AsyncClient) -> None:
    answer = await web.get(LIST)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/account")
