"""A transport that keeps what it is given, for tests and for copying: messages come in, a list of them stays."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from notifier.transports.base import Receipt, Step, TransportError, at_once

Message = TypeVar("Message")


@dataclass(slots=True)
class MemoryTransport(Generic[Message]):
    """Fails with each of `failures` first, in order; then keeps what it is given in `sent`.
    `rest` says that it is away, for so many seconds.
    """

    sent: list[Message] = field(default_factory=list)
    failures: list[TransportError] = field(default_factory=list)
    rest: float = 0

    async def send(self, message: Message, turn: Step = at_once) -> Receipt:
        """The receipt's reference counts the messages."""
        await turn()
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)
        return Receipt("memory", str(len(self.sent)))

    async def close(self) -> None:
        """Nothing to let go of."""
