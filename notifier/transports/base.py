"""The vocabulary between delivery and the wires: a message goes in; a `Receipt` comes out, or a `TransportError`. What
the other side tells later comes in as a `Report`.

    TransportError
    ├── Transient            not now: nobody could be reached; soon again
    │   ├── Deferred         the other side answered, and asks to come again later
    │   └── Ambiguous        the other side may have it: later again, and never at once to somebody else
    └── Permanent            never, however often; `dead_address` when nothing will ever be taken for this address

A new transport is a module beside `memory.py` with a class that has `rest`, `send` and `close`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address: the envelope, and the bytes to send. `urgency` 0 goes first where there is a queue."""

    sender: str
    recipient: str
    message_id: str
    content: bytes
    urgency: int = 0


@dataclass(frozen=True, slots=True)
class Sms:
    """One text to one number, not to be delivered later than `valid_for` seconds from now; reports name its id."""

    recipient: str
    text: str
    valid_for: int
    notification: str = ""
    urgency: int = 0


@dataclass(frozen=True, slots=True)
class ItemLink:
    """A link of an item: what it is for, and until when it acts (ms)."""

    purpose: str
    url: str
    expires: int


@dataclass(frozen=True, slots=True)
class Item:
    """What an account (a digest) is shown in its inbox: `html` is a fragment. There is one for a notification."""

    notification: str
    account: str
    notice: str
    locale: str
    title: str
    text: str
    html: str
    links: tuple[ItemLink, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The other side has taken it over: `reference` is the name it gave to it, `by` who took it."""

    by: str
    reference: str


# Enhanced codes (RFC 3463 sections 3.2 and 3.3, RFC 7505) of a dead address: it is none, was one, or has moved without
# saying where to. A full mailbox, a policy or a route may be mended by somebody.
DEAD_STATUSES = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})

ReportStatus = Literal["queued", "delayed", "sent", "delivered", "undelivered", "bounced"]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a notification after it was taken over, in whatever order it is told.

    `reason` is a short code for the timeline; it never names an address. `dead_address`: nothing will ever be taken
    for this address or number.
    """

    notification: str
    status: ReportStatus
    by: str
    reason: str | None = None
    dead_address: bool = False


class TransportError(Exception):
    """Base of all. `reason` is a short code for the timeline, `status` an enhanced code (RFC 3463) where one was given;
    neither ever names an address. `by` is who said so, where somebody did.
    """

    def __init__(self, reason: str, *, status: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.by: str | None = None


class Transient(TransportError):
    """May do later; not before `retry_after` seconds where the other side said so."""

    def __init__(self, reason: str, *, status: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(reason, status=status)
        self.retry_after = retry_after


class Deferred(Transient):
    """The other side answered and does not want it now."""


class Ambiguous(Transient):
    """All of it was sent and no answer came: it may have been taken."""


class Permanent(TransportError):
    """Will not do, however often."""

    def __init__(self, reason: str, *, status: str | None = None, dead_address: bool = False) -> None:
        super().__init__(reason, status=status)
        self.dead_address = dead_address


Message = TypeVar("Message", contravariant=True)
Step = Callable[[], Awaitable[None]]


async def at_once() -> None:
    """Waits for nothing."""


class Transport(Protocol[Message]):
    """Sends one kind of message."""

    @property
    def rest(self) -> float:
        """For how many seconds nothing can be sent, as far as is known; 0: it may be tried."""
        ...

    async def send(self, message: Message, turn: Step = at_once) -> Receipt:
        """Raises TransportError. `turn` is awaited before the step after which the message may have been taken."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
