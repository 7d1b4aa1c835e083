"""Holds: what each notice makes of one, as tables; and on the real store with the notices that tell of them."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from notifier import examples, ids
from notifier.clock import moment, rfc3339
from notifier.composition import Parts
from notifier.config import Settings
from notifier.events import Channel, Event, Recipient
from notifier.holds import Hold
from notifier.notices import HOLDS, NOTICES
from notifier.notifications import Notification
from notifier.records import Accepted
from tests.conftest import SetClock

HOUR = 3_600_000
NOW = 1_800_000_000_000
ACCOUNT = ids.digest("acc-1")
Post = Callable[..., Any]


def context(notice: str, at: int, **changed: Any) -> Any:
    facts = dict(examples.EXAMPLES[notice].context) | {"occurred_at": rfc3339(at), "resumes_at": None} | changed
    model = NOTICES[notice].context
    return model.model_validate({name: facts[name] for name in model.model_fields if name in facts})


@pytest.mark.parametrize(
    ("notice", "changed", "before", "after"),
    [
        # Each starts its own; the longer counts, whichever came first.
        ("password_changed", {}, (0, ""), (24, "")),
        ("two_factor_disabled", {}, (0, ""), (24, "")),
        ("two_factor_reset", {}, (0, ""), (48, "")),
        ("email_changed", {}, (0, ""), (48, "")),
        ("account_reactivated", {}, (0, ""), (48, "")),
        ("password_changed", {}, (30, ""), (30, "")),
        ("email_changed", {}, (30, ""), (48, "")),
        # From when it happened; a time to come is taken as now.
        ("password_changed", {"occurred_at": rfc3339(NOW - HOUR)}, (0, ""), (23, "")),
        ("password_changed", {"occurred_at": rfc3339(NOW + 5 * HOUR)}, (0, ""), (24, "")),
        # As given, or without an end.
        ("withdrawals_suspended", {"resumes_at": rfc3339(NOW + 72 * HOUR)}, (24, ""), (72, "")),
        ("withdrawals_suspended", {"resumes_at": rfc3339(NOW + HOUR)}, (24, ""), (24, "")),
        ("withdrawals_suspended", {}, (24, ""), (24, "withdrawals_suspended")),
        ("unusual_activity", {}, (0, "withdrawals_suspended"), (0, "unusual_activity withdrawals_suspended")),
        # What has no end is ended by an approval; what has one is not.
        ("identity_verification_result", {"result": "approved"}, (24, "unusual_activity"), (24, "")),
        ("identity_verification_result", {"result": "rejected"}, (0, "unusual_activity"), (0, "unusual_activity")),
        (
            "identity_verification_result",
            {"result": "approved"},
            (0, "unusual_activity withdrawals_suspended"),
            (0, "withdrawals_suspended"),
        ),
        ("withdrawal_appeal_result", {"result": "approved"}, (24, "unusual_activity withdrawals_suspended"), (24, "")),
        (
            "withdrawal_appeal_result",
            {"result": "rejected"},
            (0, "withdrawals_suspended"),
            (0, "withdrawals_suspended"),
        ),
        ("withdrawals_resumed", {}, (24, "unusual_activity withdrawals_suspended"), (0, "")),
    ],
)
def test_what_a_notice_makes_of_a_hold(
    notice: str, changed: dict[str, Any], before: tuple[int, str], after: tuple[int, str]
) -> None:
    def hold(hours: int, stops: str) -> Hold:
        return Hold(until=NOW + hours * HOUR if hours else 0, stops=frozenset(stops.split()))

    assert hold(*before).after(notice, context(notice, NOW, **changed), NOW, HOLDS) == hold(*after)


@pytest.fixture
def parts(settings: Settings, redis: ArqRedis, clock: SetClock) -> Parts:
    return Parts(settings, redis, clock)


@pytest.fixture
def post(parts: Parts, clock: SetClock) -> Post:
    """Has a notice accepted; gives it as it is kept."""
    count = iter(range(1000))

    async def posted(
        notice: str, *, id: str | None = None, channels: tuple[Channel, ...] = ("email", "sms"), **changed: Any
    ) -> Accepted:
        event = Event(
            id=id or str(next(count)),
            source="tests",
            account="acc-1",
            notice=notice,
            recipient=Recipient(email="arta@mail.example", phone="+355691234567"),
            channels=channels,
            context=context(notice, clock.now, **changed),
        )
        acceptance = await parts.intake.accept(event)
        accepted = Accepted.read(parts.sealer, acceptance.event, await parts.outbox.payload(acceptance.event))
        assert accepted
        return accepted

    return posted


async def resumptions(parts: Parts) -> list[tuple[str, Notification]]:
    """Every message that withdrawals work again, with how it stands; the last made of them first."""
    found = [one async for _, one in parts.archive.of_account(ACCOUNT, None) if one.notice == "withdrawals_resumed"]
    return [(one.standing(parts.clock()), one) for one in found]


async def scheduled(parts: Parts) -> dict[Channel, int]:
    """When each channel will tell that withdrawals work again."""
    return {one.channel: one.due for standing, one in await resumptions(parts) if standing == "scheduled"}


async def test_the_message_says_the_latest_end_and_the_notice_moves_with_it(
    parts: Parts, post: Post, clock: SetClock
) -> None:
    started = clock.now
    first = await post("password_changed")
    assert first.held_until == started + 24 * HOUR
    assert await scheduled(parts) == dict.fromkeys(("email", "sms"), started + 24 * HOUR)
    clock.forward(hours=1)
    longer = await post("two_factor_reset", channels=("email",))
    assert longer.held_until == clock.now + 48 * HOUR
    assert await scheduled(parts) == {"email": clock.now + 48 * HOUR}
    clock.forward(hours=1)
    shorter = await post("two_factor_disabled")
    assert shorter.held_until == longer.held_until
    assert await scheduled(parts) == {"email": longer.held_until}
    assert sorted(standing for standing, _ in await resumptions(parts)) == ["cancelled", "cancelled", "scheduled"]
    counts = await parts.archive.counts()
    # Three messages by two channels but one, and three that wait for the end.
    assert (counts["accepted"], counts["cancelled"]) == (5 + 3, 2)


async def test_a_hold_without_an_end_has_no_notice_until_it_is_lifted(
    parts: Parts, post: Post, clock: SetClock
) -> None:
    changed = await post("password_changed")
    stopped = await post("unusual_activity")
    assert (stopped.held_until, stopped.stopped) == (None, True)
    assert await scheduled(parts) == {}
    assert (await post("email_changed")).stopped
    assert await scheduled(parts) == {}
    rejected = await post("identity_verification_result", result="rejected")
    assert rejected.stopped
    approved = await post("withdrawal_appeal_result", result="approved")
    assert (approved.held_until, approved.stopped) == (changed.held_until + 24 * HOUR, False)
    assert await scheduled(parts) == dict.fromkeys(("email", "sms"), approved.held_until)


async def test_an_approval_that_ends_the_last_hold_is_followed_in_seconds(
    parts: Parts, post: Post, clock: SetClock
) -> None:
    await post("withdrawals_suspended")
    clock.forward(days=30)
    approved = await post("withdrawal_appeal_result", result="approved")
    assert (approved.held_until, approved.stopped) == (None, False)
    assert await scheduled(parts) == dict.fromkeys(("email", "sms"), clock.now + 5_000)
    # Nothing is left for another to end.
    await post("withdrawal_appeal_result", result="approved")
    assert len(await resumptions(parts)) == 2


async def test_posted_it_ends_every_hold_and_is_itself_the_notice(parts: Parts, post: Post) -> None:
    await post("email_changed")
    await post("withdrawals_resumed")
    assert await scheduled(parts) == {}
    assert (await parts.holds.find(ACCOUNT)).end(parts.clock()) is None
    assert sorted(standing for standing, _ in await resumptions(parts)) == ["accepted"] * 2 + ["cancelled"] * 2


@pytest.mark.parametrize("hours", [30 * 24, -1])
async def test_a_suspension_says_its_own_end(parts: Parts, post: Post, clock: SetClock, hours: int) -> None:
    end = clock.now + hours * HOUR
    assert (await post("withdrawals_suspended", resumes_at=moment(end))).held_until == end
    assert await scheduled(parts) == (dict.fromkeys(("email", "sms"), end) if hours > 0 else {})


async def test_the_same_event_again_starts_no_other_hold(parts: Parts, post: Post, clock: SetClock) -> None:
    at = rfc3339(clock.now)
    first = await post("password_changed", id="once", occurred_at=at)
    clock.forward(hours=2)
    assert await post("password_changed", id="once", occurred_at=at) == first
    assert len(await resumptions(parts)) == 2


async def test_of_holds_at_once_the_latest_end_wins_and_is_told_once(parts: Parts, post: Post, clock: SetClock) -> None:
    ends = [clock.now + hours * HOUR for hours in range(1, 21)]
    told = await asyncio.gather(*(post("withdrawals_suspended", resumes_at=moment(end)) for end in ends))
    assert await scheduled(parts) == dict.fromkeys(("email", "sms"), max(ends))
    assert (await parts.holds.find(ACCOUNT)).until == max(ends)
    # Each says an end that was true: its own, or a later one.
    assert all(own <= accepted.held_until for own, accepted in zip(ends, told, strict=True))


async def test_an_operator_sets_the_spans_and_none_is_no_hold(
    settings: Settings, redis: ArqRedis, clock: SetClock, post: Post, parts: Parts
) -> None:
    spans = {"password_changed": timedelta(0), "email_changed": timedelta(hours=1)}
    parts.holds.spans = {**parts.holds.spans, **spans}
    assert (await post("password_changed")).held_until is None
    assert await scheduled(parts) == {}
    assert (await post("email_changed")).held_until == clock.now + HOUR


async def test_nothing_is_left_of_an_erased_account(parts: Parts, post: Post, redis: ArqRedis) -> None:
    await post("password_changed")
    await post("unusual_activity")
    await parts.archive.erase(ACCOUNT)
    await parts.holds.erase(ACCOUNT)
    kept = [key for key in await redis.keys("*") if not key.startswith((b"counts", b"tally", b"notifier", b"arq"))]
    assert kept == []


async def test_a_hold_is_forgotten_when_it_is_over(parts: Parts, post: Post, redis: ArqRedis) -> None:
    await post("unusual_activity")
    key = f"hold:{ACCOUNT}"
    assert await redis.pttl(key) == -1
    await post("withdrawals_resumed")
    assert 0 < await redis.pttl(key) <= 7 * 24 * HOUR
    assert replace(await parts.holds.find(ACCOUNT), version="") == Hold()
