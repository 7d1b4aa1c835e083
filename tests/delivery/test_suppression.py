"""Addresses that take nothing: remembered, spared, and never in silence where the matter is critical."""

from dataclasses import replace

import pytest

from notifier import ids
from notifier.clock import moment
from notifier.composition import Parts
from notifier.delivery import Delivery
from notifier.events import Channel, Event, Recipient
from notifier.notices import NOTICES, Lane
from notifier.outbox import Outbox
from notifier.transports.base import Permanent, Report, Sms
from notifier.transports.memory import MemoryTransport
from tests.conftest import SetClock
from tests.delivery.conftest import Mails, Post, dead, deliver, told

MAIL, PHONE = "arta@mail.example", "+355691234567"


async def test_an_alert_to_an_address_that_bounced_is_not_sent(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    await parts.suppressions.add("email", MAIL.upper())
    id = await post()
    await deliver(delivery, Lane.ALERT)
    suppressed = {"at": clock.now, "what": "suppressed", "reason": "address_bounced"}
    assert await told(parts, id) == ("suppressed", [suppressed])
    assert mails.given == []
    assert await parts.archive.counts() == {"accepted": 1, "suppressed": 1}
    assert await parts.suppressions.lift("email", MAIL)
    again = await post()
    await deliver(delivery, Lane.ALERT)
    assert (await told(parts, again))[0] == "sent"


async def test_what_is_critical_goes_the_other_way(
    parts: Parts, delivery: Delivery, mails: Mails, texts: MemoryTransport[Sms], post: Post
) -> None:
    await parts.suppressions.add("email", MAIL)
    id = await post("password_reset")
    await deliver(delivery, Lane.CRITICAL)
    status, timeline = await told(parts, id)
    instead = timeline[-1]["instead"]
    assert (status, instead) == ("suppressed", ids.derived_id("sms", id))
    assert (await told(parts, instead))[0] == "sent"
    assert mails.given == []
    (text,) = texts.sent
    first, second = [await parts.archive.find(each) for each in (id, instead)]
    assert first
    assert second
    # With a code of its own that works, and within the deadline of the first.
    assert second.deadline == first.deadline
    code = text.text.rpartition("#")[2]
    (record,) = await parts.redis.keys("code:*")
    verdict = await parts.codes.verify(record.decode().partition(":")[2], code, parts.clock(), channel="sms")
    assert verdict.reason is None


async def test_what_is_critical_and_has_no_other_way_is_sent_all_the_same(
    parts: Parts, delivery: Delivery, mails: Mails, texts: MemoryTransport[Sms], post: Post
) -> None:
    await parts.suppressions.add("sms", PHONE)
    id = await post("password_reset", "sms", email=None)
    await deliver(delivery, Lane.CRITICAL)
    status, timeline = await told(parts, id)
    assert (status, timeline[-1]["suppression"], len(texts.sent), mails.given) == ("sent", "overridden", 1, [])


async def test_what_is_critical_is_not_silent_where_neither_address_takes_anything(
    parts: Parts, delivery: Delivery, mails: Mails, texts: MemoryTransport[Sms], post: Post
) -> None:
    await parts.suppressions.add("email", MAIL)
    await parts.suppressions.add("sms", PHONE)
    id = await post("password_reset")
    await deliver(delivery, Lane.CRITICAL)
    status, timeline = await told(parts, id)
    assert (status, timeline[-1]["suppression"]) == ("sent", "overridden")
    assert (len(mails.given), texts.sent) == (1, [])


async def test_of_two_addresses_that_take_nothing_neither_is_left_to_the_other(
    parts: Parts, delivery: Delivery, mails: Mails, texts: MemoryTransport[Sms]
) -> None:
    await parts.suppressions.add("email", MAIL)
    await parts.suppressions.add("sms", PHONE)
    accepted = await parts.intake.accept(
        Event(
            id="both",
            source="tests",
            account="acct-1",
            notice="password_reset",
            recipient=Recipient(email=MAIL, phone=PHONE, locale="sq"),
            channels=("email", "sms"),
            context=NOTICES["password_reset"].context.model_validate(
                {"occurred_at": moment(parts.clock()), "ip": "203.0.113.24", "device": "Chrome"}
            ),
        )
    )
    await deliver(delivery, Lane.CRITICAL)
    assert [(await told(parts, id))[0] for id in accepted.notifications] == ["sent", "sent"]
    assert (len(mails.given), len(texts.sent)) == (1, 1)


@pytest.mark.parametrize(("notice", "lane"), [("login_succeeded", Lane.ALERT), ("password_reset", Lane.CRITICAL)])
async def test_a_refusal_for_good_is_remembered(
    parts: Parts, delivery: Delivery, mails: Mails, texts: MemoryTransport[Sms], post: Post, notice: str, lane: Lane
) -> None:
    id = await post(notice)
    mails.failures.append(Permanent("smtp_550", status="5.1.1", dead_address=True))
    await deliver(delivery, lane)
    status, timeline = await told(parts, id)
    assert (status, timeline[-1]["reason"], timeline[-1]["enhanced"]) == ("failed", "smtp_550", "5.1.1")
    assert await parts.suppressions.holds("email", MAIL)
    assert await dead(parts) == [id]
    assert len(texts.sent) == ("instead" in timeline[-1]) == (lane is Lane.CRITICAL)


async def test_a_refusal_of_one_message_is_not_held_against_the_address(
    parts: Parts, delivery: Delivery, mails: Mails, texts: MemoryTransport[Sms], post: Post
) -> None:
    await post("password_reset")
    mails.failures.append(Permanent("smtp_552", status="5.2.2"))
    await deliver(delivery, Lane.CRITICAL)
    assert not await parts.suppressions.holds("email", MAIL)
    # But it was critical, and there is another way.
    await deliver(delivery, Lane.CRITICAL)
    assert len(texts.sent) == 1


async def test_a_refusal_for_good_is_settled_in_a_store_that_is_full(
    parts: Parts, delivery: Delivery, mails: Mails, texts: MemoryTransport[Sms], post: Post
) -> None:
    id = await post("password_reset")
    mails.failures.append(Permanent("smtp_550", status="5.1.1", dead_address=True))
    await parts.redis.config_set("maxmemory", 1)
    try:
        await deliver(delivery, Lane.CRITICAL)
        status, timeline = await told(parts, id)
    finally:
        await parts.redis.config_set("maxmemory", 0)
    assert (status, timeline[-1]["instead"]) == ("failed", ids.derived_id("sms", id))
    assert await parts.suppressions.holds("email", MAIL)
    assert (len(mails.given), len(texts.sent)) == (1, 1)


async def test_a_store_that_confirms_nothing_makes_no_lost_worker(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    """The one in the tests has no replica, so the notification that goes instead is never confirmed."""
    id = await post("password_reset")
    mails.failures.append(Permanent("smtp_552", status="5.2.2"))
    strict = Outbox(parts.redis, "replica")
    fall_back = replace(parts.fallback, outbox=strict).reach
    await deliver(replace(delivery, fall_back=fall_back), Lane.CRITICAL)
    status, timeline = await told(parts, id)
    assert (status, timeline[-1]["reason"]) == ("retrying", "error_Unconfirmed")
    clock.forward(minutes=1)
    claims = await parts.outbox.claim(Lane.CRITICAL, clock(), 9)
    assert {claim.lost for claim, one in claims if one.id == id} == {0}


@pytest.mark.parametrize("status", ["bounced", "undelivered"])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_late_report_of_failure_reaches_the_owner_another_way_once(
    parts: Parts, delivery: Delivery, texts: MemoryTransport[Sms], post: Post, status: str, times: int
) -> None:
    id = await post("password_reset")
    await deliver(delivery, Lane.CRITICAL)
    for _ in range(times):
        assert await parts.receipts.tell(Report(id, status, "bounce", "dsn_5.1.1", dead_address=True))  # type: ignore[arg-type]
    await deliver(delivery, Lane.CRITICAL)
    _, timeline = await told(parts, id)
    assert [entry["what"] for entry in timeline] == ["rendered", "sent", status, "fallback"]
    assert len(texts.sent) == 1
    assert await parts.suppressions.holds("email", MAIL)


async def test_not_after_its_deadline(
    parts: Parts, delivery: Delivery, texts: MemoryTransport[Sms], clock: SetClock, post: Post
) -> None:
    id = await post("password_reset")
    await deliver(delivery, Lane.CRITICAL)
    clock.forward(minutes=30)
    await parts.receipts.tell(Report(id, "bounced", "bounce"))
    await deliver(delivery, Lane.CRITICAL)
    assert texts.sent == []


@pytest.mark.parametrize("channel", ["email", "sms"])
async def test_no_address_is_kept_in_clear(parts: Parts, channel: Channel) -> None:
    await parts.suppressions.add(channel, MAIL if channel == "email" else PHONE)
    (key,) = await parts.redis.keys("*")
    assert b"arta" not in key
    assert b"69123" not in key
    assert await parts.redis.pttl(key) > 0


ORDERS = [
    (["queued", "sent", "delivered"], "delivered"),
    (["delivered", "sent", "queued"], "delivered"),
    (["sent", "undelivered", "sent", "queued"], "undelivered"),
    (["delayed", "bounced", "delayed"], "bounced"),
    (["queued", "sent"], "sent"),
]


@pytest.mark.parametrize(("reports", "standing"), ORDERS)
@pytest.mark.parametrize("before", [True, False], ids=["before the answer", "after the answer"])
async def test_reports_in_any_order_never_step_back(
    parts: Parts, delivery: Delivery, post: Post, reports: list[str], standing: str, before: bool
) -> None:
    id = await post(channel="sms")
    if not before:
        await deliver(delivery, Lane.ALERT)
    for status in reports:
        assert await parts.receipts.tell(Report(id, status, "twilio"))  # type: ignore[arg-type]
    if before:
        ((taken, notification),) = await parts.outbox.claim(Lane.ALERT, parts.clock(), 1)
        assert await parts.outbox.settle(taken, notification.lane, "sent", parts.clock())
    found = await parts.archive.find(id)
    assert found is not None
    assert found.standing(parts.clock()) == standing


async def test_what_was_reported_sent_is_not_sent_again(
    parts: Parts, delivery: Delivery, texts: MemoryTransport[Sms], clock: SetClock, post: Post
) -> None:
    # The answer to the first attempt never came, but the other side reports.
    id = await post(channel="sms")
    ((taken, notification),) = await parts.outbox.claim(Lane.ALERT, clock(), 1)
    await parts.outbox.retry(taken, notification.lane, clock.now, clock.now, doubtful=True, reason="ambiguous")
    await parts.receipts.tell(Report(id, "sent", "twilio"))
    await deliver(delivery, Lane.ALERT)
    assert ((await told(parts, id))[0], texts.sent) == ("sent", [])


async def test_nobody_is_told_of_what_is_not_kept(parts: Parts) -> None:
    assert await parts.receipts.tell(Report(ids.new_id("sms"), "delivered", "twilio")) is False
    assert await parts.redis.keys("*") == []
