"""The worker's story of one notification: claimed, it is composed, sent and settled.

Alone speaks of transient and permanent: what a transport raises becomes another attempt, a dead letter, or nothing at
all once the deadline has passed.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from opentelemetry.trace import Span, SpanKind
from redis.exceptions import RedisError

from links.store import MOST_LOST
from notifier import traces
from notifier.clock import Clock
from notifier.composer import CodeGone, Composer, Message
from notifier.events import Channel
from notifier.notices import Lane
from notifier.notifications import Notification, Rendered
from notifier.outbox import LEASE, Outbox
from notifier.records import Accepted
from notifier.rounds import Held, Round
from notifier.sealing import Sealer, Unsealable
from notifier.suppressions import Suppressions
from notifier.transports.base import (
    Ambiguous,
    Deferred,
    Item,
    Mail,
    Permanent,
    Receipt,
    Sms,
    Transient,
    Transport,
    TransportError,
)
from notifier.transports.turns import Turn, Turns

log = structlog.get_logger()

# After nobody could be reached; and after the other side asked to come later (RFC 5321 section 4.5.4.1), or took the
# whole message and said nothing.
_SOON = [timedelta(seconds=s) for s in (5, 15, 30, 60, 300, 600, 1800)]
_LATER = [timedelta(seconds=s) for s in (60, 300, 600, 1800)]
# How many attempts may find a payload under a key that is not listed: by the schedule above, for some minutes. Keys are
# rotated process by process, and this one may be given the new key later than who sealed with it.
_UNREADABLE = 5
# Waiting for a connection included: a relay's rate may be slow.
_PATIENCE = timedelta(minutes=2)
_NOTE_AGAIN_S = 0.2
# Written down under its notification's id: however often it is sent, it is there once.
_ONCE = frozenset[Channel]({"inbox"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """The stage's tools, handed in by the worker.

    `fall_back` reaches the owner on the event's other channel and gives that notification's id, None where it cannot.
    `moot` gives the reason why a notification need not be sent any more, None where it must be.
    """

    outbox: Outbox
    composer: Composer
    sealer: Sealer
    suppressions: Suppressions
    fall_back: Callable[[Accepted, Notification], Awaitable[str | None]]
    moot: Callable[[Accepted, Notification], Awaitable[str | None]]
    mail: Transport[Mail]
    sms: Transport[Sms] | None
    inbox: Transport[Item]
    turns: Turns
    clock: Clock

    def round(self, lane: Lane) -> Round[Notification]:
        """A worker's work on this lane."""
        return Round(
            claim=lambda count: self.outbox.claim(lane, self.clock(), count),
            work=self.attempt,
            renew=lambda claims: self.outbox.renew(lane, self.clock(), claims),
            lease=LEASE,
        )

    async def attempt(self, held: Held, notification: Notification) -> None:
        """Send it and settle it, or have it come again."""
        attempt = _Attempt(self, held, notification)
        left = (notification.deadline - self.clock()) / 1000
        if left <= 0:
            await attempt.settle("expired")
        elif held.claim.lost >= MOST_LOST:
            await attempt.settle("failed", reason="lost_workers")
        elif notification.receipt in ("sent", "delivered"):
            # Told by the other side after an attempt that ended without an answer.
            await attempt.settle("sent", by="report", reference="")
        else:
            with ExitStack() as step, self.turns.turn(notification.lane.urgency) as turn:
                await self._try(attempt, turn, min(left, _PATIENCE.total_seconds()), step)

    async def _try(self, attempt: "_Attempt", turn: Turn, seconds: float, step: ExitStack) -> None:
        try:
            async with asyncio.timeout(seconds):
                self._may_be_tried(attempt.notification)
                accepted = await self._open(attempt.notification)
                step.enter_context(_traced(attempt.notification, accepted))
                if reason := await self.moot(accepted, attempt.notification):
                    raise _Dead("cancelled", reason)
                await self._heed_suppression(attempt, accepted)
                try:
                    composed = await self.composer.compose(attempt.notification, accepted)
                except CodeGone:
                    raise _not_found(attempt.notification, "code_gone") from None
                attempt.rendered = Rendered(self.clock(), composed.locale, composed.reason)
                try:
                    receipt = await self._send(attempt, composed.message, turn)
                except Permanent as error:
                    raise await self._refused(error, attempt.notification, accepted) from None
                turn.keep()
        except _Lost:
            return
        except _Dead as dead:
            await attempt.settle(dead.status, reason=dead.reason, **dead.facts)
        except (Deferred, Ambiguous) as error:
            await attempt.again(_LATER, doubtful=isinstance(error, Ambiguous), error=error)
        except Transient as error:
            await attempt.again(_SOON, error=error)
        except TimeoutError:
            await attempt.again(_LATER, doubtful=True, error=Transient("timeout"))
        except Exception as error:  # noqa: BLE001  # the store's, or a fault of ours in one message: no other must stop
            reason = f"error_{type(error).__name__}"
            if not isinstance(error, RedisError):  # which the rounds tell, once and not for each message
                log.error("attempt_broke", notification=attempt.notification.id, reason=reason)
            await attempt.again(_SOON, error=Transient(reason))
        else:
            await attempt.settle("sent", by=receipt.by, reference=receipt.reference)

    def _may_be_tried(self, notification: Notification) -> None:
        """Not while nobody takes it: a backlog that is composed again and again for nothing would keep this process too
        busy to notice in time that a relay is back.
        """
        transports: Mapping[Channel, Transport[Any] | None] = {"email": self.mail, "sms": self.sms, "inbox": self.inbox}
        transport = transports[notification.channel]
        if transport and transport.rest:
            raise Transient("no_relay_reachable", retry_after=transport.rest)

    async def _open(self, notification: Notification) -> Accepted:
        sealed = await self.outbox.payload(notification.event)
        if sealed is None:
            raise _not_found(notification, "erased")
        try:
            return Accepted.open(self.sealer, notification.event, sealed)
        except Unsealable:
            if notification.attempts < _UNREADABLE:
                raise Transient("payload_key_unknown") from None
            raise _Dead("failed", "payload_key_retired") from None

    async def _heed_suppression(self, attempt: "_Attempt", accepted: Accepted) -> None:
        """To an address that takes nothing nothing is sent; what is critical goes another way, or there after all."""
        notification = attempt.notification
        address = accepted.address(notification.id, notification.channel) or ""
        if not await self.suppressions.holds(notification.channel, address):
            return
        if notification.lane is not Lane.CRITICAL:
            raise _Dead("suppressed", "address_bounced")
        instead = await self.fall_back(accepted, notification)
        if instead:
            raise _Dead("suppressed", "address_bounced", instead=instead)
        attempt.facts["suppression"] = "overridden"

    async def _refused(self, error: Permanent, notification: Notification, accepted: Accepted) -> "_Dead":
        """An address that takes nothing is remembered; the owner is reached another way if the matter is critical."""
        if error.dead_address:
            address = accepted.address(notification.id, notification.channel) or ""
            await self.suppressions.add(notification.channel, address)
        instead = await self.fall_back(accepted, notification) if notification.lane is Lane.CRITICAL else None
        return _Dead("failed", **_said(error), **({"instead": instead} if instead else {}))

    async def _send(self, attempt: "_Attempt", message: Message, turn: Turn) -> Receipt:
        async def last_step() -> None:
            # A text takes no turn: what became of one whose sender died is told by its status callback, before anybody
            # else may have it, and one at a time would be a few in a second.
            if isinstance(message, Mail):
                await turn.take()
            # The claim may have been lost meanwhile, and while this process stood still.
            attempt.must_be_ours()

        attempt.must_be_ours()
        if isinstance(message, Mail):
            return await self.mail.send(message, last_step)
        if isinstance(message, Item):
            return await self.inbox.send(message, last_step)
        if self.sms is None:
            raise _Dead("failed", "sms_not_set_up")
        return await self.sms.send(message, last_step)


class _Attempt:
    """One claim on a notification, until its word to the outbox. `facts` go with that word."""

    def __init__(self, delivery: Delivery, held: Held, notification: Notification) -> None:
        self.held = held
        self.notification = notification
        self.rendered: Rendered | None = None
        self.facts: dict[str, str | int] = {}
        self._outbox = delivery.outbox
        self._clock = delivery.clock

    def must_be_ours(self) -> None:
        """Raises _Lost."""
        if not self.held.ours:
            raise _Lost

    async def settle(self, status: str, **facts: str | int) -> None:
        """It is done."""
        notification, claim = self.notification, self.held.claim
        if status == "sent" and (notification.doubtful or claim.lost) and notification.channel not in _ONCE:
            # An earlier attempt, or a worker that died, may have sent it as well; with the same Message-ID.
            self.facts["possible_duplicate"] = True
        facts = facts | self.facts
        now, rendered = self._clock(), self._told_once()
        kept = await _noted(lambda: self._outbox.settle(claim, notification.lane, status, now, rendered, **facts))
        traces.told(outcome=status, **facts)
        tell = log.error if status in ("failed", "expired") else log.info
        tell(
            status,
            notification=notification.id,
            event_id=notification.event,
            notice=notification.notice,
            kept=kept,
            **facts,
        )

    async def again(self, schedule: list[timedelta], *, error: Transient, doubtful: bool = False) -> None:
        """Another attempt by the schedule, or when its deadline ends it."""
        notification, now = self.notification, self._clock()
        due = min(now + _wait(schedule, notification.attempts, error.retry_after), notification.deadline)
        facts: dict[str, str | int] = {**_said(error), **self.facts}
        if doubtful:
            facts["possible_duplicate"] = True
        claim, rendered = self.held.claim, self._told_once()
        await _noted(
            lambda: self._outbox.retry(claim, notification.lane, due, now, rendered, doubtful=doubtful, **facts)
        )
        traces.told(outcome="again", **facts)
        log.info(
            "attempt_failed",
            notification=notification.id,
            event_id=notification.event,
            again_in_ms=due - now,
            **facts,
        )

    def _told_once(self) -> Rendered | None:
        """That it was rendered: the same on every attempt, so told once, unless its locale has changed."""
        rendered, before = self.rendered, self.notification
        return rendered if rendered and (not before.rendered or rendered.locale != before.locale) else None


async def _noted(note: Callable[[], Awaitable[bool]]) -> bool:
    """What was done must be noted, or it would be done again: however long the store errs."""
    while True:
        try:
            return await note()
        except RedisError as error:
            log.error("store_failed", error=type(error).__name__)
            await asyncio.sleep(_NOTE_AGAIN_S)


class _Lost(Exception):
    """Another has it now."""


class _Dead(Exception):
    """No attempt can be made any more."""

    def __init__(self, status: str, reason: str, **facts: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.facts = facts


def _not_found(notification: Notification, reason: str) -> Exception:
    """What is missing is looked for twice: while the store fails over, a read may come to a server that is not the
    primary any more, and has never heard of it.
    """
    return _Dead("expired", reason) if notification.attempts else Transient(reason)


def _traced(notification: Notification, accepted: Accepted) -> AbstractContextManager[Span]:
    return traces.span(
        "send notification",
        SpanKind.CLIENT,
        accepted.trace,
        notification=notification.id,
        event=notification.event,
        notice=notification.notice,
        channel=notification.channel,
        locale=notification.locale,
        attempt=notification.attempts + 1,
    )


def _said(error: TransportError) -> dict[str, str]:
    more = {"enhanced": error.status, "by": error.by}
    return {"reason": error.reason} | {name: value for name, value in more.items() if value}


def _wait(schedule: list[timedelta], attempts: int, retry_after: float | None) -> int:
    """Milliseconds until the next attempt: the step of the schedule, a fifth more or less so that crowds scatter."""
    step = schedule[min(attempts, len(schedule) - 1)].total_seconds()
    return round(max(step * random.uniform(0.8, 1.2), retry_after or 0) * 1000)
