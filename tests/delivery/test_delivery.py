"""What becomes of a notification: sent, tried again, given up, or never sent at all."""

import base64
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notifier.assets import assets
from notifier.clock import moment
from notifier.composition import Parts
from notifier.delivery import Delivery
from notifier.notices import Lane
from notifier.rendering.i18n import Catalogs
from notifier.rendering.renderer import Renderer
from notifier.setting_types import DkimKey
from notifier.tally import counts
from notifier.transports.base import Ambiguous, Deferred, Permanent, Sms, Transient
from notifier.transports.memory import MemoryTransport
from tests.conftest import SetClock
from tests.delivery.conftest import Mails, Post, dead, deliver, due, told

RENDERED = {"what": "rendered", "locale": "sq", "locale_reason": "exact"}


async def test_a_mail_is_sent_once(parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post) -> None:
    id = await post()
    clock.forward(seconds=2)
    await deliver(delivery, Lane.ALERT)
    assert await told(parts, id) == (
        "sent",
        [RENDERED | {"at": clock.now}, {"at": clock.now, "what": "sent", "by": "memory", "reference": "1"}],
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
    await deliver(delivery, Lane.ALERT)
    assert len(mails.given) == 1
    assert not await due(parts)


async def test_a_text_is_not_valid_for_longer_than_its_code(
    parts: Parts, delivery: Delivery, texts: MemoryTransport[Sms], clock: SetClock, post: Post
) -> None:
    id = await post("password_reset", "sms")
    clock.forward(minutes=20)
    await deliver(delivery, Lane.CRITICAL)
    (text,) = texts.sent
    assert (text.recipient, text.valid_for) == ("+355691234567", 600)
    assert text.text.startswith("Northbank: ")
    assert (await told(parts, id))[0] == "sent"


async def test_a_lane_is_delivered_by_itself(parts: Parts, delivery: Delivery, mails: Mails, post: Post) -> None:
    alert, code = await post("login_succeeded"), await post("password_reset")
    await deliver(delivery, Lane.CRITICAL)
    assert [(await told(parts, id))[0] for id in (alert, code)] == ["accepted", "sent"]
    await deliver(delivery, Lane.BULK)
    assert len(mails.sent) == 1


@pytest.mark.parametrize(
    ("failure", "schedule"),
    [
        (Transient("no_relay_reachable"), [5, 15, 30, 60, 300, 600, 1800, 1800]),
        (Deferred("smtp_450"), [60, 300, 600, 1800, 1800]),
        (Ambiguous("ambiguous"), [60, 300, 600, 1800, 1800]),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_it_is_tried_again_by_the_schedule(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post, failure: Transient, schedule: list[int]
) -> None:
    id = await post()
    mails.failures += [failure for _ in schedule]
    for attempt, step in enumerate(schedule, start=1):
        await deliver(delivery, Lane.ALERT)
        status, timeline = await told(parts, id)
        assert (status, len(timeline), len(mails.given)) == ("retrying", 1 + attempt, attempt)
        assert (timeline[-1]["what"], timeline[-1]["reason"]) == ("attempt_failed", failure.reason)
        # A fifth sooner at most, a fifth later at most.
        clock.forward(seconds=step * 0.79)
        await deliver(delivery, Lane.ALERT)
        assert len(mails.given) == attempt
        clock.forward(seconds=step * 0.42)
    await deliver(delivery, Lane.ALERT)
    status, timeline = await told(parts, id)
    assert status == "sent"
    # Only what ended without an answer may be there twice; then a mailbox can tell that they are one.
    assert timeline[-1].get("possible_duplicate", False) is isinstance(failure, Ambiguous)
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
        await deliver(delivery, Lane.ALERT)
        clock.forward(hours=1)
    assert (await told(parts, id))[0] == "sent"


async def test_the_other_side_may_say_when(delivery: Delivery, mails: Mails, clock: SetClock, post: Post) -> None:
    await post()
    mails.failures.append(Transient("twilio_20429", retry_after=7200))
    await deliver(delivery, Lane.ALERT)
    clock.forward(seconds=7199.9)
    await deliver(delivery, Lane.ALERT)
    assert mails.sent == []
    clock.forward(seconds=0.1)
    await deliver(delivery, Lane.ALERT)
    assert len(mails.sent) == 1


async def test_never_is_a_dead_letter(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    id = await post()
    mails.failures.append(Permanent("smtp_550"))
    await deliver(delivery, Lane.ALERT)
    assert await told(parts, id) == (
        "failed",
        [RENDERED | {"at": clock.now}, {"at": clock.now, "what": "failed", "reason": "smtp_550"}],
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
    clock.forward(seconds=life.total_seconds() - 5)
    await deliver(delivery, lane)
    assert (await told(parts, in_time))[0] == "sent"
    late = await post(notice)
    clock.forward(seconds=life.total_seconds())
    await deliver(delivery, lane)
    assert await told(parts, late) == ("expired", [{"at": clock.now, "what": "expired"}])
    assert len(mails.given) == 1
    assert not await due(parts)


async def test_a_mail_goes_out_signed(parts: Parts, delivery: Delivery, mails: Mails, post: Post) -> None:
    key = Ed25519PrivateKey.generate()
    composer = replace(parts.composer, dkim_keys=[DkimKey("s1", key)])
    await post()
    await deliver(replace(delivery, composer=composer), Lane.ALERT)
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    record = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(raw)
    (mail,) = mails.sent
    records = {b"s1._domainkey.northbank.example.": record}
    assert dkim.verify(mail.content, dnsfunc=lambda name, timeout=5: records.get(name))


async def test_a_locale_that_is_served_no_more_leaves_a_message_whole_in_another(
    parts: Parts, delivery: Delivery, mails: Mails, post: Post, tmp_path: Path
) -> None:
    id, later = await post(), await post("account_reactivated")
    bare = Renderer(assets("templates"), Catalogs(tmp_path), parts.voice)
    without = replace(delivery, composer=replace(parts.composer, renderer=bare))
    await deliver(without, Lane.ALERT)
    message = message_from_bytes(mails.sent[0].content, policy=policy.default)
    assert (message["Content-Language"], message["Subject"]) == ("en", "[Northbank] Successful sign-in")
    notification, timeline = await parts.archive.find(id), await parts.archive.timeline(id)
    assert notification is not None
    assert (notification.locale, notification.locale_reason) == ("en", "default")
    assert timeline[0] | RENDERED | {"locale": "en", "locale_reason": "default"} == timeline[0]
    await deliver(delivery, Lane.CRITICAL)
    assert (await told(parts, later))[0] == "sent"
    tally = await counts(parts.redis)
    assert {(key[1:], n) for key, n in tally.items() if key[0] == "written"} == {
        (("en", "default"), 1),
        (("sq", "exact"), 1),
    }
