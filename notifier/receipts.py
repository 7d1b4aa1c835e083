"""What comes back after a message was taken over: a `Report` comes in; its notification is marked, an address that
takes nothing is remembered, and the owner is reached another way where the matter is critical.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from notifier.archive import Archive
from notifier.clock import Clock
from notifier.notices import Lane
from notifier.notifications import Notification
from notifier.outbox import Outbox
from notifier.records import Accepted
from notifier.sealing import Sealer
from notifier.suppressions import Suppressions
from notifier.transports.base import Report

log = structlog.get_logger()

_FAILED = ("undelivered", "bounced")


@dataclass(frozen=True, slots=True)
class Receipts:
    """The stage's tools, handed in by the roots. `fall_back` is as delivery has it."""

    outbox: Outbox
    archive: Archive
    sealer: Sealer
    suppressions: Suppressions
    fall_back: Callable[[Accepted, Notification], Awaitable[str | None]]
    clock: Clock

    async def tell(self, report: Report) -> bool:
        """False when there is no such notification. In any order, and again: what is further on holds."""
        facts = {"by": report.by} | ({"reason": report.reason} if report.reason else {})
        news = await self.archive.report(report.notification, report.status, self.clock(), **facts)
        if news and report.status in _FAILED:
            log.error(report.status, notification=report.notification, **facts)
        # Not only when it is news: should this have failed after the mark was made, a repetition mends it.
        if news is not None and report.status in _FAILED:
            await self._mend(report, news)
        return news is not None

    async def _mend(self, report: Report, news: bool) -> None:
        notification = await self.archive.find(report.notification)
        if notification is None:
            return
        sealed = await self.outbox.payload(notification.event)
        accepted = Accepted.read(self.sealer, notification.event, sealed)
        if accepted is None:
            return
        address = accepted.address(notification.id, notification.channel)
        if report.dead_address and address:
            await self.suppressions.add(notification.channel, address)
        instead = await self.fall_back(accepted, notification) if notification.lane is Lane.CRITICAL else None
        if instead and news:
            await self.archive.note(notification.id, self.clock(), "fallback", instead=instead)
