"""What goes wrong around a sending: workers that die, records that are gone or damaged, keys that are retired."""

import asyncio
import os
from dataclasses import replace

import pytest

from notifier.composition import Parts
from notifier.delivery import Delivery
from notifier.notices import Lane
from notifier.sealing import Sealer
from notifier.transports.base import Mail
from tests.conftest import SetClock
from tests.delivery.conftest import Mails, Post, dead, due, told

LEASE_S = 30


async def test_what_is_claimed_is_nobody_else_s_until_the_lease_ends(parts: Parts, clock: SetClock, post: Post) -> None:
    id = await post()
    ((first, notification),) = await parts.outbox.claim(Lane.ALERT, clock(), 64)
    assert (notification.id, first.fence) == (id, 1)
    clock.forward(seconds=LEASE_S, ms=-1)
    assert await parts.outbox.claim(Lane.ALERT, clock(), 64) == []
    clock.forward(ms=1)
    ((second, _),) = await parts.outbox.claim(Lane.ALERT, clock(), 64)
    assert (second.id, second.fence) == (id, 2)


async def test_a_claim_that_is_stale_settles_nothing(parts: Parts, clock: SetClock, post: Post) -> None:
    id = await post()
    ((stale, _),) = await parts.outbox.claim(Lane.ALERT, clock(), 64)
    clock.forward(seconds=LEASE_S)
    ((fresh, _),) = await parts.outbox.claim(Lane.ALERT, clock(), 64)
    assert await parts.outbox.settle(stale, Lane.ALERT, "failed", clock()) is False
    assert await parts.outbox.retry(stale, Lane.ALERT, clock(), clock()) is False
    assert await told(parts, id) == ("accepted", [])
    assert await dead(parts) == []
    assert await parts.outbox.settle(fresh, Lane.ALERT, "sent", clock()) is True
    assert (await told(parts, id))[0] == "sent"


async def test_a_worker_that_slept_past_its_lease_does_not_overrule_the_next(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    id = await post()
    asleep, wake = asyncio.Event(), asyncio.Event()

    async def sleep_first(mail: Mail) -> None:
        if len(mails.given) == 1:
            asleep.set()
            await wake.wait()

    mails.before = sleep_first
    sleeper = asyncio.create_task(delivery.deliver(Lane.ALERT))
    await asleep.wait()
    clock.forward(seconds=LEASE_S)
    await delivery.deliver(Lane.ALERT)
    wake.set()
    await sleeper
    # One duplicate at most, and known for one by its bytes.
    assert len(mails.sent) == 2
    assert mails.sent[0] == mails.sent[1]
    status, timeline = await told(parts, id)
    assert (status, [entry["what"] for entry in timeline]) == ("sent", ["rendered", "sent"])


@pytest.mark.parametrize(("lost", "status"), [(0, "sent"), (9, "sent"), (11, "failed"), (20, "failed")])
async def test_a_record_that_kills_its_workers_is_given_up(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post, lost: int, status: str
) -> None:
    id = await post()
    for _ in range(lost):
        assert await parts.outbox.claim(Lane.ALERT, clock(), 64)
        clock.forward(seconds=LEASE_S)
    await delivery.deliver(Lane.ALERT)
    assert (await told(parts, id))[0] == status
    assert len(mails.given) == (1 if status == "sent" else 0)
    assert await dead(parts) == ([] if status == "sent" else [id])
    if status == "failed":
        assert (await told(parts, id))[1][-1]["reason"] == "lost_workers"
    assert not await due(parts)


async def test_two_workers_share_a_lane(parts: Parts, delivery: Delivery, mails: Mails, post: Post) -> None:
    ids = [await post() for _ in range(100)]
    await asyncio.gather(*(delivery.deliver(Lane.ALERT) for _ in range(4)))
    assert sorted(mail.message_id for mail in mails.given) == sorted(f"<{id}@northbank.example>" for id in ids)


async def test_a_turn_ends_though_there_is_more(delivery: Delivery, mails: Mails, clock: SetClock, post: Post) -> None:
    for _ in range(65):
        await post()

    async def take_long(mail: Mail) -> None:
        clock.forward(seconds=1)

    mails.before = take_long
    assert await delivery.deliver(Lane.ALERT) is True
    assert len(mails.sent) == 64
    assert await delivery.deliver(Lane.ALERT) is False
    assert len(mails.sent) == 65


async def test_what_a_retired_key_has_sealed_is_a_dead_letter(
    parts: Parts, delivery: Delivery, mails: Mails, post: Post
) -> None:
    id = await post()
    await replace(delivery, sealer=Sealer([os.urandom(32)])).deliver(Lane.ALERT)
    status, timeline = await told(parts, id)
    assert (status, timeline[-1]["reason"], await dead(parts)) == ("failed", "payload_key_retired", [id])
    assert mails.given == []


async def test_what_an_older_key_has_sealed_is_sent(parts: Parts, delivery: Delivery, mails: Mails, post: Post) -> None:
    await post()
    rotated = Sealer([*parts.settings.payload_keys, os.urandom(32)])
    await replace(delivery, sealer=rotated).deliver(Lane.ALERT)
    assert len(mails.sent) == 1


@pytest.mark.parametrize(("key", "reason"), [("event:*", "erased"), ("code:*", "code_gone")])
async def test_what_was_erased_is_not_sent(
    parts: Parts, delivery: Delivery, mails: Mails, post: Post, key: str, reason: str
) -> None:
    id = await post("password_reset")
    assert await parts.redis.delete(*await parts.redis.keys(key)) == 1
    await delivery.deliver(Lane.CRITICAL)
    status, timeline = await told(parts, id)
    assert (status, timeline[-1]["reason"]) == ("expired", reason)
    assert mails.given == []
    assert await dead(parts) == []


async def test_a_notification_that_was_erased_is_forgotten(
    parts: Parts, delivery: Delivery, mails: Mails, post: Post
) -> None:
    id = await post()
    await parts.redis.delete(f"ntf:{id}")
    assert await delivery.deliver(Lane.ALERT) is False
    assert mails.given == []
    assert not await due(parts)


async def test_where_sms_is_not_set_up_it_is_a_dead_letter(parts: Parts, delivery: Delivery, post: Post) -> None:
    id = await post(channel="sms")
    await replace(delivery, sms=None).deliver(Lane.ALERT)
    status, timeline = await told(parts, id)
    assert (status, timeline[-1]["reason"], await dead(parts)) == ("failed", "sms_not_set_up", [id])


async def test_one_faulty_payload_does_not_stop_the_others(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    ids = [await post() for _ in range(3)]
    notification = await parts.outbox.find(ids[1])
    assert notification is not None
    # Sealed by us, and nothing that this version reads: as after a rollback.
    sealed = parts.sealer.seal(notification.event, b'{"notice": "of_tomorrow"}')
    await parts.redis.set(f"event:{notification.event}", bytes(16) + sealed)
    await delivery.deliver(Lane.ALERT)
    assert [(await told(parts, id))[0] for id in ids] == ["sent", "retrying", "sent"]
    assert (await told(parts, ids[1]))[1][-1]["reason"].startswith("error_")
    clock.forward(days=3)
    await delivery.deliver(Lane.ALERT)
    assert (await told(parts, ids[1]))[0] == "expired"


@pytest.mark.parametrize("fault", [RuntimeError("bug"), KeyError("bug"), UnicodeError("bug")])
async def test_one_fault_of_ours_does_not_stop_the_others(
    parts: Parts, delivery: Delivery, mails: Mails, post: Post, fault: Exception
) -> None:
    ids = [await post() for _ in range(3)]

    async def break_one(mail: Mail) -> None:
        if ids[1] in mail.message_id:
            raise fault

    mails.before = break_one
    await delivery.deliver(Lane.ALERT)
    assert [(await told(parts, id))[0] for id in ids] == ["sent", "retrying", "sent"]
    # What went wrong, and not what it said: that may be an address.
    assert (await told(parts, ids[1]))[1][-1]["reason"] == f"error_{type(fault).__name__}"


@pytest.mark.parametrize("damage", [("HDEL", "deadline"), ("HSET", "lane", "of_tomorrow")])
async def test_one_damaged_record_does_not_stop_the_others(
    parts: Parts, delivery: Delivery, mails: Mails, post: Post, damage: tuple[str, ...]
) -> None:
    ids = [await post() for _ in range(3)]
    command, *words = damage
    await parts.redis.execute_command(command, f"ntf:{ids[1]}", *words)  # type: ignore[no-untyped-call]
    await delivery.deliver(Lane.ALERT)
    assert {mail.message_id for mail in mails.sent} == {f"<{id}@northbank.example>" for id in (ids[0], ids[2])}
    assert await dead(parts) == [ids[1]]
    assert (await parts.outbox.timeline(ids[1]))[-1]["reason"] == "unreadable"
    assert not await due(parts)
