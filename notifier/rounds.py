"""A worker's work on one queue: it is rung, claims what is due, and works on a bounded number at once until nothing is.

It also looks by itself every second: a bell may be lost, and a store that is full takes none.
What is in hand is held by renewed leases. One that was lost all the same is let go, since another worker has it.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

import structlog

from links.store import SUSPECT, Claim

log = structlog.get_logger()

Item = TypeVar("Item")
_SWEEP_S = 1
# What the store does not answer within this, it does not answer now.
_STORE_S = 2
_PAUSE_S = 1
# After the store was away: what was sent meanwhile is settled before anything is claimed, or it would be sent again.
_CATCH_UP_S = 5


@dataclass(slots=True)
class Held:
    """A claim in hand, ours until then unless it is renewed: by the steady clock (seconds), and by the clock that the
    store was told it by (Unix seconds), which may be set.
    """

    claim: Claim
    until: float
    told: float = math.inf

    @property
    def ours(self) -> bool:
        """A process that was stopped for longer than its lease learns from this that it was; and all learn at once of a
        clock that was set forward past the lease, to which others may claim it.
        """
        return time.monotonic() < self.until and time.time() < self.told


@dataclass(slots=True)
class Round(Generic[Item]):
    """Works on `most` at once; claims when there is room for a `batch`.

    `claim` takes a number and gives what is due, claimed; `work` settles one; `renew` gives the ids of lost claims.
    """

    claim: Callable[[int], Awaitable[Sequence[tuple[Claim, Item]]]]
    work: Callable[[Held, Item], Awaitable[None]]
    renew: Callable[[Collection[Claim]], Awaitable[set[str]]]
    lease: timedelta
    most: int = 96
    batch: int = 32
    _rung: asyncio.Event = field(default_factory=asyncio.Event)
    _in_hand: dict[asyncio.Task[None], Held] = field(default_factory=dict)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _more: bool = False
    _stopped: bool = False

    def start(self) -> None:
        """Take what is due, from now on."""
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._hold())]

    async def stop(self, patience: timedelta) -> None:
        """Take nothing more and wait for what is in hand; what takes longer comes back when its lease ends."""
        running, holding = self._tasks
        self._stopped = True
        self.ring()
        # Not cancelled at once: what a claim had just taken would be nobody's until its lease ends.
        await asyncio.wait([running], timeout=patience.total_seconds())
        late = [running, holding, *self._in_hand]
        for task in late:
            task.cancel()
        # Bounded: a cancellation that meets a timeout of the client's own may be lost in it.
        await asyncio.wait(late, timeout=1)

    def ring(self) -> None:
        """There may be something due."""
        self._rung.set()

    async def _run(self) -> None:
        while not self._stopped:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), _SWEEP_S)
            self._rung.clear()
            try:
                await self._fill()
            except Exception as error:  # noqa: BLE001  # the store's, or a fault of ours: a round never ends by itself
                log.error("round_broke", error=type(error).__name__)
                await asyncio.sleep(_PAUSE_S)
                self._rung.set()
        if self._in_hand:
            await asyncio.wait(self._in_hand)

    async def _hold(self) -> None:
        while True:
            await asyncio.sleep(self.lease.total_seconds() / 3)
            if not self._in_hand:
                continue
            held, ends = dict(self._in_hand), self._ends()
            try:
                async with asyncio.timeout(_STORE_S):
                    lost = await self.renew([one.claim for one in held.values()])
            except Exception as error:  # noqa: BLE001  # as above; the next renewal is in time
                log.error("renewal_broke", error=type(error).__name__)
                continue
            for task, one in held.items():
                if one.claim.id in lost:
                    log.warning("claim_lost", id=one.claim.id)
                    task.cancel()
                else:
                    one.until, one.told = ends

    async def _fill(self) -> None:
        while not self._stopped and (room := self.most - len(self._in_hand)) >= self.batch:
            overdue = [task for task, one in self._in_hand.items() if not one.ours]
            if overdue:
                await asyncio.wait(overdue, timeout=_CATCH_UP_S)
            ends = self._ends()
            async with asyncio.timeout(_STORE_S):
                taken = await self.claim(room)
            started = [self._start(Held(claim, *ends), item) for claim, item in taken]
            if any(claim.lost >= SUSPECT for claim, _ in taken):
                # Taken alone: nothing else of this queue may die with it.
                await asyncio.wait(started)
            self._more = bool(taken)
            if not taken:
                return

    def _ends(self) -> tuple[float, float]:
        """Of a lease that begins now, by both clocks."""
        lease = self.lease.total_seconds()
        return time.monotonic() + lease, time.time() + lease

    def _start(self, held: Held, item: Item) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self.work(held, item))
        self._in_hand[task] = held
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        held = self._in_hand.pop(task)
        if not task.cancelled() and (error := task.exception()):
            # It comes back when its lease ends.
            log.error("attempt_broke", id=held.claim.id, error=type(error).__name__)
        if self._more:
            self._rung.set()
