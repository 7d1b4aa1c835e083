"""An item comes in; it is in its account's inbox, once however often it comes, and a `Receipt` goes out."""

from dataclasses import dataclass

from notifier.clock import Clock
from notifier.inbox import Inbox
from notifier.transports.base import Item, Permanent, Receipt, Step, at_once


@dataclass(frozen=True, slots=True)
class InboxTransport:
    """It writes to the store that its worker stands on: it is never away alone."""

    inbox: Inbox
    clock: Clock

    @property
    def rest(self) -> float:
        """Never."""
        return 0

    async def send(self, message: Item, turn: Step = at_once) -> Receipt:
        """The receipt's reference is the item's place. Raises Permanent where the account was erased."""
        await turn()
        place = await self.inbox.put(message, self.clock())
        if place is None:
            raise Permanent("erased")
        return Receipt("inbox", str(place))

    async def close(self) -> None:
        """Nothing to let go of."""
