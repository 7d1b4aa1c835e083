"""Twilio has no time, fails, or takes a text and does not say so."""

import asyncio
import itertools

from tests.faults.conftest import Hold
from tests.faults.trial import Fault, Trial
from tests.service import until

_BURST = 25
# How many of a burst are taken without an answer before workers die.
_WITHHELD = 10


async def too_many_and_out_of_order(trial: Trial) -> None:
    """429 and 5xx, as many as there are texts."""
    failures = [(429, 20429), (503, 20503), (500, 20500)]
    trial.service.phone.fail_next = [failures[i % len(failures)] for i in range(trial.size)]
    await trial.burst(trial.size, channel="sms")


async def taken_unanswered(trial: Trial) -> None:
    """The text is on its way, which only its status callback tells."""
    trial.service.phone.withhold_next = trial.size
    await trial.burst(trial.size, channel="sms")


async def taken_unanswered_unreported(trial: Trial) -> None:
    """Nobody tells: each is sent again, once."""
    trial.service.phone.callbacks = ()
    trial.may_double = trial.size
    await taken_unanswered(trial)


async def told_in_the_wrong_order(trial: Trial) -> None:
    """That a text was delivered is told first, then that it was sent, and only then is the request answered."""
    trial.service.phone.callbacks, trial.service.phone.callbacks_first = (1, 0), True
    ids = await trial.burst(trial.size, channel="sms")
    await trial.settle()
    standing = {trial.accepted[id].shown["status"] for id in ids}
    assert standing == {"delivered"}, standing


async def told_by_nobody_who_lives(trial: Trial) -> None:
    """Workers die with texts in hand that Twilio took: callbacks tell what became of them, and none goes again."""
    workers = itertools.cycle(trial.workers)
    for _ in range(max(1, trial.size // _BURST)):
        trial.service.phone.withhold_next = _WITHHELD
        async with asyncio.TaskGroup() as load:
            load.create_task(trial.burst(min(_BURST, trial.size), channel="sms"))
            await until(lambda: not trial.service.phone.withhold_next)
            for _ in trial.workers:
                worker = next(workers)
                trial.kill(worker)
                trial.service.again(worker)


FAULTS = (
    Fault("Twilio answers 429, 503, 500", too_many_and_out_of_order, short=12, full=100),
    Fault("Twilio takes and does not answer", taken_unanswered, short=0, full=24, seconds=150),
    Fault("Twilio's callbacks come first, the last one first", told_in_the_wrong_order, short=0, full=100),
    Fault("workers killed after Twilio took their texts", told_by_nobody_who_lives, short=0, full=100, seconds=150),
    Fault("Twilio takes and tells nothing at all", taken_unanswered_unreported, short=0, full=24, seconds=150),
)


async def test_nothing_is_lost(fault: Fault, hold: Hold) -> None:
    tally = await hold(fault)
    assert (tally.lost, tally.waiting, tally.unaccounted) == (0, 0, 0), tally
