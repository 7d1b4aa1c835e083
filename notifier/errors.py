"""The errors that reach a caller of the HTTP API; what goes out of them is a problem document (RFC 9457).

    NotifierError
    ├── Refused                      the request is wrong; the same request fails again
    │   ├── Malformed                not JSON, or JSON no event can be made of
    │   ├── Unauthenticated          no key, or one that is not known
    │   ├── Forbidden                the key lacks the scope
    │   ├── NotFound
    │   ├── Conflict                 this id was taken by another body
    │   ├── TooLarge
    │   ├── UnsupportedMediaType
    │   ├── Invalid                  fields are wrong; carries one FieldProblem for each
    │   └── TooMany                  a limit is reached; carries when to come back
    └── Unavailable                  the store does not answer; the same request will do later

The table error → HTTP status stands in ``app.py``. No message repeats what the caller sent.
"""

from dataclasses import dataclass


class NotifierError(Exception):
    """Base of all; `detail` is the sentence a caller reads."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Refused(NotifierError):
    """The request is wrong."""


class Malformed(Refused):
    """The body is not JSON of the expected kind."""


class Unauthenticated(Refused):
    """No API key, or an unknown one."""


class Forbidden(Refused):
    """The key is known and lacks the scope."""


class NotFound(Refused):
    """Nothing is kept under this id."""


class Conflict(Refused):
    """The event's source and id were taken by another body."""


class TooLarge(Refused):
    """The body is over its limit."""


class UnsupportedMediaType(Refused):
    """The Content-Type is none that this path takes."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong field: `pointer` is a JSON pointer (RFC 6901), `detail` says what would be right."""

    pointer: str
    detail: str


class Invalid(Refused):
    """Fields are wrong."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        first = problems[0]
        super().__init__(f"{first.pointer}: {first.detail}")
        self.problems = problems


class TooMany(Refused):
    """A limit is reached; `retry_after` in seconds."""

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(NotifierError):
    """The store does not answer; `retry_after` in seconds."""

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
