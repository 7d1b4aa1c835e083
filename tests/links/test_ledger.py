"""The ledger on a real store: each outcome at its edges, one action from many clicks, and turns that are fenced."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from arq.connections import ArqRedis

from links.actions import FINISHED, TALLY
from links.ledger import Judgement, Ledger, Link, Outcome, State
from links.purposes import Purpose
from links.store import Write, write_if_absent
from tests.conftest import SetClock
from tests.links.conftest import MakeLink, actions_of, is_due

DELAY = 2 * 3_600_000
LEASE = 30_000
DANGEROUS = ("authorize_device", "confirm_withdrawal", "activate_account")


async def write(redis: ArqRedis, writes: Iterable[Write]) -> None:
    assert await write_if_absent(redis, "no-such-key", writes) is None


async def everything(redis: ArqRedis) -> dict[bytes, tuple[bytes, int]]:
    keys = [key for key in await redis.keys("*") if key != TALLY.encode()]
    ends = {key: await redis.pexpiretime(key) for key in keys}  # type: ignore[misc]
    return {key: (await redis.dump(key) or b"", end) for key, end in ends.items()}


async def consumed(
    ledger: Ledger, link: Link, clock: SetClock, action: str = "act", payload: bytes = b"p"
) -> Judgement:
    return await ledger.consume(link, clock.now, action, payload)


async def finished(ledger: Ledger, link: Link, clock: SetClock, answer: bytes | None = None) -> None:
    assert (await consumed(ledger, link, clock)).outcome == "accepted"
    (claim,) = await actions_of(ledger).claim(clock.now, LEASE, 9)
    assert await actions_of(ledger).finish(claim, "done", clock.now, answer)


async def test_a_link_is_open_then_pending_then_done(ledger: Ledger, link: MakeLink, clock: SetClock) -> None:
    one = link("authorize_device")
    assert await ledger.look(one, clock.now) == Judgement("open", one.expires, attempts_left=5)
    used = clock.now
    assert await consumed(ledger, one, clock) == Judgement("accepted", used, "act")
    clock.forward(seconds=1)
    for _ in range(2):
        assert await consumed(ledger, one, clock, "other") == Judgement("pending", used, "act")
    (claim,) = await actions_of(ledger).claim(clock.now, LEASE, 9)
    assert (claim.id, claim.fields["payload"], claim.fields["purpose"]) == ("act", b"p", b"authorize_device")
    assert await actions_of(ledger).finish(claim, "done", clock.now, None)
    assert await ledger.look(one, clock.now) == Judgement("done", clock.now)
    assert not await is_due(ledger, clock.now + DELAY)


async def test_a_refusal_is_told_and_another_copy_may_try_again(
    ledger: Ledger, link: MakeLink, clock: SetClock
) -> None:
    one, copy = link(), link()
    await consumed(ledger, one, clock)
    (claim,) = await actions_of(ledger).claim(clock.now, LEASE, 9)
    assert await actions_of(ledger).finish(claim, "refused", clock.now, b"why")
    assert await ledger.look(one, clock.now) == Judgement("refused", clock.now, "act")
    assert await actions_of(ledger).answer("act") == b"why"
    assert (await ledger.look(copy, clock.now)).outcome == "open"


@pytest.mark.parametrize("purpose", ["deactivate", *DANGEROUS])
@pytest.mark.parametrize(("past", "outcome"), [(-1, "open"), (0, "expired"), (1_000, "expired")])
async def test_a_link_expires_to_the_millisecond(
    purpose: str, past: int, outcome: Outcome, ledger: Ledger, link: MakeLink, redis: ArqRedis
) -> None:
    one = link(purpose)
    assert await ledger.look(one, one.expires + past) == Judgement(
        outcome, one.expires, attempts_left=5 if outcome == "open" else None
    )
    if outcome == "expired":
        assert (await ledger.consume(one, one.expires + past, "act", b"p")).outcome == "expired"
        # Nothing but what the audit tells of it.
    assert set(await redis.keys("*")) <= {b"link:audit:acc", TALLY.encode()}


@pytest.mark.parametrize("purpose", DANGEROUS)
async def test_a_newer_link_for_the_subject_supersedes(
    purpose: str, ledger: Ledger, link: MakeLink, clock: SetClock, redis: ArqRedis
) -> None:
    old, other = link(purpose), link(purpose, subject="another")
    clock.forward(ms=1)
    new = link(purpose)
    await write(redis, await ledger.issued(new))
    assert await consumed(ledger, old, clock) == Judgement("superseded", new.issued)
    assert [(await ledger.look(each, clock.now)).outcome for each in (new, other)] == ["open", "open"]


async def test_the_newest_stays_whichever_is_written_last(
    ledger: Ledger, link: MakeLink, clock: SetClock, redis: ArqRedis
) -> None:
    older, newer = link("confirm_withdrawal"), link("confirm_withdrawal", issued=clock.now + 5)
    # Both were prepared before either was written, as two processes do that accept at once.
    prepared = [await ledger.issued(newer), await ledger.issued(older)]
    for writes in prepared:
        await write(redis, writes)
    clock.forward(ms=5)
    assert await ledger.look(older, clock.now) == Judgement("superseded", newer.issued)
    assert (await ledger.look(newer, clock.now)).outcome == "open"


async def test_one_that_is_issued_later_supersedes_from_then_on_unless_withdrawn(
    ledger: Ledger, link: MakeLink, clock: SetClock, redis: ArqRedis
) -> None:
    at = clock.now + 60_000
    old, now = link("confirm_withdrawal"), link("confirm_withdrawal", issued=clock.now + 1)
    later = link("confirm_withdrawal", issued=at, expires=at + 1_800_000)
    await write(redis, await ledger.issued(later, later=True))
    await write(redis, await ledger.issued(now))
    # What is issued now voids older ones now; and is not remembered for less long than what comes later.
    (key,) = await redis.keys("link:newest:*")
    assert await redis.pexpiretime(key) == later.expires  # type: ignore[misc]  # typed as a client that does not wait
    assert await ledger.look(old, clock.now) == Judgement("superseded", now.issued)
    assert (await ledger.look(now, at - 1)).outcome == "open"
    assert await ledger.look(now, at) == Judgement("superseded", at)
    assert (await ledger.look(later, at)).outcome == "open"
    await ledger.withdraw(later)
    assert (await ledger.look(now, at)).outcome == "open"
    assert await ledger.look(old, at) == Judgement("superseded", now.issued)


async def test_a_deactivation_voids_dangerous_links_and_opens_the_way_back_after_the_delay(
    ledger: Ledger, link: MakeLink, clock: SetClock, redis: ArqRedis, table: Mapping[str, Purpose]
) -> None:
    dangerous, back, copy = [link(name) for name in DANGEROUS], link("reactivate"), link("deactivate", expires=1)
    assert await consumed(ledger, back, clock) == Judgement("idle", clock.now)
    clock.forward(seconds=1)
    at = clock.now
    assert await ledger.tell("acc", "deactivated", at) == at
    for one in dangerous:
        assert await consumed(ledger, one, clock) == Judgement("shut", at)
    # Every copy says so, even one that has expired.
    assert await consumed(ledger, copy, clock) == Judgement("done", at)
    assert await ledger.look(back, at + DELAY - 1) == Judgement("early", at + DELAY)
    assert (await ledger.consume(back, at + DELAY - 1, "act", b"p")).outcome == "early"
    assert (await ledger.consume(back, at + DELAY, "act", b"p")).outcome == "accepted"
    later = clock.now + 1
    assert [(await ledger.look(link(name, issued=later), later)).outcome for name in DANGEROUS] == ["open"] * 3


async def test_a_deactivation_that_is_not_confirmed_keeps_the_way_back_closed(
    ledger: Ledger, link: MakeLink, clock: SetClock
) -> None:
    back = link("reactivate")
    await consumed(ledger, link(), clock)
    assert await ledger.look(back, clock.now) == Judgement("early", clock.now + DELAY)
    assert (await ledger.look(back, clock.now + DELAY)).outcome == "early"


async def test_a_reactivation_retires_every_older_link(
    ledger: Ledger, link: MakeLink, clock: SetClock, redis: ArqRedis, table: Mapping[str, Purpose]
) -> None:
    old = [link(name) for name in table]
    await ledger.tell("acc", "deactivated", clock.now - DELAY)
    await ledger.tell("acc", "active", clock.now)
    for one in old:
        assert await consumed(ledger, one, clock) == Judgement("superseded", clock.now)
    new = link(issued=clock.now + 1)
    assert (await ledger.look(new, clock.now)).outcome == "open"
    assert (await ledger.look(link("deactivate", account="other"), clock.now)).outcome == "open"


@pytest.mark.parametrize("late", ["deactivated", "active"])
async def test_older_news_that_come_late_change_nothing(
    late: State, ledger: Ledger, link: MakeLink, clock: SetClock
) -> None:
    one, back = link("confirm_withdrawal"), link("reactivate", issued=clock.now + 1)
    void = {"deactivated": "shut", "active": "superseded"}[late]
    await ledger.tell("acc", late, clock.now)
    assert (await ledger.look(one, clock.now)).outcome == void
    now = (await ledger.look(back, clock.now)).outcome
    for state in ("active", "deactivated"):
        await ledger.tell("acc", state, clock.now - 60_000)
        assert (await ledger.look(one, clock.now)).outcome == void
        assert (await ledger.look(back, clock.now)).outcome == now


@pytest.mark.parametrize("copies", [1, 2])
async def test_twenty_parallel_clicks_make_one_action(
    copies: int, ledger: Ledger, link: MakeLink, clock: SetClock, redis: ArqRedis
) -> None:
    links = [link() for _ in range(copies)]
    judged = await asyncio.gather(*(consumed(ledger, links[n % copies], clock, f"act{n}") for n in range(20)))
    assert sorted(j.outcome for j in judged) == ["accepted", *["pending"] * 19]
    assert len({j.action for j in judged}) == 1
    assert len(await actions_of(ledger).claim(clock.now, LEASE, 99)) == 1
    assert len(await redis.keys("link:action:*")) == 1


async def test_looking_changes_nothing_and_an_unclicked_link_stores_nothing(
    ledger: Ledger, link: MakeLink, clock: SetClock, redis: ArqRedis, table: Mapping[str, Purpose]
) -> None:
    links = [link(name) for name in table]
    for one in links:
        await ledger.look(one, clock.now)
    # Nothing but what the audit tells of it.
    assert set(await redis.keys("*")) <= {b"link:audit:acc", TALLY.encode()}
    await write(redis, await ledger.issued(link("authorize_device")))
    await consumed(ledger, link("confirm_withdrawal"), clock)
    before = await everything(redis)
    for _ in range(1_000 // len(links)):
        await asyncio.gather(*(ledger.look(one, clock.now) for one in links))
    assert await everything(redis) == before


@pytest.mark.parametrize("settle", ["finish", "retry", "bury"])
async def test_only_the_newest_claim_settles(settle: str, ledger: Ledger, link: MakeLink, clock: SetClock) -> None:
    await consumed(ledger, link(), clock)
    (stale,) = await actions_of(ledger).claim(clock.now, LEASE, 9)
    assert await actions_of(ledger).claim(clock.now + LEASE - 1, LEASE, 9) == []
    clock.forward(ms=LEASE)
    (fresh,) = await actions_of(ledger).claim(clock.now, LEASE, 9)
    assert (stale.id, stale.fence, fresh.id, fresh.fence) == ("act", 1, "act", 2)
    for claim, settles in ((stale, False), (fresh, True), (stale, False)):
        match settle:
            case "finish":
                settled = await actions_of(ledger).finish(claim, "done", clock.now, None)
            case "retry":
                settled = await actions_of(ledger).retry(claim, clock.now + DELAY)
            case _:
                settled = await actions_of(ledger).bury(claim, clock.now, "http_410")
        assert settled is settles
    clock.forward(ms=LEASE)
    assert not await is_due(ledger, clock.now)
    assert await is_due(ledger, clock.now + DELAY) is (settle == "retry")


async def test_what_an_attempt_leaves(ledger: Ledger, link: MakeLink, clock: SetClock, redis: ArqRedis) -> None:
    one = link()
    await consumed(ledger, one, clock)
    (claim,) = await actions_of(ledger).claim(clock.now, LEASE, 9)
    await actions_of(ledger).retry(claim, clock.now + 5)
    (again,) = await actions_of(ledger).claim(clock.now + 5, LEASE, 9)
    assert again.fields["attempts"] == b"1"
    await actions_of(ledger).bury(again, clock.now, "http_410")
    assert await redis.zrange("link:dead", 0, -1) == [b"act"]
    assert (await ledger.look(one, clock.now)).outcome == "pending"


async def test_the_end_of_an_action_is_told_to_whoever_listens(
    redis: ArqRedis, ledger: Ledger, link: MakeLink, clock: SetClock
) -> None:
    async with redis.pubsub(ignore_subscribe_messages=True) as heard:
        await heard.subscribe(FINISHED)
        await heard.get_message(timeout=30)
        await ledger.consume(link(), clock.now, "act", b"payload")
        (claim,) = await actions_of(ledger).claim(clock.now, 30_000, 9)
        assert not await actions_of(ledger).finish(replace(claim, fence=9), "done", clock.now, None)
        assert await heard.get_message(timeout=0) is None
        assert await actions_of(ledger).finish(claim, "done", clock.now, None)
        message = await heard.get_message(timeout=30)
        assert message
        assert message["data"] == b"act"


async def test_an_action_that_was_erased_is_claimed_by_nobody(
    ledger: Ledger, link: MakeLink, clock: SetClock, redis: ArqRedis
) -> None:
    await consumed(ledger, link(), clock)
    await redis.delete("link:action:act")
    assert await actions_of(ledger).claim(clock.now, LEASE, 9) == []
    assert not await is_due(ledger, clock.now)


async def test_a_finished_link_costs_little_and_goes_when_it_expires(
    ledger: Ledger, link: MakeLink, clock: SetClock, redis: ArqRedis
) -> None:
    one = link("confirm_withdrawal")
    await finished(ledger, one, clock, b"an answer")
    (use,) = await redis.keys("link:use:*")
    assert await redis.memory_usage(use) <= 150
    # Redis's clock may be ahead of ours by that much.
    assert await redis.pexpiretime(use) == one.expires + 300_000  # type: ignore[misc]
    assert set(await redis.keys("*")) == {use, b"link:action:act", b"link:audit:acc", TALLY.encode()}
    assert await redis.pttl("link:action:act") > 0


async def test_an_audit_is_small_and_its_entries_end(
    ledger: Ledger, link: MakeLink, clock: SetClock, redis: ArqRedis
) -> None:
    one = link("deactivate")
    for _ in range(1_000):
        await ledger.shown(one, "open", clock.now)
    await finished(ledger, one, clock)
    await ledger.revoke("acc", [one.purpose], clock.now)
    told = [(entry.what, entry.purpose, entry.link, entry.reason) for entry in await ledger.audit("acc")]
    assert told == [
        ("shown", "deactivate", one.identity, "open"),
        ("consumed", "deactivate", one.identity, ""),
        ("forwarded", "deactivate", one.identity, "done"),
        ("revoked", "deactivate", "", ""),
    ]
    assert await redis.memory_usage("link:audit:acc") <= 500
    # An hour later the same visit is news; after its age an entry goes as the next one comes.
    clock.forward(hours=1, ms=1)
    await ledger.shown(one, "open", clock.now)
    assert len(await ledger.audit("acc")) == 5
    clock.forward(days=90)
    await ledger.shown(one, "expired", clock.now)
    assert [entry.reason for entry in await ledger.audit("acc")] == ["open", "expired"]
