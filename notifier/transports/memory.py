"""A transport that keeps what it is given, for tests and for copying: messages come in, a list of them stays."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from notifier.transports.base import Receipt, TransportError

Message = TypeVar("Message")


@dataclass(slots=True)
class MemoryTransport(Generic[Message]):
    """Fails with each of `failures` first, in order; then keeps what it is given in `sent`."""

    sent: list[Message] = field(default_factory=list)
    failures: list[TransportError] = field(default_factory=list)

    async def send(self, message: Message) -> Receipt:
        """The receipt's reference counts the messages."""
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)
        return Receipt("memory", str(len(self.sent)))

    async def close(self) -> None:
        """Nothing to let go of."""
