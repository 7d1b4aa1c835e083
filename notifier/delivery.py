"""The worker's one story: a lane's due notifications are claimed, rendered, sent and settled.

Alone speaks of transient and permanent: what a transport raises becomes another attempt, a dead letter, or nothing at
all once the deadline has passed.
"""

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr

import structlog
from redis.exceptions import RedisError

from links.store import Claim
from notifier.clock import Clock, moment
from notifier.codes import Codes
from notifier.linkage import Linkage
from notifier.notices import Lane
from notifier.outbox import LEASE, Notification, Outbox
from notifier.records import Accepted
from notifier.rendering.i18n import bcp47
from notifier.rendering.mime import assemble
from notifier.rendering.renderer import Renderer
from notifier.sealing import Sealer, Unsealable
from notifier.transports.base import Mail, Permanent, Receipt, Sms, Transient, Transport

log = structlog.get_logger()

BATCH = 64
_TURN_MS = 10_000
# After the first failures a relay's greylisting is waited for (RFC 5321 section 4.5.4.1), then longer.
_BACKOFF = [timedelta(seconds=s) for s in (5, 60, 300, 600, 1800)]
# An attempt must end while its lease lasts, or another worker would send the same.
_PATIENCE = LEASE.total_seconds() - 5
# Each of these claims was a worker that died or hung with this notification in hand.
_MOST_LOST_CLAIMS = 10


@dataclass(frozen=True, slots=True)
class Delivery:
    """The stage's tools, handed in by the worker."""

    outbox: Outbox
    codes: Codes
    linkage: Linkage
    renderer: Renderer
    sealer: Sealer
    mail: Transport[Mail]
    sms: Transport[Sms] | None
    sender: str
    clock: Clock

    async def deliver(self, lane: Lane) -> bool:
        """Deliver what is due in a lane; True when it stopped with more to do, to let another worker have its turn."""
        until = self.clock() + _TURN_MS
        while self.clock() < until:
            batch = await self.outbox.claim(lane, self.clock(), BATCH)
            if not batch:
                return False
            await asyncio.gather(*(self._attempt(taken, notification) for taken, notification in batch))
        return True

    async def _attempt(self, taken: Claim, notification: Notification) -> None:
        if self.clock() >= notification.deadline:
            await self._settled(taken, notification, "expired")
            return
        if taken.fence - notification.attempts > _MOST_LOST_CLAIMS:
            await self._settled(taken, notification, "failed", reason="lost_workers")
            return
        rendered = None
        try:
            async with asyncio.timeout(_PATIENCE):
                message = await self._compose(notification)
                # The same on every attempt, so told once.
                rendered = self.clock() if notification.attempts == 0 else None
                receipt = await self._send(message)
        except _Dead as dead:
            await self._settled(taken, notification, dead.status, reason=dead.reason)
        except Permanent as error:
            await self._settled(taken, notification, "failed", rendered, reason=error.reason)
        except Transient as error:
            await self._again(taken, notification, rendered, error.reason, error.retry_after)
        except TimeoutError:
            await self._again(taken, notification, rendered, "timeout")
        except RedisError:
            raise
        except Exception as error:  # noqa: BLE001  # a fault of ours in one message must not stop the others
            await self._again(taken, notification, rendered, f"error_{type(error).__name__}")
        else:
            await self._settled(taken, notification, "sent", rendered, by=receipt.by, reference=receipt.reference)

    async def _again(
        self,
        taken: Claim,
        notification: Notification,
        rendered: int | None,
        reason: str,
        retry_after: float | None = None,
    ) -> None:
        now, wait = self.clock(), _wait(notification.attempts, retry_after)
        await self.outbox.retry(taken, notification.lane, now + wait, now, rendered, reason=reason)
        log.info("attempt_failed", notification=notification.id, reason=reason, again_in_ms=wait)

    async def _settled(
        self, taken: Claim, notification: Notification, status: str, rendered: int | None = None, **facts: str
    ) -> None:
        kept = await self.outbox.settle(taken, notification.lane, status, self.clock(), rendered, **facts)
        log.info(status, notification=notification.id, notice=notification.notice, kept=kept, **facts)

    async def _send(self, message: Mail | Sms) -> Receipt:
        if isinstance(message, Mail):
            return await self.mail.send(message)
        if self.sms is None:
            raise _Dead("failed", "sms_not_set_up")
        return await self.sms.send(message)

    async def _compose(self, notification: Notification) -> Mail | Sms:
        sealed = await self.outbox.payload(notification.event)
        if sealed is None:
            raise _Dead("expired", "erased")
        try:
            accepted = Accepted.open(self.sealer, notification.event, sealed)
        except Unsealable:
            raise _Dead("failed", "payload_key_retired") from None
        code = None
        if accepted.code:
            code = await self.codes.printed(accepted.code, notification.channel, notification.accepted)
            if code is None:
                raise _Dead("expired", "code_gone")
        urls = self.linkage.urls(accepted, notification.id, notification.channel)
        recipient = accepted.recipient.address(notification.channel) or ""
        if notification.channel == "sms":
            text = self.renderer.sms(accepted, urls, code)
            return Sms(recipient, text, valid_for=(notification.deadline - self.clock()) // 1000)
        address = parseaddr(self.sender)[1]
        message_id = f"<{notification.id}@{address.rpartition('@')[2]}>"
        content = assemble(
            self.renderer.mail(accepted, urls, code),
            sender=self.sender,
            recipient=recipient,
            message_id=message_id,
            date=moment(notification.accepted),
            language=bcp47(notification.locale),
            boundary=f"=_{notification.id}",
        )
        return Mail(address, recipient, message_id, content)


class _Dead(Exception):
    """No attempt can be made any more."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def _wait(attempts: int, retry_after: float | None) -> int:
    """Milliseconds until the next attempt: the step of the schedule, a fifth more or less so that crowds scatter."""
    step = _BACKOFF[min(attempts, len(_BACKOFF) - 1)].total_seconds()
    return round(max(step * random.uniform(0.8, 1.2), retry_after or 0) * 1000)
