"""Actions that owners confirmed come in from the ledger; webhooks go out to the account platform until it answers.

At least once, with an id that stays the same; a platform that is down delays an action and never loses it. Its
confirmation starts the notice that tells the owner. How one is sent: webhook.py.
"""

import contextlib
import random
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from opentelemetry.trace import SpanKind
from redis.exceptions import RedisError

from links.actions import Actions
from links.ledger import Ledger, State
from links.store import MOST_LOST, Claim
from notifier import ids, traces
from notifier.actions import Action
from notifier.archive import Archive
from notifier.clock import Clock, moment
from notifier.contexts import Occurrence
from notifier.errors import Conflict
from notifier.events import Event
from notifier.outbox import Outbox
from notifier.records import Accepted
from notifier.rounds import Held, Round
from notifier.sealing import Sealer, Unsealable
from notifier.webhook import Told, Webhook

log = structlog.get_logger()

_LEASE = timedelta(seconds=20)
# After the first attempt, at 0 s (Standard Webhooks, "Retries").
_SCHEDULE = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=h) for h in (2, 5, 10, 14, 20, 24)),
]
# How many attempts may find an action under a key that is not listed.
_UNREADABLE = 3
# The platform's confirmation of these is told to the owner. No producer's source can hold a control character, so
# none can post under this one.
_TELLS: dict[str, tuple[State, str]] = {
    "account.deactivation_confirmed": ("deactivated", "account_deactivated"),
    "account.reactivation_confirmed": ("active", "account_reactivated"),
}
_SOURCE = "\x00platform"


@dataclass(frozen=True, slots=True)
class Forwarder:
    """The stage's tools, handed in by the worker. `accept` takes the notice that follows a confirmation."""

    ledger: Ledger
    actions: Actions
    outbox: Outbox
    archive: Archive
    sealer: Sealer
    webhook: Webhook
    accept: Callable[[Event], Awaitable[object]]
    clock: Clock
    jitter: Callable[[], float] = field(default=lambda: random.uniform(1, 1.2))

    def round(self) -> Round[None]:
        """A worker's work on the actions that are due."""
        return Round(self._claim, self.attempt, self._renew, _LEASE, most=32, batch=8)

    async def attempt(self, held: Held, _: None = None) -> None:
        """Forward one, and record what the platform made of it."""
        taken = held.claim
        if taken.lost >= MOST_LOST:
            await self._bury(taken, "lost_workers")
            return
        try:
            action = Action.open(self.sealer, taken.id, taken.fields["payload"])
        except Unsealable:
            await self._unreadable(taken)
            return
        if not held.ours:
            return
        with traces.span("forward action", SpanKind.CLIENT, action.trace, action=taken.id, type=action.type):
            await self._forward(taken, action)

    async def _forward(self, taken: Claim, action: Action) -> None:
        told = await self.webhook.post(taken.id, action)
        now = self.clock()
        if told.outcome == "done":
            try:
                await self._tell(taken.id, action, now)
            except RedisError as error:
                # A store that is full takes no new event. The action waits for it, or the owner would never be told.
                told = Told("again", f"store_{type(error).__name__}")
        await self.archive.note(action.notification, now, "forwarded", outcome=told.outcome, detail=told.detail)
        traces.told(notification=action.notification, event=action.event, outcome=told.outcome, detail=told.detail)
        log.info(
            "forwarded",
            action=taken.id,
            notification=action.notification,
            event_id=action.event,
            type=action.type,
            outcome=told.outcome,
            detail=told.detail,
        )
        if told.outcome == "done" or told.outcome == "refused":
            sealed = self.sealer.seal(taken.id, told.answer.model_dump_json().encode()) if told.answer else None
            await self.actions.finish(taken, told.outcome, now, sealed)
        elif told.outcome == "stopped" or _attempts(taken) >= len(_SCHEDULE):
            await self._bury(taken, told.detail)
        else:
            await self._again(taken, now, told.retry_after)

    async def _unreadable(self, taken: Claim) -> None:
        """Keys are rotated process by process: this one may be given the new key later than who sealed with it."""
        if _attempts(taken) < _UNREADABLE:
            log.warning("payload_key_unknown", action=taken.id)
            await self._again(taken, self.clock())
        else:
            await self._bury(taken, "payload_key_retired")

    async def _again(self, taken: Claim, now: int, retry_after: float = 0) -> None:
        wait = max(_SCHEDULE[_attempts(taken)].total_seconds() * self.jitter(), retry_after)
        await self.actions.retry(taken, now + round(wait * 1000))

    async def _claim(self, count: int) -> list[tuple[Claim, None]]:
        return [(taken, None) for taken in await self.actions.claim(self.clock(), _ms(_LEASE), count)]

    async def _renew(self, claims: Collection[Claim]) -> set[str]:
        return await self.actions.renew(self.clock() + _ms(_LEASE), claims)

    async def _bury(self, taken: Claim, reason: str) -> None:
        await self.actions.bury(taken, self.clock(), reason)
        log.error("action_dead", action=taken.id, reason=reason)

    async def _tell(self, id: str, action: Action, now: int) -> None:
        """A confirmation changes the account's state, and its owner is told, once by the action's id.

        Both may be done again, should this worker die before the action is finished. Where the event whose link was
        clicked is no longer kept nobody can be told.
        """
        if action.type not in _TELLS:
            return
        state, notice = _TELLS[action.type]
        # Links are retired up to the click, not up to now: the notice below is accepted now and brings a fresh one.
        at = now if state == "deactivated" else min(action.clicked, now - 1)
        since = await self.ledger.tell(ids.digest(action.account), state, at)
        event = Accepted.read(self.sealer, action.event, await self.outbox.payload(action.event))
        if event is None:
            return
        # An earlier attempt may have told it with another time.
        with contextlib.suppress(Conflict):
            await self.accept(
                Event(
                    id=id,
                    source=_SOURCE,
                    account=action.account,
                    notice=notice,
                    # To the address that the link was in: the account may have another since.
                    recipient=event.recipient.model_copy(update={"email": event.address(action.notification, "email")}),
                    channels=tuple(dict.fromkeys(event.notifications.values())),
                    context=Occurrence(occurred_at=moment(since if state == "deactivated" else now)),
                    reference=action.reference,
                )
            )


def _attempts(taken: Claim) -> int:
    return int(taken.fields.get("attempts", 0))


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
