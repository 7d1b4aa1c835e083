"""Whether somebody is spoken to at all: what became of each attempt comes in, yes or no for the next goes out.

closed ── fails ──▶ open ── its while is over ──▶ probing, by one attempt alone
  ▲                  ▲                                │     │
  │                  └──── fails: twice as long ──────┘     │
  └─────────────────────── succeeds ────────────────────────┘
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

State = Literal["closed", "open", "probing"]

# Attempts that break fast cost nobody time, and one strange message must not close a door for all others.
_STRIKES = 3
# About how long a probe takes to tell. s
_PROBE_S = 1.0


class Refused(Exception):
    """No attempt may be made now."""


class Attempt:
    """Told by its maker how it ended; told nothing (it was given up, or the end is unknown), it teaches nothing."""

    reason: str | None = None
    well: bool = False
    at_once: bool = False

    def succeeded(self) -> None:
        """The other side works."""
        self.well = True

    def failed(self, reason: str, *, at_once: bool) -> None:
        """It does not; `at_once` when one such attempt is enough to stay away, as where each costs seconds."""
        self.reason, self.at_once = reason, at_once


class Breaker:
    """Opens for `first` seconds, for twice as long after each probe that fails, for `cap` at most.

    `changed` is called whenever it has opened, also again, and when it has closed. `reason` is why it last opened.
    """

    def __init__(
        self,
        first: float,
        cap: float,
        changed: Callable[["Breaker"], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state: State = "closed"
        self.reason: str | None = None
        self.pause = first
        self._first, self._cap, self._changed = first, cap, changed
        self._clock = clock
        self._until = 0.0
        self._strikes = 0
        self._epoch = 0

    @property
    def refuses(self) -> bool:
        """Whether an attempt would be refused at this moment."""
        return self.rest > 0

    @property
    def rest(self) -> float:
        """For how many seconds an attempt would be refused; 0 when one may be made."""
        if self.state == "probing":
            return _PROBE_S
        return max(0.0, self._until - self._clock()) if self.state == "open" else 0.0

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Raises Refused."""
        if self.refuses:
            raise Refused
        if self.state == "open":
            self._become("probing")
        attempt, epoch = Attempt(), self._epoch
        try:
            yield attempt
        finally:
            if epoch == self._epoch:
                self._learn(attempt)

    def _learn(self, attempt: Attempt) -> None:
        if attempt.well:
            self._strikes = 0
            if self.state != "closed":
                self._close()
        elif attempt.reason is not None:
            self._strikes += 1
            if attempt.at_once or self.state == "probing" or self._strikes == _STRIKES:
                self._open(attempt.reason)
        elif self.state == "probing":
            # The next one may try in its place.
            self._become("open")

    def _open(self, reason: str) -> None:
        if self.state == "closed":
            self.pause = self._first
        else:
            self.pause = min(self._cap, self.pause * 2)
        self.reason = reason
        self._until = self._clock() + self.pause
        self._become("open")
        self._changed(self)

    def _close(self) -> None:
        self._become("closed")
        self._changed(self)

    def _become(self, state: State) -> None:
        self.state = state
        self._epoch += 1
