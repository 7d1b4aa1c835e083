"""A notification that is to be sent later: it waits, or is cancelled; what a worker has in hand is not."""

import asyncio
import math
from collections import Counter
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from notifier import ids
from notifier.clock import moment, rfc3339
from notifier.composition import Parts
from notifier.delivery import Delivery
from notifier.notices import Lane
from notifier.rounds import Held
from notifier.transports.base import Ambiguous, Permanent, Transient, TransportError
from tests.conftest import SetClock
from tests.delivery.conftest import Mails, Post, deliver, due, told

HOUR = 3_600_000
ACCOUNT = ids.digest("acct-1")


async def standing(parts: Parts, id: str) -> str:
    found = await parts.archive.find(id)
    assert found is not None
    return found.standing(parts.clock())


async def cancel(parts: Parts, id: str) -> str | None:
    """What stands against it."""
    found = await parts.archive.find(id)
    assert found is not None
    return await parts.outbox.cancel(found, parts.clock())


async def counted(parts: Parts) -> tuple[int, int]:
    """What was accepted; and the sum of what it came to and of what waits."""
    counts = dict(await parts.archive.counts())
    return counts.pop("accepted"), sum(counts.values()) + sum([(await parts.archive.waiting(lane))[0] for lane in Lane])


async def test_it_is_sent_when_it_is_due_and_lives_from_then_on(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    accepted, at = clock.now, clock.now + HOUR
    id = await post("password_reset", send_at=moment(at))
    await deliver(delivery, Lane.CRITICAL)
    assert await standing(parts, id) == "scheduled"
    clock.forward(ms=HOUR - 1)
    await deliver(delivery, Lane.CRITICAL)
    assert not mails.given
    clock.forward(ms=1)
    assert await standing(parts, id) == "accepted"
    clock.forward(minutes=29)
    await deliver(delivery, Lane.CRITICAL)
    (mail,) = mails.sent
    message = message_from_bytes(mail.content, policy=policy.default)
    assert message["Date"].datetime == moment(at).replace(microsecond=0)
    # As many minutes as if it had been posted then.
    assert "30 minuta" in str(message.get_body(("plain",)))
    status, timeline = await told(parts, id)
    assert status == "sent"
    assert timeline[0] == {"at": accepted, "what": "scheduled", "send_at": rfc3339(at)}
    found = await parts.archive.find(id)
    assert found
    assert (found.accepted, found.due, found.deadline) == (accepted, at, at + 30 * 60_000)


async def test_its_deadline_is_counted_from_when_it_is_due(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    id = await post("password_reset", send_at=moment(clock.now + HOUR))
    clock.forward(ms=HOUR, minutes=30)
    await deliver(delivery, Lane.CRITICAL)
    assert (await told(parts, id))[0] == "expired"
    assert not mails.given


async def test_an_inbox_has_it_when_it_is_due_and_never_once_it_is_cancelled(
    parts: Parts, delivery: Delivery, clock: SetClock, post: Post
) -> None:
    async def items() -> int:
        await deliver(delivery, Lane.ALERT)
        return len((await parts.inbox.page(ACCOUNT, None, 50, parts.clock(), unread=False)).entries)

    await post(channel="inbox", email=None, send_at=moment(clock.now + HOUR))
    cancelled = await post(channel="inbox", email=None, send_at=moment(clock.now + HOUR))
    assert await cancel(parts, cancelled) is None
    assert await items() == 0
    clock.forward(ms=HOUR)
    assert await items() == 1
    assert await standing(parts, cancelled) == "cancelled"


async def test_a_time_that_is_past_is_now(parts: Parts, delivery: Delivery, clock: SetClock, post: Post) -> None:
    id = await post(send_at=moment(clock.now) - timedelta(days=400))
    assert await standing(parts, id) == "accepted"
    await deliver(delivery, Lane.ALERT)
    assert (await told(parts, id))[0] == "sent"


@pytest.mark.parametrize("ahead", [HOUR, 0])
async def test_what_waits_is_cancelled_and_never_sent(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post, ahead: int
) -> None:
    id = await post(send_at=moment(clock.now + ahead))
    assert await cancel(parts, id) is None
    assert await cancel(parts, id) == "cancelled"
    assert await counted(parts) == (1, 1)
    clock.forward(ms=HOUR)
    await deliver(delivery, Lane.ALERT)
    assert not mails.given
    status, timeline = await told(parts, id)
    assert (status, timeline[-1]["what"]) == ("cancelled", "cancelled")
    assert not await due(parts)


@pytest.mark.parametrize(
    ("failure", "stands"),
    [(Transient("no_relay"), None), (Ambiguous("ambiguous"), "doubtful"), (Permanent("smtp_550"), "failed")],
)
async def test_after_an_attempt_what_was_surely_not_sent_is_cancelled(
    parts: Parts,
    delivery: Delivery,
    mails: Mails,
    clock: SetClock,
    post: Post,
    failure: TransportError,
    stands: str | None,
) -> None:
    id = await post()
    mails.failures = [failure]
    await deliver(delivery, Lane.ALERT)
    assert await cancel(parts, id) == stands
    assert await counted(parts) == (1, 1)


async def test_what_a_worker_has_in_hand_is_not_cancelled_and_counts_once(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    id = await post()
    ((claim, notification),) = await parts.outbox.claim(Lane.ALERT, clock.now, 1)
    assert await cancel(parts, id) == "in_hand"
    # Nor once its lease is over: that worker may have sent it before it died.
    clock.forward(minutes=1)
    assert await cancel(parts, id) == "in_hand"
    await delivery.attempt(Held(claim, math.inf), notification)
    assert await cancel(parts, id) == "sent"
    assert len(mails.sent) == 1
    assert await counted(parts) == (1, 1)


async def test_of_cancels_and_a_claim_at_once_one_side_wins(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    posted = [await post() for _ in range(20)]

    async def cancelled(id: str) -> list[str | None]:
        return await asyncio.gather(*(cancel(parts, id) for _ in range(20)))

    answers, _ = await asyncio.gather(asyncio.gather(*(cancelled(id) for id in posted)), deliver(delivery, Lane.ALERT))
    sent = {mail.message_id[1:27] for mail in mails.sent}
    for id, answered in zip(posted, answers, strict=True):
        tally = Counter(answered)
        assert (await told(parts, id))[0] == ("sent" if id in sent else "cancelled")
        assert tally[None] == (id not in sent)
        assert set(answered) <= ({"in_hand", "sent"} if id in sent else {None, "cancelled"})
    assert await counted(parts) == (20, 20)


async def test_what_is_gone_is_not_cancelled(parts: Parts, clock: SetClock, post: Post) -> None:
    id = await post(send_at=moment(clock.now + HOUR))
    found = await parts.archive.find(id)
    assert found
    await parts.archive.erase(ACCOUNT)
    assert await parts.outbox.cancel(found, clock.now) == "gone"
    assert await parts.archive.find(id) is None
    assert await counted(parts) == (1, 1)
