"""How long a call is tried for: what was answered so far comes in, the next wait goes out, or the failure to raise.

No I/O, no clock and no chance of its own: both clients share this.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import httpx
from pydantic import ValidationError

from notifier.client.calls import Call
from notifier.client.failures import Failure, Problem, Unreached, problem

# What may pass by itself. 408, 429 and 503 are the service's words for it, 502 and 504 a proxy's.
_PASSING = (408, 429, 502, 503, 504)
# A first try is still at work, whose answer this one will get.
_IN_PROGRESS = "in-progress"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. `total` is from the first try to the beginning of the last, `each` what a try may wait for the wire.

    Between tries there are `first`, then twice as long each time, `longest` at most; half of it by chance, so that many
    who failed at once do not come back at once. A longer Retry-After counts; one beyond `total` is not waited for.
    """

    total: float = 60
    each: float = 10
    first: float = 0.25
    longest: float = 8

    def wait(self, tries: int, told: float, chance: float) -> float:
        """After so many tries; `chance` is in [0, 1)."""
        backoff = min(self.longest, self.first * 2.0 ** min(tries - 1, 30))
        return told + backoff * (0.5 + chance / 2)


@dataclass(frozen=True, slots=True)
class Wait:
    """The same again, after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """What was asked for."""

    result: Result


class Tries:
    """One call under way. `now` gives seconds that only grow, `chance` numbers in [0, 1)."""

    def __init__(self, patience: Patience, now: Callable[[], float], chance: Callable[[], float]) -> None:
        self._patience = patience
        self._now = now
        self._chance = chance
        self._began = now()
        self._tries = 0

    def failed(self, error: httpx.TransportError) -> Wait:
        """Nothing came back: the same again, after a while; raises Unreached once that is too long."""
        if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
            raise Unreached("the request cannot be sent: is the URL right, and the key?") from error
        return self._wait(Unreached(f"no answer from the notifier: {type(error).__name__}"), 0, error)

    def answered(self, call: Call[Result], response: httpx.Response) -> Done[Result] | Wait:
        """Something came back, which may be an answer; raises Failure."""
        document = _json(response)
        if response.is_success:
            try:
                return Done(call.read(document))
            except (ValidationError, LookupError, TypeError):
                raise Failure("the notifier's answer has another shape than this client knows") from None
        failure = problem(document, response.status_code)
        in_progress = isinstance(failure, Problem) and failure.name == _IN_PROGRESS
        if response.status_code not in _PASSING and not in_progress:
            raise failure
        return self._wait(failure, _retry_after(response), None)

    def _wait(self, failure: Failure, told: float, cause: Exception | None) -> Wait:
        self._tries += 1
        wait = self._patience.wait(self._tries, told, self._chance())
        if self._now() - self._began + wait > self._patience.total:
            raise failure from cause
        return Wait(wait)


def _json(response: httpx.Response) -> object:
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def _retry_after(response: httpx.Response) -> float:
    """The service gives seconds; a date (RFC 9110), which a proxy may, is left to the backoff."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else 0
