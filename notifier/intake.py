"""A checked `Event` comes in; it is recorded with all that follows from it, in one step; an `Acceptance` goes out.

One atomic write: the event (which is also its dedupe key), its notifications and those that will follow it, its code,
the account's hold, and what its links supersede. Only then is the bell rung and the caller told 202.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from links.ledger import Ledger, State
from links.store import Changed, Write
from notifier import ids, traces
from notifier.archive import Archive
from notifier.clock import Clock, ms
from notifier.codes import Codes, Standing, record_key
from notifier.errors import Conflict, EventConflict, FieldProblem, NotFound
from notifier.events import CODE_CHANNELS, Channel, Event
from notifier.holds import CONCERNED, Holds
from notifier.linkage import Linkage
from notifier.notices import NOTICES, Lane, Notice
from notifier.notifications import RETENTION
from notifier.outbox import Outbox
from notifier.records import Accepted
from notifier.rendering.negotiation import lacking
from notifier.rendering.renderer import Choose
from notifier.schedule import Change, entries, held, reminders, saying
from notifier.sealing import Sealer, Unsealable
from notifier.tally import counted

log = structlog.get_logger()

Bell = Callable[[Lane], Awaitable[None]]
# A tag that any caller may have written in, to the locale that it is answered in.
Negotiate = Callable[[str | None], str]


# The same event again gets the same answer for at least this long.
_REPEATABLE = timedelta(days=1)
# Where a producer wrote what is kept of an event.
_PLACES: Mapping[str, Callable[[Accepted], Any]] = {
    "/subject": lambda accepted: accepted.account,
    "/type": lambda accepted: accepted.notice,
    "/data/recipient": lambda accepted: accepted.recipient.model_dump(),
    "/data/channels": lambda accepted: list(accepted.notifications.values()),
    "/data/context": lambda accepted: accepted.context.model_dump(),
    "/data/reference": lambda accepted: accepted.reference,
    "/data/send_at": lambda accepted: accepted.send_at,
}
# What these notices tell is the account's state.
_STATES: Mapping[str, State] = {
    "account_deactivated": "deactivated",
    "account_blocked": "deactivated",
    "account_reactivated": "active",
}


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What the producer is told; the same for the same event. `code_expires` in ms; `scheduled`: it is sent later."""

    event: str
    notifications: dict[str, Channel]
    code: str | None
    code_expires: int | None
    scheduled: bool


@dataclass(frozen=True, slots=True)
class Intake:
    """The stage's tools, handed in by the roots."""

    outbox: Outbox
    archive: Archive
    codes: Codes
    ledger: Ledger
    linkage: Linkage
    holds: Holds
    sealer: Sealer
    negotiate: Negotiate
    choose: Choose
    ring: Bell
    clock: Clock

    async def accept(self, event: Event) -> Acceptance:
        """Record `event` once; the same event again gets the same answer, another body under its id `Conflict`."""
        with traces.span("accept event", notice=event.notice):
            return await self._accept(event)

    async def _accept(self, event: Event) -> Acceptance:
        now, notice = self.clock(), NOTICES[event.notice]
        made = self._made(event, notice, now)
        traces.told(event=made.event)
        body = hashlib.blake2b(event.model_dump_json().encode(), digest_size=16).digest()
        while True:
            accepted, change = await self._on_hold(made)
            try:
                known = await self._record(accepted, notice, body, change)
                break
            except Changed:
                pass  # another event about the account's hold came between
        if known is not None:
            accepted = self._first(known, accepted, body)
        await self._tell(accepted)
        if known is None and change:
            for id in change.outdated:
                # One that stays, should this fail now, is not sent either when it is due.
                outdated = await self.archive.find(id)
                if outdated:
                    await self.outbox.cancel(outdated, now)
        scheduled = accepted.due > accepted.accepted
        traces.told(locale=accepted.locale, outcome="accepted" if known is None else "repeated")
        if known is None:
            log.info(
                "accepted",
                event_id=accepted.event,
                notice=notice.name,
                locale=accepted.locale,
                notifications=list(accepted.notifications),
            )
        if known is None and not scheduled:
            await self.ring(notice.lane)
        expires = self._code_expires(accepted)
        return Acceptance(accepted.event, accepted.notifications, accepted.code, expires, scheduled)

    def _made(self, event: Event, notice: Notice, now: int) -> Accepted:
        notifications: dict[str, Channel] = {}
        mailed_to: dict[str, str] = {}
        for channel in event.channels:
            id = ids.new_id(channel)
            notifications[id] = channel
            if channel == "email" and notice.mails:
                for address in set(notice.mails(event.context)) - {event.recipient.email}:
                    mailed_to[other := ids.new_id(channel)] = address
                    notifications[other] = channel
        return Accepted.of(
            event,
            locale=self.negotiate(event.recipient.locale),
            accepted=now,
            notifications=notifications,
            code=ids.new_id("code") if notice.code is not None else None,
            mailed_to=mailed_to,
            trace=traces.carried(),
        )

    async def _on_hold(self, made: Accepted) -> tuple[Accepted, Change | None]:
        """The event with what it says of the account's hold, and what it makes of that."""
        if made.notice not in CONCERNED:
            return made, None
        change = held(made, await self.holds.find(ids.digest(made.account)), self.holds.spans, self.choose)
        return saying(made, change.after), change

    async def _record(
        self, accepted: Accepted, notice: Notice, body: bytes, change: Change | None
    ) -> tuple[bytes, bytes] | None:
        """As `Outbox.record`. Raises Changed."""
        account = ids.digest(accepted.account)
        deadline = self._deadline(accepted)
        later = [*reminders(accepted, self.linkage.own(accepted), self.choose), *(change.entries if change else ())]
        beside = await self._beside(accepted)
        basis = None
        if change and change.after is not change.before:
            beside += self.holds.writes(account, change.after, accepted.accepted)
        if change:
            basis = self.holds.basis(account, change.before)
        return await self.outbox.record(
            accepted.event,
            account,
            body,
            accepted.seal(self.sealer),
            [*entries(accepted, notice.name, accepted.notifications, deadline, accepted.due, self.choose), *later],
            accepted.accepted,
            keep=max([self._keep(accepted), *(_span(accepted.accepted, each.deadline) for each in later)]),
            beside=beside,
            owned=[record_key(accepted.code)] if accepted.code else [],
            basis=basis,
        )

    def _first(self, known: tuple[bytes, bytes], again: Accepted, body: bytes) -> Accepted:
        """What was recorded under this id before; raises Conflict."""
        known_body, sealed = known
        try:
            first = Accepted.open(self.sealer, again.event, sealed)
        except Unsealable:
            raise Conflict("this source and id were posted before, and what was answered cannot be read") from None
        if known_body != body:
            raise EventConflict(
                "this source and id were posted before with another body; a new event needs a new id",
                [FieldProblem(place, "differs from what was posted first") for place in _differing(first, again)],
            )
        return first

    async def _tell(self, accepted: Accepted) -> None:
        """What the event says of the account's state, if it does."""
        state = _STATES.get(accepted.notice)
        if state is None:
            return
        # Told again with each repetition: should this have failed after the event was recorded, that mends it.
        happened = getattr(accepted.context, "occurred_at", None)
        at = ms(happened) if happened else accepted.accepted
        # Never a time to come; and links are retired up to its own, which are issued at the moment of acceptance.
        latest = accepted.accepted if state == "deactivated" else accepted.accepted - 1
        await self.ledger.tell(ids.digest(accepted.account), state, min(at, latest))

    async def resendable(self, code: str) -> tuple[Standing, Accepted]:
        """A code that may be sent again, and its event; raises NotFound or Conflict."""
        standing = await self.codes.find(code)
        sealed = await self.outbox.payload(standing.event) if standing else None
        accepted = Accepted.read(self.sealer, standing.event, sealed) if standing else None
        if standing is None or accepted is None:
            raise NotFound("no code is kept under this id")
        if standing.over or self.clock() >= standing.expires:
            raise Conflict("this code was used, was guessed at too often or has expired; ask for a new one")
        if self.clock() < accepted.due:
            raise Conflict("this code is not sent yet: it lives from the time for which its event is scheduled")
        return standing, accepted

    async def resend(
        self, standing: Standing, accepted: Accepted, channels: Sequence[Channel]
    ) -> Mapping[str, Channel]:
        """The same code again, with its first expiry; on a channel that it was not on, with digits of its own."""
        now, notice = self.clock(), NOTICES[accepted.notice]
        if accepted.code and set(channels) - set(standing.channels):
            await self.codes.add_channels(accepted.code, channels)
        made = {ids.new_id(channel): channel for channel in channels}
        for entry in entries(accepted, notice.name, made, standing.expires, now, self.choose):
            await self.outbox.add(accepted.event, ids.digest(accepted.account), entry, now)
        await self.ring(notice.lane)
        return made

    def _code_expires(self, accepted: Accepted) -> int | None:
        purpose = accepted.code_purpose
        return None if purpose is None else self.codes.expires(purpose, accepted.due)

    def _deadline(self, accepted: Accepted) -> int:
        return accepted.deadline(self._code_expires(accepted), self.linkage.own(accepted))

    def _keep(self, accepted: Accepted) -> timedelta:
        """A payload lives as long as its message, code and links need it, and as producers may post it again."""
        until = [self._deadline(accepted), *(link.expires for link in self.linkage.carried(accepted))]
        waits = timedelta(milliseconds=accepted.due - accepted.accepted)
        return waits + min(RETENTION, max(_REPEATABLE, timedelta(milliseconds=max(until) - accepted.due)))

    async def _beside(self, accepted: Accepted) -> list[Write]:
        account = ids.digest(accepted.account)
        writes: list[Write] = []
        purpose = accepted.code_purpose
        if accepted.code and purpose is not None:
            channels = tuple(each for each in accepted.notifications.values() if each in CODE_CHANNELS)
            writes += self.codes.issue(accepted.code, accepted.event, account, purpose, channels, accepted.due)
        link = self.linkage.superseding(accepted)
        if link:
            writes += await self.ledger.issued(link, later=accepted.due > accepted.accepted)
        asked = lacking(accepted.recipient.locale, accepted.locale)
        if asked:
            writes.append(counted("fallbacks", asked, accepted.locale))
        return writes


def _differing(first: Accepted, second: Accepted) -> list[str]:
    """Pointers to the fields in which two events differ; those of a dictionary one by one."""
    found: list[str] = []
    for place, value in _PLACES.items():
        one, other = value(first), value(second)
        if isinstance(one, dict) and isinstance(other, dict):
            found += [f"{place}/{name}" for name in (one | other) if one.get(name) != other.get(name)]
        elif one != other:
            found.append(place)
    return found


def _span(since: int, until: int) -> timedelta:
    return timedelta(milliseconds=until - since)
