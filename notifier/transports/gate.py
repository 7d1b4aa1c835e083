"""Who may speak to a relay next: askers with an urgency come in; so many at a time, and so many a second, go on."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class TurnedAway(Exception):
    """Everybody who waited was sent off."""


class Gate:
    """`slots` at a time; at most `rate` a second, evenly spaced, where one is given.

    Urgency 0 goes before all that wait of urgency 1, those before all of 2; equals go in the order they came. Urgency 1
    and 2 together never hold more than three quarters of the slots, and 2 no more than half (one slot at least), so
    that mail which hangs cannot keep a more urgent one waiting.
    """

    def __init__(self, slots: int, rate: float | None = None) -> None:
        # For each urgency: how many slots it and all below it may hold.
        self._most = (slots, max(1, slots * 3 // 4), max(1, slots // 2))
        self._held = [0, 0, 0]
        self._waiting: tuple[deque[asyncio.Future[bool]], ...] = (deque(), deque(), deque())
        self._spacing = 1 / rate if rate else 0.0
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def slot(self, urgency: int) -> AsyncIterator[None]:
        """Held from this one's turn to the end of the block; raises TurnedAway."""
        await self.enter(urgency)
        try:
            yield
        finally:
            self.leave(urgency)

    async def enter(self, urgency: int) -> None:
        """Waits for a slot, which is held until it is left; raises TurnedAway."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting[urgency].append(turn)
        self._serve()
        try:
            if not await turn:
                raise TurnedAway
        except asyncio.CancelledError:
            # It may have been given to somebody who was just leaving.
            if not turn.cancelled() and turn.result():
                self.leave(urgency)
            raise

    def leave(self, urgency: int) -> None:
        """Gives the slot back."""
        self._held[urgency] -= 1
        self._serve()

    def turn_away(self) -> None:
        """Everybody who waits; who has a slot keeps it."""
        for waiting in self._waiting:
            while waiting:
                _answer(waiting.popleft(), False)

    def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while (urgency := self._first()) is not None:
            now = loop.time()
            if now < self._next:
                self._timer = self._timer or loop.call_at(self._next, self._wake)
                return
            if _answer(self._waiting[urgency].popleft(), True):
                self._held[urgency] += 1
                # Timers are always a little late: up to one message of that is made good, or the rate would not be met.
                self._next = max(self._next, now - self._spacing) + self._spacing

    def _wake(self) -> None:
        self._timer = None
        self._serve()

    def _first(self) -> int | None:
        """The urgency whose turn it is, if there is a slot for it."""
        for urgency, waiting in enumerate(self._waiting):
            if sum(self._held[urgency:]) >= self._most[urgency]:
                # What is less urgent counts in here, so there is none for it either.
                return None
            if waiting:
                return urgency
        return None


def _answer(turn: asyncio.Future[bool], answer: bool) -> bool:
    """False when whoever waited has gone."""
    if turn.done():
        return False
    turn.set_result(answer)
    return True
