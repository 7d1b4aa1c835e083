"""How many messages may be in doubt: given over whole, and the answer not noted yet. Each takes a turn before its last
step, and gives it back when it is noted.

Nobody can tell what was taken of that which a killed process had in doubt, so it is sent again: no more than there are
turns.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from notifier.transports.gate import Gate

# After which the next has its turn all the same: one relay that is silent must not hold up everybody. s
_LONGEST = 1


class Turns:
    """`most` at a time, the more urgent first; where there are several, the less urgent never hold all (gate.py)."""

    def __init__(self, most: int) -> None:
        self._gate = Gate(most)

    @contextmanager
    def turn(self, urgency: int) -> Iterator["Turn"]:
        """One that was taken in the block is given back with its end."""
        turn = Turn(self._gate, urgency)
        try:
            yield turn
        finally:
            turn.give_back()


class Turn:
    """Of one message."""

    def __init__(self, gate: Gate, urgency: int) -> None:
        self._gate, self._urgency = gate, urgency
        self._ends: asyncio.TimerHandle | None = None

    async def take(self) -> None:
        """Waits for it, unless it has it from a relay that failed then: a last step begins anew with another relay."""
        if self._ends:
            self._ends.cancel()
        else:
            await self._gate.enter(self._urgency)
        self._ends = asyncio.get_running_loop().call_later(_LONGEST, self.give_back)

    def keep(self) -> None:
        """Until the block ends, however long noting it takes: the answer is there."""
        if self._ends:
            self._ends.cancel()

    def give_back(self) -> None:
        """Does nothing where it was not taken."""
        ends, self._ends = self._ends, None
        if ends:
            ends.cancel()
            self._gate.leave(self._urgency)
