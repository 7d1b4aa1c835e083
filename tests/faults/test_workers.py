"""Workers that die, are told to end, or stand still: what they held is sent by another, and by nobody twice."""

import asyncio
import contextlib
import functools
import signal
import time

from tests.faults.conftest import Hold
from tests.faults.relay import Dropped, Step, at, hang, late, well
from tests.faults.trial import Fault, Trial
from tests.service import until

# A conversation is cut short between commands, in the middle of DATA, after the dot before the 250, after the 250
# before the worker could note it.
_MOMENTS: tuple[Step, ...] = ("connect", "RCPT", "content", "kept", "answered")
_BURST = 25
_LEASE = 20
# How long what a dead worker had may take.
_LONGEST = 30


class Killer:
    """A relay's fault: kills the worker it speaks with, each time at a moment of its own, and starts it again."""

    def __init__(self, trial: Trial, kills: int) -> None:
        self.left = kills
        self._trial = trial
        self._next = {worker: self._chosen() for worker in trial.workers}
        trial.notes.append(f"seed {trial.seed}")

    async def __call__(self, step: Step, port: int) -> None:
        """The step for which a worker waits is passed so many times before it dies there."""
        if step == "mail":  # as relays do, each its own time: conversations do not march in step
            await asyncio.sleep(self._trial.chance.uniform(0.005, 0.05))
        worker = self._trial.ports[port]
        moment, times = self._next[worker]
        if step != moment or not self.left or not times:
            return
        if times > 1:
            self._next[worker] = (moment, times - 1)
        elif step == "connect":  # from here on any moment, on the wire or not
            self._next[worker] = (moment, 0)
            asyncio.get_running_loop().call_later(self._trial.chance.uniform(0.1, 1.5), self._kill, worker)
        else:
            self._kill(worker)
            _break_off(step)

    def has_killed_since(self, left: int) -> bool:
        return self.left < left

    def _kill(self, worker: str) -> None:
        self.left -= 1
        self._trial.kill(worker)
        self._trial.service.again(worker)
        self._next[worker] = self._chosen()

    def _chosen(self) -> tuple[Step, int]:
        moment = self._trial.chance.choice(_MOMENTS)
        return moment, 1 if moment == "connect" else self._trial.chance.randint(1, 20)


def _break_off(step: Step) -> None:
    """A mail is broken off as by a machine that died: what a dead process has in its socket would still arrive."""
    if step == "content":
        raise Dropped


async def killed_again_and_again(trial: Trial) -> None:
    """After each death a burst, so that there is always something in the next one's hands."""
    trial.relay.fault = killer = Killer(trial, trial.size // _BURST)
    while (left := killer.left) or len(trial.accepted) < trial.size:
        await trial.burst(_BURST)
        with contextlib.suppress(TimeoutError):
            await until(functools.partial(killer.has_killed_since, left), 2)


async def killed_alone(trial: Trial) -> None:
    """How long until what it had in hand is sent."""
    await trial.warm()
    (worker,) = trial.workers
    killed = list[float]()

    async def kill(step: Step, port: int) -> None:
        if step == "content" and not killed:
            trial.kill(worker)
            killed.append(time.monotonic())
            trial.service.again(worker)
            _break_off(step)

    trial.relay.fault = kill
    ids = await trial.burst(trial.size)
    took = await trial.arrived(*ids) - killed[0]
    trial.notes.append(f"sent {took:.1f} s after the kill")
    assert took <= _LONGEST


async def orphans(trial: Trial) -> None:
    """A worker dies with all of them in its hands, not one answered."""
    await trial.warm()
    (worker,) = trial.workers
    trial.relay.fault = at("mail", hang)
    ids = await trial.burst(trial.size)
    await asyncio.sleep(1)
    trial.kill(worker)
    killed = time.monotonic()
    trial.relay.fault = well
    trial.service.again(worker)
    took = await trial.arrived(*ids) - killed
    trial.notes.append(f"all sent {took:.1f} s after the kill")
    assert took <= _LONGEST


async def told_to_end(trial: Trial) -> None:
    """One after the other, under load, as when a new version is rolled out; nothing is doubled, nobody is cut off."""
    await trial.warm()
    # All that a worker can have in hand is sent in a third of the time that it has for that.
    trial.relay.fault = at("kept", late(0.05))
    async with asyncio.TaskGroup() as load:
        for worker in trial.workers:
            load.create_task(trial.burst(trial.size // len(trial.workers)))
            await asyncio.sleep(0.5)
            process = trial.service.processes[worker]
            told = time.monotonic()
            process.terminate()
            await asyncio.to_thread(process.wait, 20)
            trial.notes.append(f"ended in {time.monotonic() - told:.1f} s")
            assert process.returncode == 0
            trial.service.again(worker)


async def asleep_past_its_lease(trial: Trial) -> None:
    """It wakes with mails in hand that another has sent meanwhile: only what it had in doubt may be doubled."""
    await trial.warm()
    sleeper = trial.workers[0]
    process = trial.service.processes[sleeper]
    asleep = asyncio.Event()

    async def stop(step: Step, port: int) -> None:
        if step == "content" and trial.ports[port] == sleeper and not asleep.is_set():
            process.send_signal(signal.SIGSTOP)
            asleep.set()

    trial.relay.fault = stop
    await trial.burst(trial.size)
    await asyncio.wait_for(asleep.wait(), 20)
    trial.may_double += 1
    await asyncio.sleep(_LEASE + 5)
    process.send_signal(signal.SIGCONT)


async def killed_by_one_mail(trial: Trial) -> None:
    """Whoever has it in hand dies: it is given up, and what comes after it is sent."""
    await trial.warm()
    (worker,) = trial.workers

    async def kill(step: Step, port: int) -> None:
        if step == "content":
            trial.kill(worker)
            trial.service.again(worker)
            _break_off(step)

    trial.relay.fault = kill
    (poison,) = await trial.burst(1)
    await trial.settle()
    trial.relay.fault = well
    trial.dead = 1
    shown = trial.accepted[poison].shown
    assert shown["timeline"][-1]["reason"] == "lost_workers", shown
    await trial.burst(trial.size)


FAULTS = (
    Fault(
        "worker killed by the same mail again and again", killed_by_one_mail, short=0, full=20, workers=1, seconds=480
    ),
    Fault("workers killed again and again", killed_again_and_again, short=150, full=5000, seconds=900),
    Fault("worker killed alone, in the middle of DATA", killed_alone, short=0, full=1, workers=1),
    Fault("worker killed with all claims in its hands", orphans, short=0, full=200, workers=1),
    Fault("workers told to end under load", told_to_end, short=200, full=1000),
    Fault("worker stopped past its lease, then goes on", asleep_past_its_lease, short=0, full=200),
)


async def test_nothing_is_lost(fault: Fault, hold: Hold) -> None:
    tally = await hold(fault)
    assert (tally.lost, tally.waiting, tally.unaccounted) == (0, 0, 0), tally
