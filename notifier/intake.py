"""A checked `Event` comes in; it is recorded with all that follows from it, in one step; an `Acceptance` goes out.

One atomic write: the event (which is also its dedupe key), its notifications, its code, and what its links supersede.
Only then is the bell rung and the caller told 202.
"""

import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from redis.exceptions import RedisError

from links.ledger import Ledger, State
from links.store import Write
from notifier import ids
from notifier.clock import Clock
from notifier.codes import Codes, Standing
from notifier.errors import Conflict, NotFound
from notifier.events import Channel, CodePurpose, Event, Occurrence
from notifier.linkage import Linkage
from notifier.notices import NOTICES, Lane, Notice
from notifier.outbox import Entry, Outbox
from notifier.records import Accepted
from notifier.sealing import Sealer

Bell = Callable[[Lane], Awaitable[None]]
# A tag that any caller may have written in, to the locale that it is answered in.
Negotiate = Callable[[str | None], str]


# What these notices tell is the account's state.
_STATES: Mapping[str, State] = {"account_deactivated": "deactivated", "account_reactivated": "active"}


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What the producer is told; the same for the same event. `code_expires` in ms."""

    event: str
    notifications: dict[str, Channel]
    code: str | None
    code_expires: int | None


@dataclass(frozen=True, slots=True)
class Intake:
    """The stage's tools, handed in by the roots."""

    outbox: Outbox
    codes: Codes
    ledger: Ledger
    linkage: Linkage
    sealer: Sealer
    negotiate: Negotiate
    ring: Bell
    clock: Clock

    async def accept(self, event: Event) -> Acceptance:
        """Record `event` once; the same event again gets the same answer, another body under its id `Conflict`."""
        now = self.clock()
        notice = NOTICES[event.notice]
        accepted = Accepted(
            event=ids.digest(event.source, event.id),
            account=event.account,
            notice=event.notice,
            recipient=event.recipient,
            context=event.context,
            reference=event.reference,
            locale=self.negotiate(event.recipient.locale),
            accepted=now,
            notifications={ids.new_id(channel): channel for channel in event.channels},
            code=ids.new_id("code") if notice.code is not None else None,
        )
        body = hashlib.blake2b(event.model_dump_json().encode(), digest_size=16).digest()
        known = await self.outbox.record(
            accepted.event,
            body,
            accepted.seal(self.sealer),
            _entries(accepted.notifications, notice, accepted.locale, self._deadline(accepted, notice)),
            now,
            await self._beside(accepted, notice),
        )
        if known is not None:
            known_body, sealed = known
            if known_body != body:
                raise Conflict("this source and id were posted before with another body; a new event needs a new id")
            accepted = Accepted.open(self.sealer, accepted.event, sealed)
        state = _STATES.get(notice.name)
        if state and isinstance(accepted.context, Occurrence):
            # Told again with each repetition: should this have failed after the event was recorded, that mends it.
            at = round(accepted.context.occurred_at.timestamp() * 1000)
            # Never a time to come; and links are retired up to its own, which are issued at the moment of acceptance.
            latest = accepted.accepted if state == "deactivated" else accepted.accepted - 1
            await self.ledger.tell(ids.digest(accepted.account), state, min(at, latest))
        if known is None:
            # The event is safe: a bell that fails only costs the time until the next sweep.
            with contextlib.suppress(RedisError, OSError):
                await self.ring(notice.lane)
        expires = self._code_expires(accepted, notice)
        return Acceptance(accepted.event, accepted.notifications, accepted.code, expires)

    async def resendable(self, code: str) -> tuple[Standing, Accepted]:
        """A code that may be sent again, and its event; raises NotFound or Conflict."""
        standing = await self.codes.find(code)
        sealed = await self.outbox.payload(standing.event) if standing else None
        if standing is None or sealed is None:
            raise NotFound("no code is kept under this id")
        if standing.used or self.clock() >= standing.expires:
            raise Conflict("this code was used or has expired; ask for a new one")
        return standing, Accepted.open(self.sealer, standing.event, sealed)

    async def resend(
        self, standing: Standing, accepted: Accepted, channels: Sequence[Channel]
    ) -> Mapping[str, Channel]:
        """The same code again, with its first expiry; on a channel that it was not on, with digits of its own."""
        now, notice = self.clock(), NOTICES[accepted.notice]
        if accepted.code and set(channels) - set(standing.channels):
            await self.codes.add_channels(accepted.code, channels)
        made = {ids.new_id(channel): channel for channel in channels}
        await self.outbox.add(accepted.event, _entries(made, notice, accepted.locale, standing.expires), now)
        with contextlib.suppress(RedisError, OSError):
            await self.ring(notice.lane)
        return made

    def _code_expires(self, accepted: Accepted, notice: Notice) -> int | None:
        return self.codes.expires(_code_purpose(accepted, notice), accepted.accepted) if accepted.code else None

    def _deadline(self, accepted: Accepted, notice: Notice) -> int:
        """A message is worth nothing after its notice's deadline, or without the code that it prints."""
        own = accepted.accepted + round(notice.deadline.total_seconds() * 1000)
        return self._code_expires(accepted, notice) or own

    async def _beside(self, accepted: Accepted, notice: Notice) -> list[Write]:
        account = ids.digest(accepted.account)
        writes: list[Write] = []
        if accepted.code:
            channels = tuple(accepted.notifications.values())
            purpose = _code_purpose(accepted, notice)
            writes += self.codes.issue(accepted.code, accepted.event, account, purpose, channels, accepted.accepted)
        link = self.linkage.superseding(accepted)
        if link:
            writes += await self.ledger.issued(link)
        return writes


def _code_purpose(accepted: Accepted, notice: Notice) -> str:
    # One notice serves many purposes; there the context names it.
    return accepted.context.purpose if isinstance(accepted.context, CodePurpose) else notice.code or ""


def _entries(made: Mapping[str, Channel], notice: Notice, locale: str, deadline: int) -> list[Entry]:
    return [Entry(id, channel, notice.name, notice.lane, locale, deadline) for id, channel in made.items()]
