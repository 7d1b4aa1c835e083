"""The other way to an owner: a critical notification that its address does not take comes in; one on the other channel
goes out, where the event has an address for that which takes something, and had sent nothing there.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from notifier import ids
from notifier.clock import Clock
from notifier.codes import Codes
from notifier.events import Channel
from notifier.notices import Lane
from notifier.notifications import Notification
from notifier.outbox import Entry, Outbox
from notifier.recipients import country
from notifier.records import Accepted
from notifier.rendering.renderer import Choose
from notifier.suppressions import Suppressions

# What is not taken by mail goes by SMS, and the other way round. The inbox refuses nothing.
_OTHER: Mapping[Channel, Channel] = {"email": "sms", "sms": "email"}


@dataclass(frozen=True, slots=True)
class Fallback:
    """`served` are the channels that are set up; SMS goes to `countries` only, where any are named."""

    outbox: Outbox
    codes: Codes
    suppressions: Suppressions
    served: Collection[Channel]
    countries: Collection[str]
    choose: Choose
    ring: Callable[[Lane], Awaitable[None]]
    clock: Clock

    async def reach(self, accepted: Accepted, notification: Notification) -> str | None:
        """The id of the notification that goes instead; None when there is no other way. Asked again, the same."""
        other = _OTHER.get(notification.channel)
        address = accepted.recipient.address(other) if other else None
        if other is None or address is None or await self.suppressions.holds(other, address):
            return None  # each would go instead of the other, and neither would be sent
        for id, channel in accepted.notifications.items():
            if channel == other:
                return id  # sent there in the first place
        if not self._open(other, address) or self.clock() >= notification.deadline:
            return None
        id = ids.derived_id(other, notification.id)
        # From the same moment on: its links must be those of the event, and not outlive them.
        since = accepted.due
        choice = self.choose(accepted.recipient.locale, notification.notice, other)
        entry = Entry(
            id=id,
            channel=other,
            notice=notification.notice,
            lane=notification.lane,
            locale=choice.locale,
            locale_reason=choice.reason,
            deadline=notification.deadline,
            due=since,
        )
        if accepted.code:
            await self.codes.add_channels(accepted.code, [other])
        if await self.outbox.add(accepted.event, ids.digest(accepted.account), entry, since):
            await self.ring(notification.lane)
        return id

    def _open(self, channel: Channel, address: str) -> bool:
        allowed = channel != "sms" or not self.countries or country(address) in self.countries
        return channel in self.served and allowed
