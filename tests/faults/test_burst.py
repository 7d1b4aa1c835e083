"""Ten thousand events at once: all of them arrive, and a code that is asked for meanwhile does not wait behind them."""

import asyncio
import time

from tests.faults.conftest import Hold
from tests.faults.trial import Fault, Trial, start_worker
from tests.service import until

# From the post until the relay has the mail.
_LONGEST_P99 = 5
_CODES_A_SECOND = 10


async def codes_before_a_backlog(trial: Trial) -> None:
    """Workers begin when all of it waits in the lower lane; codes come steadily, as long as there is a backlog."""
    posted = time.monotonic()
    alerts = await trial.burst(trial.size, at_once=32)
    trial.notes.append(f"accepted {trial.size / (time.monotonic() - posted):.0f} a second")
    for number in (1, 2):
        await start_worker(trial, f"worker-{number}")
    await until(lambda: trial.taken)
    began, codes = time.monotonic(), list[str]()
    async with asyncio.TaskGroup() as group:
        while len(trial.taken) < len(alerts):
            group.create_task(_code(trial, codes))
            await asyncio.sleep(1 / _CODES_A_SECOND)
    trial.notes.append(f"sent {trial.size / (time.monotonic() - began):.0f} a second")
    await trial.arrived(*codes)
    took = sorted(trial.taken[id][0] - trial.accepted[id].began for id in codes)
    p50, p99 = (took[int(len(took) * part)] for part in (0.5, 0.99))
    trial.notes.append(f"{len(codes)} codes: p50 {p50:.2f} s, p99 {p99:.2f} s")
    assert p99 <= _LONGEST_P99


async def _code(trial: Trial, codes: list[str]) -> None:
    codes.append(await trial.post("password_reset"))


FAULTS = (Fault("burst, and codes behind it", codes_before_a_backlog, short=300, full=10_000, workers=0, seconds=400),)


async def test_nothing_is_lost(fault: Fault, hold: Hold) -> None:
    tally = await hold(fault)
    assert (tally.lost, tally.waiting, tally.unaccounted) == (0, 0, 0), tally
