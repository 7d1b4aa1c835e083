"""What the service tells by itself later: such a notification comes in; why it need not be sent any more goes out.

It was recorded with the event that it follows, and what it tells may not be true any more when it is due.
"""

from dataclasses import dataclass

from links.ledger import Ledger
from notifier import ids
from notifier.archive import Archive
from notifier.clock import Clock
from notifier.holds import RESUMED, Holds
from notifier.linkage import Linkage
from notifier.notifications import Notification
from notifier.records import Accepted


@dataclass(frozen=True, slots=True)
class FollowUps:
    """The stage's tools, handed in by the roots."""

    archive: Archive
    ledger: Ledger
    linkage: Linkage
    holds: Holds
    clock: Clock

    async def moot(self, accepted: Accepted, notification: Notification) -> str | None:
        """The reason, in a word, for not sending this; None where it tells what is true."""
        if notification.notice == accepted.notice:
            return None
        judge = self._resumed if notification.notice == RESUMED else self._reminder
        return await judge(accepted, notification)

    async def _resumed(self, accepted: Accepted, _: Notification) -> str | None:
        """Withdrawals work again, if this is the message of the last hold, and the account can be used at all."""
        account = ids.digest(accepted.account)
        hold = await self.holds.find(account)
        if hold.event != accepted.event or hold.stops or hold.until > self.clock():
            return "hold_changed"
        return "account_deactivated" if await self.ledger.deactivated(account) else None

    async def _reminder(self, accepted: Accepted, notification: Notification) -> str | None:
        """A link that still can be used, of a message that was sent."""
        first = [await self.archive.find(id) for id in accepted.notifications]
        if all(one is None or one.status == "cancelled" for one in first):
            return "event_cancelled"
        (link,) = self.linkage.links(accepted, notification.id, None)
        outcome = (await self.ledger.look(link, self.clock())).outcome
        return None if outcome == "open" else f"link_{outcome}"
