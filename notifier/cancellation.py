"""A notification that waits is called off: its id comes in; it will never be sent, or Conflict says how it stands."""

from dataclasses import dataclass

from links.ledger import Ledger
from notifier.archive import Archive
from notifier.clock import Clock
from notifier.errors import Conflict, NotFound
from notifier.linkage import Linkage
from notifier.outbox import Outbox
from notifier.records import Accepted
from notifier.sealing import Sealer

_GONE = "no notification is kept under this id"
_AGAINST = {
    "in_hand": "it is being sent at this moment; look at how it stands in a few seconds",
    "doubtful": "an attempt ended without an answer, so it may have been sent already; it is being retried",
}


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The stage's tools, handed in by the roots."""

    outbox: Outbox
    archive: Archive
    ledger: Ledger
    linkage: Linkage
    sealer: Sealer
    clock: Clock

    async def cancel(self, id: str) -> None:
        """Again changes nothing. Raises NotFound or Conflict."""
        notification = await self.archive.find(id)
        if notification is None:
            raise NotFound(_GONE)
        against = await self.outbox.cancel(notification, self.clock())
        if against == "gone":
            raise NotFound(_GONE)
        if against and against != "cancelled":
            raise Conflict(_AGAINST.get(against) or await self._stands(id, against))
        await self._withdraw(notification.event)

    async def _stands(self, id: str, status: str) -> str:
        # What was reported of it says more.
        notification = await self.archive.find(id)
        standing = notification.standing(self.clock()) if notification else status
        return f"it is {standing}: only what waits can be cancelled"

    async def _withdraw(self, event: str) -> None:
        """An event of which nothing will be sent supersedes no older link, and is kept no longer than if it had been
        due now.
        """
        accepted = Accepted.read(self.sealer, event, await self.outbox.payload(event))
        if accepted is None or accepted.due == accepted.accepted:
            return
        every = [await self.archive.find(id) for id in accepted.notifications]
        if any(one is not None and one.status != "cancelled" for one in every):
            return
        link = self.linkage.superseding(accepted)
        if link:
            await self.ledger.withdraw(link)
        await self.outbox.drop(event)
