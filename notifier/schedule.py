"""What the service will tell by itself: an accepted event and the account's hold come in, the notifications that are to
be sent later go out.

They are notifications of that very event, under other notices: its recipient, its language, its links.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from links.ledger import Link
from notifier import ids
from notifier.contexts import Suspension
from notifier.events import Channel
from notifier.holds import RESUMED, Hold
from notifier.notices import NOTICES
from notifier.outbox import Entry
from notifier.records import Accepted
from notifier.rendering.renderer import Choose

# An approval that ends a hold says so itself: it is to arrive before what it leads to.
_IN_ORDER = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Change:
    """What an event makes of a hold: how it was, how it is now, and who will tell that it ended."""

    before: Hold
    after: Hold
    entries: Sequence[Entry] = ()

    @property
    def outdated(self) -> Sequence[str]:
        """Ids of those who would have told it of the hold before."""
        return self.before.notices if self.after.notices != self.before.notices else ()


def held(accepted: Accepted, before: Hold, spans: Mapping[str, timedelta], choose: Choose) -> Change:
    """What this event makes of the account's hold."""
    now = accepted.accepted
    after = before.after(accepted.notice, accepted.context, now, spans)
    if (after.until, after.stops) == (before.until, before.stops):
        return Change(before, before)
    after = replace(after, event="", notices=(), version=accepted.event)
    lifted = bool(before.stops) and accepted.notice != RESUMED
    if after.stops or not (after.until > now or lifted):
        return Change(before, after)
    due = max(after.until, now + _ms(_IN_ORDER))
    entries = _entries(accepted, RESUMED, due, due + _ms(NOTICES[RESUMED].deadline), choose)
    return Change(before, replace(after, event=accepted.event, notices=tuple(each.id for each in entries)), entries)


def saying(accepted: Accepted, hold: Hold) -> Accepted:
    """The event with what its messages say of the hold that it leads to."""
    # A suspension says its end also when that is past.
    given = isinstance(accepted.context, Suspension) and not hold.stops
    until = hold.until if given else hold.end(accepted.accepted)
    return accepted.model_copy(update={"held_until": until, "stopped": bool(hold.stops)})


def reminders(accepted: Accepted, own: Link | None, choose: Choose) -> Sequence[Entry]:
    """Of the event's own link, before it dies."""
    row = NOTICES[accepted.notice]
    if row.reminder is None or own is None:
        return ()
    name, before = row.reminder
    due = own.expires - _ms(before)
    return _entries(accepted, name, due, own.expires, choose) if due > accepted.due else ()


def _entries(accepted: Accepted, notice: str, due: int, deadline: int, choose: Choose) -> Sequence[Entry]:
    # Where a channel has two addresses, what comes later goes to the one that the account has from now on.
    first = {id: channel for id, channel in accepted.notifications.items() if id not in accepted.mailed_to}
    made = {ids.derived_id(channel, f"{notice}:{id}"): channel for id, channel in first.items()}
    return entries(accepted, notice, made, deadline, due, choose)


def entries(
    accepted: Accepted, notice: str, made: Mapping[str, Channel], deadline: int, due: int, choose: Choose
) -> list[Entry]:
    """Notifications of an event under this notice, by their ids, each in what its reader can be written to in."""
    lane, asked = NOTICES[notice].lane, accepted.recipient.locale
    choices = {channel: choose(asked, notice, channel) for channel in set(made.values())}
    return [
        Entry(id, channel, notice, lane, choices[channel].locale, choices[channel].reason, deadline, due)
        for id, channel in made.items()
    ]


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
