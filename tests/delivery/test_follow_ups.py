"""What the service tells by itself later, and what goes to two addresses: on the real store, with a moved clock."""

import re
from collections.abc import Awaitable, Callable
from email import message_from_bytes, policy
from typing import Any

import pytest
from arq.connections import ArqRedis

from links.ledger import Link
from notifier import examples, ids
from notifier.clock import rfc3339
from notifier.composition import Parts
from notifier.delivery import Delivery
from notifier.events import Event, Recipient
from notifier.intake import Acceptance
from notifier.notices import NOTICES, Lane
from notifier.notifications import Notification
from notifier.records import Accepted
from notifier.transports.base import Mail, Sms
from notifier.transports.memory import MemoryTransport
from tests.conftest import SetClock
from tests.delivery.conftest import Mails, deliver

Accept = Callable[..., Awaitable[Acceptance]]
ACCOUNT = ids.digest("acct-1")


@pytest.fixture
def accept(parts: Parts, clock: SetClock) -> Accept:
    count = iter(range(1000))

    async def accepted(notice: str, *, email: str = "arta@example.com", **changed: Any) -> Acceptance:
        facts = dict(examples.EXAMPLES[notice].context) | {"occurred_at": rfc3339(clock.now)} | changed
        model = NOTICES[notice].context
        return await parts.intake.accept(
            Event(
                id=str(next(count)),
                source="tests",
                account="acct-1",
                notice=notice,
                recipient=Recipient(email=email, phone="+355691234567"),
                channels=("email", "sms"),
                context=model.model_validate({name: facts[name] for name in model.model_fields if name in facts}),
            )
        )

    return accepted


async def all_due(delivery: Delivery) -> None:
    for lane in Lane:
        await deliver(delivery, lane)


async def following(parts: Parts, notice: str) -> list[Notification]:
    return [one async for _, one in parts.archive.of_account(ACCOUNT, None) if one.notice == notice]


def subject(mail: Mail) -> str:
    return str(message_from_bytes(mail.content, policy=policy.default)["Subject"])


def plain(mail: Mail) -> str:
    part = message_from_bytes(mail.content, policy=policy.default).get_body(("plain",))
    assert part
    return str(part.get_content())


async def opened(parts: Parts, text: str, pattern: str) -> Link:
    """The link that a message's URL stands for."""
    found = re.search(rf"/l/({pattern}\S+)", text)
    assert found
    token = parts.tokens.read(found.group(1))
    notification = await parts.archive.find(ids.to_id(token.reference))
    assert notification
    sealed = await parts.outbox.payload(notification.event)
    accepted = Accepted.read(parts.sealer, notification.event, sealed)
    assert accepted
    (link,) = parts.linkage.links(accepted, notification.id, token.purpose)
    return link


async def test_withdrawals_work_again_is_sent_once_when_the_last_hold_ends(
    parts: Parts, delivery: Delivery, mails: Mails, texts: MemoryTransport[Sms], clock: SetClock, accept: Accept
) -> None:
    await accept("password_changed")
    await accept("two_factor_reset")
    await all_due(delivery)
    sent = len(mails.sent), len(texts.sent)
    clock.forward(hours=47.9)
    await all_due(delivery)
    assert (len(mails.sent), len(texts.sent)) == sent == (2, 2)
    clock.forward(hours=0.1)
    for _ in range(2):
        await all_due(delivery)
    assert (len(mails.sent), len(texts.sent)) == (3, 3)
    assert subject(mails.sent[-1]) == "[Northbank] Withdrawals work again"
    assert texts.sent[-1].text == "Northbank: Withdrawals from your account work again."


@pytest.mark.parametrize(
    ("notice", "changed", "told"),
    [
        ("account_deactivated", {}, "account_deactivated"),
        ("account_blocked", {}, "account_deactivated"),
        # Its own notice is cancelled, and no other is there.
        ("unusual_activity", {}, None),
    ],
)
async def test_it_is_not_sent_while_it_would_not_be_true(
    parts: Parts,
    delivery: Delivery,
    mails: Mails,
    clock: SetClock,
    accept: Accept,
    notice: str,
    changed: dict[str, str],
    told: str | None,
) -> None:
    await accept("password_changed")
    await accept(notice, **changed)
    clock.forward(days=2)
    await all_due(delivery)
    assert not [mail for mail in mails.sent if "work again" in subject(mail)]
    waiting = await following(parts, "withdrawals_resumed")
    assert {one.status for one in waiting} == {"cancelled"}
    for one in waiting:
        assert (await parts.archive.timeline(one.id))[-1].get("reason") == told


async def test_one_that_could_not_be_called_off_is_not_sent_either(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, accept: Accept, redis: ArqRedis
) -> None:
    await accept("password_changed")
    old = {one.id for one in await following(parts, "withdrawals_resumed")}
    await accept("two_factor_reset")
    # As a process leaves them that is killed between the two.
    for id in old:
        await redis.hset(f"ntf:{id}", "status", "accepted")  # type: ignore[misc]
        await redis.zadd(f"due:{Lane.BULK}", {id: clock.now + 24 * 3_600_000})
    clock.forward(hours=24)
    await all_due(delivery)
    for id in old:
        assert (await parts.archive.timeline(id))[-1]["reason"] == "hold_changed"
    assert not [mail for mail in mails.sent if "work again" in subject(mail)]


async def test_after_reactivation_it_comes_at_the_end_of_that_hold(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, accept: Accept
) -> None:
    await accept("password_changed")
    await accept("account_deactivated")
    clock.forward(hours=3)
    await accept("account_reactivated")
    clock.forward(hours=47)
    await all_due(delivery)
    assert not [mail for mail in mails.sent if "work again" in subject(mail)]
    clock.forward(hours=1)
    await all_due(delivery)
    assert len([mail for mail in mails.sent if "work again" in subject(mail)]) == 1


async def test_a_new_account_is_reminded_by_the_same_link(
    parts: Parts, delivery: Delivery, mails: Mails, texts: MemoryTransport[Sms], clock: SetClock, accept: Accept
) -> None:
    accepted, started = await accept("account_activation"), clock.now
    reminders = await following(parts, "account_activation_reminder")
    assert {one.due for one in reminders} == {started + 48 * 3_600_000}
    assert not {one.id for one in reminders} & accepted.notifications.keys()
    await all_due(delivery)
    clock.forward(hours=48)
    await all_due(delivery)
    assert [subject(mail) for mail in mails.sent] == [
        "[Northbank] Activate your account",
        "[Northbank] Your account is not active yet",
    ]
    first, second = [await opened(parts, plain(mail), "c") for mail in mails.sent]
    by_sms = [await opened(parts, sms.text, "") for sms in texts.sent]
    assert first == second == by_sms[0] == by_sms[1]
    assert first.expires == started + 3 * 24 * 3_600_000
    # Used in one message, used in all.
    assert (await parts.ledger.consume(first, clock.now, ids.new_id("action"), b"payload")).outcome == "accepted"
    assert (await parts.ledger.look(second, clock.now)).outcome == "pending"


@pytest.mark.parametrize("way", ["used", "newer", "cancelled", "deactivated"])
async def test_who_need_not_be_reminded_is_not(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, accept: Accept, way: str
) -> None:
    accepted = await accept("account_activation")
    first = await following(parts, "account_activation_reminder")
    if way == "cancelled":
        for id in accepted.notifications:
            await parts.cancellation.cancel(id)
    else:
        await all_due(delivery)
    if way == "used":
        link = await opened(parts, plain(mails.sent[0]), "c")
        await parts.ledger.consume(link, clock.now, ids.new_id("action"), b"payload")
    clock.forward(hours=1)
    if way == "newer":
        await accept("account_activation")
    if way == "deactivated":
        await accept("account_deactivated")
    clock.forward(hours=47)
    await all_due(delivery)
    for one in first:
        found = await parts.archive.find(one.id)
        assert found
        assert found.status == "cancelled"
    assert not [mail for mail in mails.sent if "not active" in subject(mail)]


async def test_a_reminder_can_be_called_off(parts: Parts, clock: SetClock, accept: Accept) -> None:
    await accept("account_activation")
    for one in await following(parts, "account_activation_reminder"):
        await parts.cancellation.cancel(one.id)
    assert {one.status for one in await following(parts, "account_activation_reminder")} == {"cancelled"}


async def test_a_changed_address_is_told_to_both_each_with_its_own_links(
    parts: Parts, delivery: Delivery, mails: Mails, texts: MemoryTransport[Sms], clock: SetClock, accept: Accept
) -> None:
    old, new = "arta@example.com", "arta.hoxha@post.example"
    accepted = await accept("email_changed", email=new, old_email=old, new_email=new)
    assert sorted(accepted.notifications.values()) == ["email", "email", "sms"]
    await all_due(delivery)
    told = {mail.recipient: plain(mail) for mail in mails.sent}
    assert told.keys() == {old, new}
    assert len({(await opened(parts, text, "d")).identity for text in told.values()}) == 2
    assert len(texts.sent) == 1
    assert not [text for text in told.values() if old in text or new in text]
    assert "203.0.113.24" in told[old]
    assert "203.0.113.24" not in told[new]
    # A bounce of one says nothing of the other; and what comes later goes to the new one.
    clock.forward(hours=48)
    await all_due(delivery)
    assert (mails.sent[-1].recipient, subject(mails.sent[-1])) == (new, "[Northbank] Withdrawals work again")
    assert len(mails.sent) == 3
