"""What operators do over HTTP: dead letters, queues, erasure, suppressions; only with the scope for it."""

import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest
from arq.connections import ArqRedis

from notifier import ids
from notifier.app import create_app
from notifier.composition import Parts
from notifier.config import Settings
from notifier.notices import Lane
from notifier.setting_types import ApiKey
from tests.api.conftest import MakeEvent
from tests.conftest import SetClock


@pytest.fixture
def parts(settings: Settings, redis: ArqRedis, clock: SetClock) -> Parts:
    return Parts(settings, redis, clock)


async def failed(parts: Parts, web: httpx.AsyncClient, event: MakeEvent, count: int = 1) -> list[str]:
    """Notifications that were given up."""
    for number in range(count):
        assert (await web.post("/v1/events", json=event(id=f"e-{number}"))).status_code == 202
    given_up = []
    for taken, notification in await parts.outbox.claim(Lane.ALERT, parts.clock(), 100):
        await parts.outbox.settle(taken, notification.lane, "failed", parts.clock(), reason="smtp_550")
        given_up.append(notification.id)
    return given_up


async def test_dead_letters_are_listed_a_page_at_a_time(parts: Parts, web: httpx.AsyncClient, event: MakeEvent) -> None:
    given_up = await failed(parts, web, event, 5)
    listed: list[dict[str, str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await web.get("/v1/dead-letters", params={"limit": 4, "cursor": cursor})).json()
        listed += page["dead_letters"]
        cursor = page["next"]
    assert sorted(letter["id"] for letter in listed) == sorted(given_up)
    assert {(letter["kind"], letter["about"], letter["reason"]) for letter in listed} == {
        ("notification", "login_succeeded", "smtp_550")
    }
    assert "anna" not in str(listed)


async def test_a_dead_letter_is_replayed_once(
    parts: Parts, web: httpx.AsyncClient, event: MakeEvent, clock: SetClock
) -> None:
    id, other = await failed(parts, web, event)
    assert (await web.get("/v1/queues")).json()["counts"] == {"accepted": 2, "failed": 2}
    answer = await web.post(f"/v1/dead-letters/{id}/replay")
    assert (answer.status_code, answer.json()) == (200, {"id": id, "status": "accepted"})
    assert (await web.post(f"/v1/dead-letters/{id}/replay")).status_code == 404
    assert [letter["id"] for letter in (await web.get("/v1/dead-letters")).json()["dead_letters"]] == [other]
    ((taken, _),) = await parts.outbox.claim(Lane.ALERT, clock(), 10)
    assert (taken.id, taken.lost) == (id, 0)
    await parts.outbox.settle(taken, Lane.ALERT, "sent", clock())
    shown = (await web.get(f"/v1/notifications/{id}")).json()
    assert [entry["what"] for entry in shown["timeline"]] == ["accepted", "failed", "replayed", "sent"]
    queues = (await web.get("/v1/queues")).json()
    assert queues["counts"] == {"accepted": 2, "failed": 1, "sent": 1}
    assert queues["waiting"]["alert"] == {"count": 0, "overdue_ms": 0}


async def test_a_replay_goes_to_an_address_that_had_bounced(
    parts: Parts, web: httpx.AsyncClient, event: MakeEvent
) -> None:
    recipient = event()["data"]["recipient"]
    await parts.suppressions.add("email", recipient["email"])
    await parts.suppressions.add("sms", recipient["phone"])
    for id in await failed(parts, web, event):
        assert (await web.post(f"/v1/dead-letters/{id}/replay")).status_code == 200
    assert not await parts.suppressions.holds("email", recipient["email"])
    assert not await parts.suppressions.holds("sms", recipient["phone"])


async def test_a_dead_letter_is_replayed_though_no_bell_can_ring(
    parts: Parts, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    id, _ = await failed(parts, web, event)
    await redis.config_set("maxmemory", 1)
    try:
        await parts.dead_letters.replay(id)
    finally:
        await redis.config_set("maxmemory", 0)
    assert (await web.get(f"/v1/notifications/{id}")).json()["status"] == "accepted"


async def test_what_was_lost_with_its_workers_is_no_suspect_after_a_replay(
    parts: Parts, web: httpx.AsyncClient, event: MakeEvent, clock: SetClock
) -> None:
    await web.post("/v1/events", json=event(recipient={"phone": None}))
    for _ in range(10):
        ((taken, notification),) = await parts.outbox.claim(Lane.ALERT, clock(), 10)
        clock.forward(seconds=30)
    ((taken, notification),) = await parts.outbox.claim(Lane.ALERT, clock(), 10)
    assert taken.lost == 10
    await parts.outbox.settle(taken, Lane.ALERT, "failed", clock(), reason="lost_workers")
    assert (await web.post(f"/v1/dead-letters/{notification.id}/replay")).status_code == 200
    ((taken, _),) = await parts.outbox.claim(Lane.ALERT, clock(), 10)
    assert taken.lost == 0


@pytest.mark.parametrize("gone", ["deadline", "payload", "key"])
async def test_what_has_nothing_to_say_any_more_is_not_replayed(
    parts: Parts, web: httpx.AsyncClient, event: MakeEvent, clock: SetClock, redis: ArqRedis, gone: str
) -> None:
    id, _ = await failed(parts, web, event)
    if gone == "deadline":
        clock.forward(days=3)
    elif gone == "key":
        for key in await redis.keys("event:*"):
            await redis.setrange(key, 40, "damaged!")
    else:
        await redis.delete(*await redis.keys("event:*"))
    answer = await web.post(f"/v1/dead-letters/{id}/replay")
    assert answer.status_code == 409
    assert len((await web.get("/v1/dead-letters")).json()["dead_letters"]) == 2


@pytest.mark.parametrize("kind", ["notification", "action"])
async def test_a_cursor_that_was_not_given_is_refused(kind: str, web: httpx.AsyncClient) -> None:
    answer = await web.get("/v1/dead-letters", params={"kind": kind, "cursor": "zz"})
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, ["/cursor"])


@pytest.mark.parametrize("id", ["x", "a" * 26, "../counts", "dead"])
async def test_no_dead_letter(web: httpx.AsyncClient, id: str) -> None:
    assert (await web.post(f"/v1/dead-letters/{id}/replay")).status_code == 404


async def test_a_replay_under_a_key_is_answered_the_same_again(
    parts: Parts, web: httpx.AsyncClient, event: MakeEvent
) -> None:
    id, _ = await failed(parts, web, event)
    replay, key = f"/v1/dead-letters/{id}/replay", {"idempotency-key": "replay-1"}
    first, again = [await web.post(replay, headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")


async def test_an_account_is_erased(
    parts: Parts, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    other = event(id="other")
    other["subject"] = "acc-2"
    kept = (await web.post("/v1/events", json=other)).json()["notifications"]
    made = []
    for number in range(3):
        made += (await web.post("/v1/events", json=event("password_reset", id=f"e-{number}"))).json()["notifications"]
    await parts.ledger.revoke(ids.digest("acc-1"), [parts.tokens.purposes["reactivate"]], clock())
    before = await redis.dbsize()
    answer = await web.delete("/v1/accounts/acc-1")
    assert (answer.status_code, answer.json()) == (200, {"account": "acc-1", "notifications": 6})
    for one in made:
        assert (await web.get(f"/v1/notifications/{one['id']}")).status_code == 404
    assert await parts.outbox.claim(Lane.CRITICAL, clock(), 100) == []
    left = {key.decode() for key in await redis.keys("*")}
    assert len(left) < before
    assert not [key for key in left if key.startswith(("code:", "link:")) or ids.digest("acc-1") in key]
    assert sum(key.startswith("event:") for key in left) == 1
    assert sum(key.startswith("ntf:") for key in left) == len(kept)
    assert (await web.get("/v1/queues")).json()["counts"] == {"accepted": 8, "erased": 6}
    # Again changes nothing, and the account may come back.
    assert (await web.delete("/v1/accounts/acc-1")).json()["notifications"] == 0
    assert (await web.post("/v1/events", json=event())).status_code == 202


async def test_what_was_erased_stays_so(
    parts: Parts, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    await web.post("/v1/events", json=event())
    held = await parts.outbox.claim(Lane.ALERT, clock(), 10)
    await web.delete("/v1/accounts/acc-1")
    for taken, notification in held:
        # A worker that had it in hand, a report that comes late.
        assert not await parts.outbox.settle(taken, notification.lane, "sent", clock())
        assert not await parts.outbox.retry(taken, notification.lane, clock(), clock())
        await parts.archive.note(notification.id, clock(), "clicked")
        assert await parts.archive.report(notification.id, "delivered", clock()) is None
    assert [key for key in await redis.keys("*") if key.startswith((b"ntf:", b"event:", b"account:"))] == []
    assert await redis.zcard("due:alert") == 0


async def test_an_id_with_slashes_is_an_account(web: httpx.AsyncClient, event: MakeEvent) -> None:
    posted = event()
    posted["subject"] = "a/b/../c"
    await web.post("/v1/events", json=posted)
    assert (await web.delete("/v1/accounts/a%2Fb%2F..%2Fc")).json() == {"account": "a/b/../c", "notifications": 2}


@pytest.mark.parametrize("account", ["", "%20", "acc%201", "%C3%A4", "a" * 129])
async def test_what_is_no_account_is_not_erased(account: str, web: httpx.AsyncClient) -> None:
    answer = await web.delete(f"/v1/accounts/{account}")
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, ["/account"])


@pytest.mark.parametrize("address", [{"email": "anna@example.com"}, {"phone": "+355691234567"}])
async def test_a_suppression_is_lifted(parts: Parts, web: httpx.AsyncClient, address: dict[str, str]) -> None:
    ((kind, value),) = address.items()
    await parts.suppressions.add("email" if kind == "email" else "sms", value)
    assert (await web.post("/v1/suppressions/lift", json=address)).json() == {"lifted": True}
    assert (await web.post("/v1/suppressions/lift", json=address)).json() == {"lifted": False}


@pytest.mark.parametrize("body", [{}, {"email": "a@b.example", "phone": "+355691234567"}, {"email": "no"}, []])
async def test_a_suppression_of_nobody(web: httpx.AsyncClient, body: object) -> None:
    assert (await web.post("/v1/suppressions/lift", json=body)).status_code == 422


PATHS = [
    ("GET", "/v1/dead-letters"),
    ("POST", f"/v1/dead-letters/{'a' * 26}/replay"),
    ("GET", "/v1/queues"),
    ("DELETE", "/v1/accounts/acc-1"),
    ("POST", "/v1/suppressions/lift"),
]


@pytest.fixture
async def lesser(settings: Settings, redis: ArqRedis, clock: SetClock) -> AsyncIterator[httpx.AsyncClient]:
    """A key for everything but this."""
    digest = hashlib.sha256(b"lesser").hexdigest()
    keys = (ApiKey("lesser", digest, frozenset({"events:write", "codes:write", "notifications:read", "links:write"})),)
    app = create_app(settings.model_copy(update={"api_keys": keys}), redis, clock)
    headers = {"authorization": "Bearer lesser"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api", headers=headers) as client:
        yield client


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_only_with_the_scope(lesser: httpx.AsyncClient, method: str, path: str) -> None:
    assert (await lesser.request(method, path)).status_code == 403
    del lesser.headers["authorization"]
    assert (await lesser.request(method, path)).status_code == 401
