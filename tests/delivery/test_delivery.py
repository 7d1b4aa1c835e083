"""What becomes of a notification: sent, tried again, given up, or never sent at all."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from notifier.clock import moment
from notifier.composition import Parts
from notifier.delivery import Delivery
from notifier.notices import Lane
from notifier.transports.base import Permanent, Sms, Transient
from notifier.transports.memory import MemoryTransport
from tests.conftest import SetClock
from tests.delivery.conftest import Mails, Post, dead, due, told


async def test_a_mail_is_sent_once(parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post) -> None:
    id = await post()
    clock.forward(seconds=2)
    assert await delivery.deliver(Lane.ALERT) is False
    assert await told(parts, id) == (
        "sent",
        [{"at": clock.now, "what": "rendered"}, {"at": clock.now, "what": "sent", "by": "memory", "reference": "1"}],
    )
    (mail,) = mails.sent
    message_id = f"<{id}@northbank.example>"
    assert (mail.sender, mail.recipient, mail.message_id) == (
        "security@northbank.example",
        "arta@mail.example",
        message_id,
    )
    message = message_from_bytes(mail.content, policy=policy.default)
    assert (message["From"], message["To"]) == ("Northbank <security@northbank.example>", "arta@mail.example")
    assert (message["Message-ID"], message["Content-Language"]) == (message_id, "sq")
    assert message["Subject"] == "[Northbank] Identifikimi i suksesshëm"
    assert message["Date"].datetime == moment(clock.now - 2000).replace(microsecond=0)
    clock.forward(days=1)
    await delivery.deliver(Lane.ALERT)
    assert len(mails.given) == 1
    assert not await due(parts)


async def test_a_text_is_not_valid_for_longer_than_its_code(
    parts: Parts, delivery: Delivery, texts: MemoryTransport[Sms], clock: SetClock, post: Post
) -> None:
    id = await post("password_reset", "sms")
    clock.forward(minutes=20)
    await delivery.deliver(Lane.CRITICAL)
    (text,) = texts.sent
    assert (text.recipient, text.valid_for) == ("+355691234567", 600)
    assert text.text.startswith("Northbank: ")
    assert (await told(parts, id))[0] == "sent"


async def test_a_lane_is_delivered_by_itself(parts: Parts, delivery: Delivery, mails: Mails, post: Post) -> None:
    alert, code = await post("login_succeeded"), await post("password_reset")
    await delivery.deliver(Lane.CRITICAL)
    assert [(await told(parts, id))[0] for id in (alert, code)] == ["accepted", "sent"]
    await delivery.deliver(Lane.BULK)
    assert len(mails.sent) == 1


async def test_it_is_tried_again_by_the_schedule(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    id = await post()
    schedule = [5, 60, 300, 600, 1800, 1800, 1800]
    mails.failures += [Transient("smtp_450") for _ in schedule]
    for attempt, step in enumerate(schedule, start=1):
        await delivery.deliver(Lane.ALERT)
        status, timeline = await told(parts, id)
        assert (status, len(timeline), len(mails.given)) == ("retrying", 1 + attempt, attempt)
        assert timeline[-1] == {"at": clock.now, "what": "attempt_failed", "reason": "smtp_450"}
        # A fifth sooner at most, a fifth later at most.
        clock.forward(seconds=step * 0.79)
        await delivery.deliver(Lane.ALERT)
        assert len(mails.given) == attempt
        clock.forward(seconds=step * 0.42)
    await delivery.deliver(Lane.ALERT)
    assert (await told(parts, id))[0] == "sent"
    # A mailbox can tell that they are one.
    assert len(mails.given) == len(schedule) + 1
    assert set(mails.given) == set(mails.sent)
    assert len(mails.sent) == 1
    assert await dead(parts) == []


async def test_many_attempts_are_no_lost_workers(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    id = await post()
    mails.failures += [Transient("smtp_450") for _ in range(15)]
    for _ in range(16):
        await delivery.deliver(Lane.ALERT)
        clock.forward(hours=1)
    assert (await told(parts, id))[0] == "sent"


async def test_the_other_side_may_say_when(delivery: Delivery, mails: Mails, clock: SetClock, post: Post) -> None:
    await post()
    mails.failures.append(Transient("twilio_20429", retry_after=7200))
    await delivery.deliver(Lane.ALERT)
    clock.forward(seconds=7199.9)
    await delivery.deliver(Lane.ALERT)
    assert mails.sent == []
    clock.forward(seconds=0.1)
    await delivery.deliver(Lane.ALERT)
    assert len(mails.sent) == 1


async def test_never_is_a_dead_letter(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    id = await post()
    mails.failures.append(Permanent("smtp_550"))
    await delivery.deliver(Lane.ALERT)
    assert await told(parts, id) == (
        "failed",
        [{"at": clock.now, "what": "rendered"}, {"at": clock.now, "what": "failed", "reason": "smtp_550"}],
    )
    assert await dead(parts) == [id]
    assert not await due(parts)


@pytest.mark.parametrize(
    ("notice", "lane", "life"),
    [
        ("login_succeeded", Lane.ALERT, timedelta(days=3)),
        ("password_reset", Lane.CRITICAL, timedelta(minutes=30)),
        ("reactivation_requested", Lane.CRITICAL, timedelta(minutes=30)),
    ],
)
async def test_nothing_is_sent_past_its_deadline(
    parts: Parts,
    delivery: Delivery,
    mails: Mails,
    clock: SetClock,
    post: Post,
    notice: str,
    lane: Lane,
    life: timedelta,
) -> None:
    in_time = await post(notice)
    clock.forward(seconds=life.total_seconds(), ms=-1)
    await delivery.deliver(lane)
    assert (await told(parts, in_time))[0] == "sent"
    late = await post(notice)
    clock.forward(seconds=life.total_seconds())
    await delivery.deliver(lane)
    assert await told(parts, late) == ("expired", [{"at": clock.now, "what": "expired"}])
    assert len(mails.given) == 1
    assert not await parts.outbox.has_due(lane, clock.now + 10**9)
