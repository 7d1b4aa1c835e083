"""The errors that reach a caller of the HTTP API; what goes out of them is a problem document (RFC 9457).

    NotifierError                    the service failed
    ├── Refused                      the request is wrong; the same request fails again
    │   ├── Malformed                not JSON, or no HTTP
    │   ├── Unauthenticated          no key, or one that is not known
    │   │   └── BadSignature         the key's requests are signed, and this one is not, or wrongly, or too long ago
    │   ├── Forbidden                the key lacks the scope
    │   │   └── NoticeForbidden      the key may not post this notice
    │   ├── ForgedCallback           an SMS account's callback, and its signature is not that account's
    │   ├── NotFound
    │   ├── MethodNotAllowed
    │   ├── TooSlow                  the request did not come in time
    │   ├── Conflict                 it does not fit what is kept
    │   │   ├── EventConflict        this source and id were taken by another event; names the fields that differ
    │   │   └── InProgress           the first request with this Idempotency-Key is not done yet
    │   ├── TooLarge
    │   ├── UnsupportedMediaType
    │   ├── Invalid                  fields are wrong; carries one FieldProblem for each
    │   ├── KeyReused                this Idempotency-Key was used for another request
    │   ├── TooMany                  a limit is reached; carries when to come back
    │   └── HeadersTooLarge
    └── Unavailable                  the store cannot take this now; the same request will do later
        └── Overloaded               too much waits or listens, or the store is nearly full; says when to come back

What each is on the wire stands in ``api/problems.py``. No message repeats what the caller sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong field: `pointer` is a JSON pointer (RFC 6901; '' is all of it), `detail` says what would be right."""

    pointer: str
    detail: str


class NotifierError(Exception):
    """Base of all; `detail` is the sentence a caller reads, `retry_after` in seconds."""

    def __init__(self, detail: str, problems: Sequence[FieldProblem] = (), retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems = problems
        self.retry_after = retry_after


class Refused(NotifierError):
    """The request is wrong."""


class Malformed(Refused):
    """The body is not JSON of the expected kind, or the request no HTTP."""


class Unauthenticated(Refused):
    """No API key, or an unknown one."""


class BadSignature(Unauthenticated):
    """The signature that this key's requests need is missing, wrong or too old."""


class Forbidden(Refused):
    """The key is known and lacks the scope."""


class NoticeForbidden(Forbidden):
    """The key may not post this notice."""


class ForgedCallback(Refused):
    """A callback that none of our SMS accounts has signed for this address."""


class NotFound(Refused):
    """Nothing is kept under this id."""


class MethodNotAllowed(Refused):
    """This path is not asked in this way."""


class TooSlow(Refused):
    """The request did not come in time."""


class Conflict(Refused):
    """What is asked for does not fit what is kept."""


class EventConflict(Conflict):
    """The event's source and id were taken by another event."""


class InProgress(Conflict):
    """The first request with this Idempotency-Key is not done yet."""


class TooLarge(Refused):
    """The body is over its limit."""


class UnsupportedMediaType(Refused):
    """The Content-Type or Content-Encoding is none that this path takes."""


class Invalid(Refused):
    """Fields are wrong."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        first = problems[0]
        super().__init__(f"{first.pointer}: {first.detail}" if first.pointer else first.detail, problems)


class KeyReused(Refused):
    """This Idempotency-Key was used for another request."""


class TooMany(Refused):
    """A limit is reached; `retry_after` in seconds."""

    retry_after: int

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail, retry_after=retry_after)


class HeadersTooLarge(Refused):
    """The headers are over their limit."""


class Unavailable(NotifierError):
    """The store cannot take this now; `retry_after` in seconds."""

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail, retry_after=retry_after)


class Overloaded(Unavailable):
    """Too much waits already for this to be taken."""
