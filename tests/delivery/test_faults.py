"""What goes wrong around a sending: workers that die, records that are gone or damaged, keys that are retired."""

import asyncio
import math
import os
from dataclasses import replace

import pytest

from notifier.composition import Parts
from notifier.delivery import Delivery
from notifier.notices import Lane
from notifier.rounds import Held
from notifier.sealing import Sealer
from notifier.transports.base import Mail, Sms
from notifier.transports.memory import MemoryTransport
from tests.conftest import SetClock
from tests.delivery.conftest import Mails, Post, dead, deliver, due, told

LEASE_S = 20


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
    sleeper = asyncio.create_task(deliver(delivery, Lane.ALERT))
    await asleep.wait()
    clock.forward(seconds=LEASE_S)
    await deliver(delivery, Lane.ALERT)
    wake.set()
    await sleeper
    # One duplicate at most, and known for one by its bytes.
    assert len(mails.sent) == 2
    assert mails.sent[0] == mails.sent[1]
    status, timeline = await told(parts, id)
    assert (status, [entry["what"] for entry in timeline]) == ("sent", ["rendered", "sent"])


async def test_a_worker_that_stood_still_before_the_last_step_does_not_take_it(
    parts: Parts, delivery: Delivery, mails: Mails, post: Post
) -> None:
    id = await post()
    ((claim, notification),) = await parts.outbox.claim(Lane.ALERT, delivery.clock(), 1)
    held = Held(claim, math.inf)

    async def stand_still(_: Mail) -> None:
        held.until = 0

    mails.before = stand_still
    await delivery.attempt(held, notification)
    assert (len(mails.given), mails.sent) == (1, [])
    assert await told(parts, id) == ("accepted", [])


async def test_a_text_waits_for_no_turn_and_is_not_sent_by_who_lost_it(
    parts: Parts, delivery: Delivery, texts: MemoryTransport[Sms], post: Post
) -> None:
    with delivery.turns.turn(0) as elsewhere:
        await elsewhere.take()
        await post(channel="sms")
        await deliver(delivery, Lane.ALERT)
    assert len(texts.sent) == 1
    id = await post(channel="sms")
    ((claim, notification),) = await parts.outbox.claim(Lane.ALERT, delivery.clock(), 1)
    await delivery.attempt(Held(claim, 0), notification)
    assert len(texts.sent) == 1
    assert await told(parts, id) == ("accepted", [])


@pytest.mark.parametrize(("lost", "status"), [(0, "sent"), (9, "sent"), (11, "failed"), (20, "failed")])
async def test_a_record_that_kills_its_workers_is_given_up(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post, lost: int, status: str
) -> None:
    id = await post()
    for _ in range(lost):
        assert await parts.outbox.claim(Lane.ALERT, clock(), 64)
        clock.forward(seconds=LEASE_S)
    await deliver(delivery, Lane.ALERT)
    assert (await told(parts, id))[0] == status
    assert len(mails.given) == (1 if status == "sent" else 0)
    assert await dead(parts) == ([] if status == "sent" else [id])
    if status == "failed":
        assert (await told(parts, id))[1][-1]["reason"] == "lost_workers"
    assert not await due(parts)


async def test_while_every_relay_is_away_nothing_is_composed_nor_due_before_one_may_be_tried(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    id = await post()
    mails.rest = 40
    await deliver(delivery, Lane.ALERT)
    status, timeline = await told(parts, id)
    assert (status, [entry["what"] for entry in timeline]) == ("retrying", ["attempt_failed"])
    assert (timeline[0]["reason"], mails.given) == ("no_relay_reachable", [])
    mails.rest = 0
    clock.forward(seconds=39)
    await deliver(delivery, Lane.ALERT)
    assert mails.given == []
    clock.forward(seconds=1)
    await deliver(delivery, Lane.ALERT)
    assert len(mails.sent) == 1
    assert [entry["what"] for entry in (await told(parts, id))[1]] == ["attempt_failed", "rendered", "sent"]


async def test_two_workers_share_a_lane(parts: Parts, delivery: Delivery, mails: Mails, post: Post) -> None:
    ids = [await post() for _ in range(100)]
    await asyncio.gather(*(deliver(delivery, Lane.ALERT) for _ in range(4)))
    assert sorted(mail.message_id for mail in mails.given) == sorted(f"<{id}@northbank.example>" for id in ids)


async def test_what_a_retired_key_has_sealed_is_a_dead_letter(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    id = await post()
    retired = replace(delivery, sealer=Sealer([os.urandom(32)]))
    for _ in range(5):
        # It may be a key that this worker has not been given yet.
        await deliver(retired, Lane.ALERT)
        status, timeline = await told(parts, id)
        assert (status, timeline[-1]["reason"], await dead(parts)) == ("retrying", "payload_key_unknown", [])
        clock.forward(minutes=10)
    await deliver(retired, Lane.ALERT)
    status, timeline = await told(parts, id)
    assert (status, timeline[-1]["reason"], await dead(parts)) == ("failed", "payload_key_retired", [id])
    assert mails.given == []


async def test_what_a_key_has_sealed_that_comes_later_is_sent(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    id = await post()
    await deliver(replace(delivery, sealer=Sealer([os.urandom(32)])), Lane.ALERT)
    clock.forward(minutes=1)
    await deliver(delivery, Lane.ALERT)
    assert ((await told(parts, id))[0], len(mails.sent)) == ("sent", 1)


async def test_what_an_older_key_has_sealed_is_sent(parts: Parts, delivery: Delivery, mails: Mails, post: Post) -> None:
    await post()
    rotated = Sealer([*parts.settings.payload_keys, os.urandom(32)])
    await deliver(replace(delivery, sealer=rotated), Lane.ALERT)
    assert len(mails.sent) == 1


@pytest.mark.parametrize(("key", "reason"), [("event:*", "erased"), ("code:*", "code_gone")])
async def test_what_was_erased_is_not_sent(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post, key: str, reason: str
) -> None:
    id = await post("password_reset")
    assert await parts.redis.delete(*await parts.redis.keys(key)) == 1
    await deliver(delivery, Lane.CRITICAL)
    clock.forward(seconds=10)
    await deliver(delivery, Lane.CRITICAL)
    status, timeline = await told(parts, id)
    assert (status, timeline[-1]["reason"]) == ("expired", reason)
    assert mails.given == []
    assert await dead(parts) == []


@pytest.mark.parametrize("key", ["event:*", "code:*"])
async def test_what_was_not_found_at_first_is_sent(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post, key: str
) -> None:
    id = await post("password_reset")
    (kept,) = await parts.redis.keys(key)
    await parts.redis.rename(kept, "elsewhere")
    await deliver(delivery, Lane.CRITICAL)
    assert (await told(parts, id))[0] == "retrying"
    await parts.redis.rename("elsewhere", kept)
    clock.forward(seconds=10)
    await deliver(delivery, Lane.CRITICAL)
    assert ((await told(parts, id))[0], len(mails.sent)) == ("sent", 1)


async def test_a_notification_that_was_erased_is_forgotten(
    parts: Parts, delivery: Delivery, mails: Mails, post: Post
) -> None:
    id = await post()
    await parts.redis.delete(f"ntf:{id}")
    await deliver(delivery, Lane.ALERT)
    assert mails.given == []
    assert not await due(parts)


async def test_where_sms_is_not_set_up_it_is_a_dead_letter(parts: Parts, delivery: Delivery, post: Post) -> None:
    id = await post(channel="sms")
    await deliver(replace(delivery, sms=None), Lane.ALERT)
    status, timeline = await told(parts, id)
    assert (status, timeline[-1]["reason"], await dead(parts)) == ("failed", "sms_not_set_up", [id])


async def test_one_faulty_payload_does_not_stop_the_others(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    ids = [await post() for _ in range(3)]
    notification = await parts.archive.find(ids[1])
    assert notification is not None
    # Sealed by us, and nothing that this version reads: as after a rollback.
    sealed = parts.sealer.seal(notification.event, b'{"notice": "of_tomorrow"}')
    await parts.redis.set(f"event:{notification.event}", bytes(16) + sealed)
    await deliver(delivery, Lane.ALERT)
    assert [(await told(parts, id))[0] for id in ids] == ["sent", "retrying", "sent"]
    assert (await told(parts, ids[1]))[1][-1]["reason"].startswith("error_")
    clock.forward(days=3)
    await deliver(delivery, Lane.ALERT)
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
    await deliver(delivery, Lane.ALERT)
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
    await deliver(delivery, Lane.ALERT)
    assert {mail.message_id for mail in mails.sent} == {f"<{id}@northbank.example>" for id in (ids[0], ids[2])}
    assert await dead(parts) == [ids[1]]
    assert (await parts.archive.timeline(ids[1]))[-1]["reason"] == "unreadable"
    assert not await due(parts)


async def test_a_settlement_whose_answer_was_lost_counts_once(parts: Parts, clock: SetClock, post: Post) -> None:
    id = await post()
    ((taken, _),) = await parts.outbox.claim(Lane.ALERT, clock(), 64)
    for _ in range(3):
        assert await parts.outbox.settle(taken, Lane.ALERT, "sent", clock())
    assert await told(parts, id) == ("sent", [{"at": clock.now, "what": "sent"}])
    assert await parts.archive.counts() == {"accepted": 1, "sent": 1}
