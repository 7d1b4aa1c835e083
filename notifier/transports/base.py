"""The vocabulary between delivery and the wires: a message goes in; a `Receipt`, `Transient` or `Permanent` comes out.

A new transport is a module beside `memory.py` with a class that has `send` and `close`.
"""

from dataclasses import dataclass
from typing import Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address: the envelope, and the bytes to send."""

    sender: str
    recipient: str
    message_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sms:
    """One text to one number, not to be delivered later than `valid_for` seconds from now."""

    recipient: str
    text: str
    valid_for: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """The other side has taken it over: `reference` is the name it gave to it, `by` who took it."""

    by: str
    reference: str


class TransportError(Exception):
    """Base of the two below. `reason` is a short code for the timeline; it never names an address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Transient(TransportError):
    """May do later; not before `retry_after` seconds where the other side said so."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Permanent(TransportError):
    """Will not do, however often."""


Message = TypeVar("Message", contravariant=True)


class Transport(Protocol[Message]):
    """Sends one kind of message."""

    async def send(self, message: Message) -> Receipt:
        """Raises Transient or Permanent."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
