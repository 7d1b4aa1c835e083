"""The workers' clock is set while they work: nothing is lost by it, and nothing late enough to matter."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.faults.conftest import Hold
from tests.faults.relay import at, late
from tests.faults.trial import Fault, Trial, start_worker

_HOUR = 3600


def set_by(seconds: float) -> Callable[[Trial], Awaitable[None]]:
    """In the middle of it."""

    async def make(trial: Trial) -> None:
        file = trial.service.logs / "clock"
        file.write_text("0")
        for number in (1, 2):
            await start_worker(trial, f"worker-{number}", "-m", "tests.faults.moved_clock", str(file))
        await trial.warm()
        trial.relay.fault = at("kept", late(0.2))
        # To a clock that is far ahead all leases are over: what a worker has in doubt then, another may take.
        trial.may_double += len(trial.workers) if seconds > 0 else 0
        async with asyncio.TaskGroup() as load:
            load.create_task(trial.burst(trial.size))
            await asyncio.sleep(1)
            file.write_text(str(seconds))
        trial.relay.fault = at("kept", late(0))

    return make


FAULTS = (
    Fault("workers' clock 5 s back", set_by(-5), short=0, full=300, workers=0),
    Fault("workers' clock 1 h forward", set_by(_HOUR), short=30, full=300, workers=0),
)


async def test_nothing_is_lost(fault: Fault, hold: Hold) -> None:
    tally = await hold(fault)
    assert (tally.lost, tally.waiting, tally.unaccounted) == (0, 0, 0), tally
