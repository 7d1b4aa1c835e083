"""Intake: an event and all that follows from it are recorded in one step, or nothing is."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from arq.connections import ArqRedis

from links.ledger import Link
from notifier import ids
from notifier.bells import Bells
from notifier.clock import moment
from notifier.composition import Parts
from notifier.config import Settings
from notifier.errors import Conflict, NotFound
from notifier.events import Channel, Event, Recipient
from notifier.notices import NOTICES, Lane
from notifier.sealing import Sealer
from notifier.store import connect
from tests.conftest import SetClock

MakeEvent = Callable[..., Event]


@pytest.fixture
def parts(settings: Settings, redis: ArqRedis, clock: SetClock) -> Parts:
    return Parts(settings, redis, clock)


@pytest.fixture
def event(clock: SetClock) -> MakeEvent:
    def make(
        notice: str = "withdrawal_confirmation",
        id: str = "e-1",
        at: datetime | None = None,
        send_at: datetime | None = None,
    ) -> Event:
        model = NOTICES[notice].context
        facts = {
            "occurred_at": at or moment(clock.now),
            "ip": "192.0.2.7",
            "device": "Firefox",
            "withdrawal_id": "w-1",
            "amount": Decimal("0.25"),
            "asset": "BTC",
            "address": "bc1q",
            "network": "Bitcoin",
            "fee": Decimal("0.00000000"),
            "purpose": "sign_in",
        }
        channels: tuple[Channel, ...] = ("email", "sms")
        return Event(
            id=id,
            source="https://accounts.example",
            account="acc-1",
            notice=notice,
            recipient=Recipient(email="anna@example.com", phone="+355691234567", locale="sq-AL", name="Anna"),
            channels=channels,
            send_at=send_at,
            context=model(**{name: value for name, value in facts.items() if name in model.model_fields}),
        )

    return make


async def prefixes(redis: ArqRedis) -> dict[str, int]:
    kept: dict[str, int] = {}
    for key in await redis.keys("*"):
        prefix = key.decode().split(":")[0] if not key.startswith(b"link") else ":".join(key.decode().split(":")[:2])
        kept[prefix] = kept.get(prefix, 0) + 1
    return kept


def link(parts: Parts, event: Event, purpose: str, issued: int) -> Link:
    """As the event's message would carry it."""
    notice = NOTICES[event.notice]
    return Link(
        purpose=parts.tokens.purposes[purpose],
        identity=f"{purpose}{issued}",
        account=ids.digest(event.account),
        issued=issued,
        expires=issued + 1_800_000,
        subject=ids.digest(notice.subject(event.context)) if notice.subject else None,
    )


async def test_everything_that_follows_is_recorded_beside_the_event(
    parts: Parts, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    posted = event()
    acceptance = await parts.intake.accept(posted)
    kept = await prefixes(redis)
    assert {name: kept[name] for name in ("event", "ntf", "code", "due", "link:newest")} == {
        "event": 1,
        "ntf": 2,
        "code": 1,
        "due": 1,
        "link:newest": 1,
    }
    assert acceptance.code_expires == clock.now + 30 * 60_000
    due = await redis.zrange("due:critical", 0, -1, withscores=True)
    assert dict(due) == {id.encode(): clock.now for id in acceptance.notifications}
    older, own = (link(parts, posted, "confirm_withdrawal", clock.now - age) for age in (1, 0))
    assert (await parts.ledger.look(older, clock.now)).outcome == "superseded"
    assert (await parts.ledger.look(own, clock.now)).outcome == "open"
    for id in acceptance.notifications:
        found = await parts.archive.find(id)
        assert found
        assert (found.locale, found.status, found.deadline) == ("sq", "accepted", acceptance.code_expires)


async def test_the_same_event_changes_nothing_and_is_answered_the_same(
    parts: Parts, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    first = await parts.intake.accept(event())
    kept = {key: await redis.dump(key) for key in await redis.keys("*") if not key.startswith((b"arq", b"notifier"))}
    at = moment(clock.now)
    clock.forward(minutes=10)
    again = event(at=at)
    assert await asyncio.gather(*(parts.intake.accept(again) for _ in range(5))) == [first] * 5
    assert {key: await redis.dump(key) for key in kept} == kept
    with pytest.raises(Conflict):
        await parts.intake.accept(event("login_succeeded"))
    assert {key: await redis.dump(key) for key in kept} == kept


async def test_parallel_events_under_one_id_are_one_and_the_others_conflict(
    parts: Parts, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    events = [event(at=moment(clock.now - 1_000 * (n % 2))) for n in range(20)]
    taken = await asyncio.gather(*(parts.intake.accept(each) for each in events), return_exceptions=True)
    conflicts = [each for each in taken if isinstance(each, Conflict)]
    assert len(conflicts) == 10
    assert len({str(each) for each in taken if not isinstance(each, Conflict)}) == 1
    assert (await prefixes(redis))["ntf"] == 2


async def test_nothing_is_kept_in_clear_and_everything_ends(parts: Parts, event: MakeEvent, redis: ArqRedis) -> None:
    await parts.intake.accept(event())
    for key in await redis.keys("*"):
        content = key + (await redis.dump(key) or b"")
        assert not [word for word in (b"anna", b"Anna", b"691234567", b"acc-1", b"bc1q") if word in content]
        if not key.startswith((b"due:", b"notifier:", b"counts", b"tally")):
            longest = timedelta(days=90 if key.startswith(b"link:audit:") else 8)
            assert 0 < await redis.pttl(key) <= longest.total_seconds() * 1000


@pytest.mark.parametrize(
    ("notice", "code", "superseding", "lane"),
    [
        ("login_succeeded", False, False, Lane.ALERT),
        ("password_reset", True, False, Lane.CRITICAL),
        ("new_device", True, True, Lane.CRITICAL),
        ("verification_code", True, False, Lane.CRITICAL),
    ],
)
async def test_each_notice_brings_what_its_row_says(
    notice: str, code: bool, superseding: bool, lane: Lane, parts: Parts, event: MakeEvent, redis: ArqRedis
) -> None:
    acceptance = await parts.intake.accept(event(notice))
    kept = await prefixes(redis)
    assert (acceptance.code is not None, "code" in kept, "link:newest" in kept) == (code, code, superseding)
    assert await redis.zcard(f"due:{lane}") == 2
    assert "link:account" not in kept


async def test_the_two_that_tell_of_the_accounts_state_change_it(
    parts: Parts, event: MakeEvent, clock: SetClock
) -> None:
    way_back = link(parts, event("login_succeeded"), "reactivate", clock.now)
    started = clock.now
    # A time to come is taken as now.
    await parts.intake.accept(event("account_deactivated", at=moment(clock.now + 3_600_000)))
    early = await parts.ledger.look(way_back, clock.now)
    assert (early.outcome, early.at) == ("early", started + 2 * 3_600_000)
    clock.forward(hours=3)
    acceptance = await parts.intake.accept(event("account_reactivated", "e-2"))
    assert (await parts.ledger.look(way_back, clock.now)).outcome == "expired"
    own = link(parts, event("account_reactivated"), "deactivate", clock.now)
    old = link(parts, event("login_succeeded"), "deactivate", clock.now - 1)
    assert (await parts.ledger.look(own, clock.now)).outcome == "open"
    assert (await parts.ledger.look(old, clock.now)).outcome == "superseded"
    assert acceptance.code is None


async def test_a_bell_that_fails_costs_no_event(parts: Parts, event: MakeEvent, redis: ArqRedis) -> None:
    away = connect("redis://127.0.0.1:1", patient=False)
    intake = replace(parts.intake, ring=Bells(away, parts.clock).deliver)
    assert (await intake.accept(event())).notifications
    assert await redis.zcard("due:critical") == 2


@pytest.mark.parametrize(
    ("notice", "days"), [("verification_code", 1), ("login_succeeded", 7), ("reactivation_requested", 1)]
)
async def test_a_payload_is_kept_as_long_as_its_links_and_no_longer(
    parts: Parts, event: MakeEvent, redis: ArqRedis, notice: str, days: int
) -> None:
    await parts.intake.accept(event(notice))
    (key,) = await redis.keys("event:*")
    day = timedelta(days=1).total_seconds() * 1000
    assert (days - 0.1) * day < await redis.pttl(key) <= days * day


async def test_a_code_whose_event_cannot_be_read_any_more_is_not_sent_again(parts: Parts, event: MakeEvent) -> None:
    acceptance = await parts.intake.accept(event("verification_code"))
    assert acceptance.code
    standing, accepted = await parts.intake.resendable(acceptance.code)
    assert (standing.event, accepted.code) == (acceptance.event, acceptance.code)
    rotated = replace(parts.intake, sealer=Sealer([os.urandom(32)]))
    with pytest.raises(NotFound):
        await rotated.resendable(acceptance.code)


async def test_what_is_scheduled_is_kept_as_long_after_it_is_due(
    parts: Parts, event: MakeEvent, redis: ArqRedis, clock: SetClock
) -> None:
    await parts.intake.accept(event())
    at_once = {key: await redis.pttl(key) for key in await redis.keys("*")}
    await redis.flushall()
    wait = timedelta(days=20)
    acceptance = await parts.intake.accept(event(send_at=moment(clock.now) + wait))
    assert acceptance.scheduled
    assert acceptance.code_expires == clock.now + (wait + timedelta(minutes=30)).total_seconds() * 1000
    later = {key: await redis.pttl(key) - wait.total_seconds() * 1000 for key in await redis.keys("*")}
    kinds = {(b"event", False), (b"ntf", False), (b"ntf", True), (b"account", False), (b"code", False)}
    assert kinds == {(key.split(b":")[0], b"timeline" in key) for key in later} - {
        (b"due", False), (b"counts", False), (b"tally", False), (b"link", False), (b"notifier", False)
    }  # fmt: skip
    lives = {_kind(key): span for key, span in at_once.items()}
    for key, span in later.items():
        if _kind(key) in lives and not key.startswith((b"due:", b"counts", b"tally")):
            assert abs(span - lives[_kind(key)]) < 10_000, key
    # What comes after it and is due before it shortens nothing.
    await parts.intake.accept(event("login_succeeded", "e-2"))
    assert await redis.pttl(f"account:{ids.digest('acc-1')}") > wait.total_seconds() * 1000


def _kind(key: bytes) -> tuple[bytes, int]:
    return key.split(b":")[0], key.count(b":")


async def test_a_code_that_is_scheduled_is_not_sent_again_before(
    parts: Parts, event: MakeEvent, clock: SetClock
) -> None:
    acceptance = await parts.intake.accept(event("verification_code", send_at=moment(clock.now + 60_000)))
    assert acceptance.code
    with pytest.raises(Conflict):
        await parts.intake.resendable(acceptance.code)
    clock.forward(minutes=1)
    assert await parts.intake.resendable(acceptance.code)


async def test_a_link_that_is_scheduled_supersedes_nothing_before(
    parts: Parts, event: MakeEvent, clock: SetClock
) -> None:
    now = link(parts, event(), "confirm_withdrawal", clock.now)
    await parts.intake.accept(event(send_at=moment(clock.now + 60_000)))
    assert (await parts.ledger.look(now, clock.now + 59_999)).outcome == "open"
    assert (await parts.ledger.look(now, clock.now + 60_000)).outcome == "superseded"
