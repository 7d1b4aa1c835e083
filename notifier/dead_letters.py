"""What was given up, notifications and actions alike: listed with why; an id comes in, and it is on its way again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from links.actions import Actions
from notifier.archive import Archive
from notifier.clock import Clock
from notifier.errors import Conflict, NotFound
from notifier.notices import Lane
from notifier.notifications import Notification
from notifier.outbox import Outbox
from notifier.records import Accepted
from notifier.sealing import Sealer
from notifier.suppressions import Suppressions

Kind = Literal["notification", "action"]
_NONE = "no dead letter is kept under this id"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`about` is a notice, or the purpose of the link that was clicked. Times in ms; an action has no deadline."""

    id: str
    kind: Kind
    about: str
    channel: str | None
    died: int
    reason: str
    deadline: int | None


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The stage's tools, handed in by the roots. The bells wake whoever sends and forwards."""

    archive: Archive
    outbox: Outbox
    actions: Actions
    sealer: Sealer
    suppressions: Suppressions
    ring_lane: Callable[[Lane], Awaitable[None]]
    ring_forward: Callable[[], Awaitable[None]]
    clock: Clock

    async def list(self, kind: Kind, after: str, count: int) -> list[DeadLetter]:
        """Up to `count`, oldest first, after the one with this id ('' for the first of all)."""
        if kind == "action":
            buried = await self.actions.dead(after, count)
            return [DeadLetter(one.id, kind, one.purpose, None, one.at, one.reason, None) for one in buried]
        return [await self._notification(id, died) for id, died in await self.archive.dead(after, count)]

    async def replay(self, id: str) -> None:
        """It is due again, as if for the first time, also to an address that bounced; raises NotFound or Conflict."""
        now = self.clock()
        if await self.actions.replay(id, now):
            await self.ring_forward()
            return
        notification = await self.archive.find(id)
        if notification is None or notification.status != "failed":
            raise NotFound(_NONE)
        await self._again(notification, now)

    async def resend(self, id: str) -> None:
        """The same for a notification alone; one that was not given up is a Conflict."""
        now, notification = self.clock(), await self.archive.find(id)
        if notification is None:
            raise NotFound("no notification is kept under this id")
        if notification.status != "failed":
            raise Conflict(f"it is {notification.standing(now)}: only what failed is sent again")
        await self._again(notification, now)

    async def _again(self, notification: Notification, now: int) -> None:
        if now >= notification.deadline:
            raise Conflict("its deadline has passed: what it says is not true any more")
        accepted = Accepted.read(self.sealer, notification.event, await self.outbox.payload(notification.event))
        if accepted is None:
            raise Conflict("what it said is not kept any more, or its key is not listed any more")
        # Whoever replays it has mended the cause; to an address that is still suppressed nothing would be sent.
        address = accepted.address(notification.id, notification.channel) or ""
        await self.suppressions.lift(notification.channel, address)
        if not await self.archive.replay(notification, now):
            raise NotFound(_NONE)
        await self.ring_lane(notification.lane)

    async def _notification(self, id: str, died: int) -> DeadLetter:
        notification = await self.archive.find(id)
        if notification is None:
            return DeadLetter(id, "notification", "unreadable", None, died, "unreadable", None)
        failures = [entry for entry in await self.archive.timeline(id) if entry["what"] == "failed"]
        reason = str(failures[-1].get("reason", "")) if failures else ""
        return DeadLetter(
            id, "notification", notification.notice, notification.channel, died, reason, notification.deadline
        )
