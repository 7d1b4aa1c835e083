"""What a call may raise: an answer that is no success comes in, one of these goes out.

    Failure                        the call did not do what it should
    ├── Unreached                  no answer, however often it was tried: it may have been done. The same again is safe
    ├── Unreadable                 an answer that is none of the service's (a proxy's page, another program)
    └── Problem                    the service said no, by a problem document (RFC 9457)
        ├── Refused                4xx: the same request fails again
        │   ├── Unauthenticated    401
        │   ├── Forbidden          403
        │   ├── NotFound           404
        │   ├── Conflict           409
        │   ├── Invalid            422, its `errors` name the fields
        │   └── TooMany            429, `retry_after` says when to come again
        └── Unavailable            5xx: the same request will do later

Which is which by status stands in the table below.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: a JSON pointer (RFC 6901; '' is all of it), and what would be right."""

    pointer: str
    detail: str


class Failure(Exception):
    """Base of all."""


class Unreached(Failure):
    """No answer came in the time that the client was given."""


class Unreadable(Failure):
    """An answer that is none of the service's; `status` is its HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the answer, HTTP {status}, is none of a notifier's: is the URL right?")
        self.status = status


class Problem(Failure):
    """What the problem document says. `type` is a URL that explains the kind of error, `name` is its last part."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.type = str(document["type"])
        self.title = str(document["title"])
        self.status = int(document["status"])
        self.detail = str(document["detail"])
        self.errors = tuple(FieldError(str(e["pointer"]), str(e["detail"])) for e in document.get("errors", ()))
        wait = document.get("retry_after")
        self.retry_after = None if wait is None else float(wait)
        super().__init__(f"{self.status} {self.name}: {self.detail}")

    @property
    def name(self) -> str:
        """Stable, such as `event-conflict`."""
        return self.type.rpartition("/")[2]


class Refused(Problem):
    """The request is wrong."""


class Unauthenticated(Refused):
    """The key is missing, or not known."""


class Forbidden(Refused):
    """The key may not do that."""


class NotFound(Refused):
    """Nothing is kept under this id."""


class Conflict(Refused):
    """It does not fit what is kept, such as another event under the same id."""


class Invalid(Refused):
    """Fields are wrong."""


class TooMany(Refused):
    """A limit is reached."""


class Unavailable(Problem):
    """The service cannot do it now."""


_BY_STATUS: Mapping[int, type[Problem]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: Invalid,
    429: TooMany,
}


def problem(document: Any, status: int) -> Problem | Unreadable:
    """What a problem document says, or that this is none."""
    try:
        kind = Unavailable if document["status"] >= 500 else Refused
        return _BY_STATUS.get(document["status"], kind)(document)
    except (TypeError, ValueError, KeyError):
        return Unreadable(status)
