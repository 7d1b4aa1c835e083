"""The account platform fails while owners confirm: each action reaches it, under one `webhook-id`, and is taken once;
each owner is told, once.

A row counts actions: accepted is what owners confirmed, delivered what the platform took, duplicates what came under
more than one id.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from email import message_from_bytes, policy

from starlette.types import ASGIApp, Receive, Scope, Send

from tests.faults.conftest import Hold
from tests.faults.tally import Tally
from tests.faults.trial import Fault, Trial
from tests.faults.unruly import Misconduct, answer, hang, take, well
from tests.people import link
from tests.service import until

_LEASE = 20


async def confirm(trial: Trial) -> None:
    """Each owner gets an alert and confirms the deactivation of their account."""
    contents: dict[str, bytes] = {}
    trial.relay.contents = contents
    ids = await trial.burst(trial.size)
    await trial.arrived(*ids)

    async def press(id: str) -> None:
        url = link(message_from_bytes(contents[id], policy=policy.default), "d")
        assert (await trial.service.browser.post(url)).status_code in (200, 202)

    await asyncio.gather(*map(press, ids))


def misbehaving(*misconducts: Misconduct) -> Callable[[Trial], Awaitable[None]]:
    """In turn, to the first request for each action."""

    async def make(trial: Trial) -> None:
        turns, known = itertools.cycle(misconducts), set[bytes]()

        async def in_turn(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            id = dict(scope["headers"])[b"webhook-id"]
            misconduct = well if id in known else next(turns)
            known.add(id)
            await misconduct(app, scope, receive, send)

        trial.platform.misbehave(in_turn)
        await confirm(trial)

    return make


async def gone(trial: Trial) -> None:
    """410: it wants no more of them."""
    trial.platform.misbehave(answer(410))
    trial.dead = trial.size
    await confirm(trial)


async def down(trial: Trial) -> None:
    """For some seconds it answers nothing but 503."""
    trial.service.platform.down = True
    await confirm(trial)
    await asyncio.sleep(2)
    trial.service.platform.down = False


async def worker_killed(trial: Trial) -> None:
    """The platform has taken them, and whoever told it dies before the answer."""
    (worker,) = trial.workers
    held = 0

    async def kill(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal held
        held += 1
        if held == trial.size:
            trial.kill(worker)
            trial.service.again(worker)
        await hang(app, scope, receive, send)

    trial.platform.misbehave(take(kill), times=trial.size)
    await confirm(trial)
    await until(lambda: trial.kills, _LEASE)


async def actions(trial: Trial) -> Tally:
    """What became of each action, told by its notification's timeline and by the platform."""
    while time.monotonic() < trial.began + trial.fault.seconds:
        await trial.settle()
        outcomes = Counter(_outcome(posted.shown["timeline"]) for posted in trial.accepted.values())
        if not outcomes[None]:
            break
        await asyncio.sleep(0.5)
    taken = {(told.account_id, told.webhook_id) for told in trial.service.platform.deliveries if told.settled}
    by_account = Counter(account for account, _ in taken)
    # And the owner of each is told, once.
    owners = trial.size + len(by_account)
    await until(lambda: len(trial.taken) >= owners)
    repeated = sum(told.repeated for told in trial.service.platform.deliveries)
    if repeated:
        trial.notes.append(f"{repeated} heard again, under the same id")
    return trial.tally(
        accepted=trial.size,
        delivered=len(by_account),
        duplicates=by_account.total() - len(by_account),
        dead=outcomes["stopped"],
        expired=0,
        strays=sum(len(times) for times in trial.taken.values()) - owners,
        waiting=outcomes[None],
    )


def _outcome(timeline: list[dict[str, str]]) -> str | None:
    told = [entry["outcome"] for entry in timeline if entry["what"] == "forwarded"]
    return told[-1] if told and told[-1] != "again" else None


FAULTS = (
    Fault(
        "platform answers 500, 301, 404, 429",
        misbehaving(answer(500), answer(301, location="/elsewhere"), answer(404), answer(429)),
        short=12,
        full=80,
        count=actions,
    ),
    Fault("platform hangs", misbehaving(hang), short=0, full=40, count=actions),
    Fault("platform takes and hangs", misbehaving(take(hang)), short=0, full=40, count=actions),
    Fault(
        "platform answers nonsense",
        misbehaving(take(answer(200, b"<html>")), take(answer(200, b"[" * 9_000)), take(answer(204))),
        short=0,
        full=80,
        count=actions,
    ),
    Fault("platform answers 410", gone, short=0, full=40, count=actions),
    Fault("platform down for some seconds", down, short=0, full=80, count=actions),
    Fault("worker killed while it forwards", worker_killed, short=0, full=16, workers=1, count=actions),
)


async def test_each_action_arrives_once(fault: Fault, hold: Hold) -> None:
    tally = await hold(fault)
    assert (tally.lost, tally.waiting, tally.unaccounted) == (0, 0, 0), tally
    assert tally.duplicates == 0, tally
