"""What a producer posted comes in as a JSON value; the `Event` that it asks for goes out, checked, or `Invalid`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from notifier.api.door import Door
from notifier.api.schemas import TYPE_PREFIX, Schemas
from notifier.api.validation import read
from notifier.clock import Clock, moment
from notifier.errors import FieldProblem, Invalid
from notifier.events import CODE_CHANNELS, Delivery, Envelope, Event
from notifier.notices import NOTICES, Notice

# How far ahead of its time a message may be asked for.
FARTHEST = timedelta(days=30)
_UNKNOWN = FieldProblem("/type", f"must be one of {', '.join(TYPE_PREFIX + name for name in NOTICES)}")


@dataclass(frozen=True, slots=True)
class Reading:
    """Checks all that can be checked without counting or storing anything."""

    schemas: Schemas
    door: Door
    clock: Clock

    def envelope(self, posted: Any) -> tuple[Envelope, Notice]:
        """An event's envelope, and the notice that it asks for."""
        notice = _notice(posted)
        try:
            envelope = read(Envelope, posted)
        except Invalid as error:
            # A type that was misspelt is told with the rest, and a wrong context, so that one look mends all.
            unknown = notice is None and isinstance(posted, dict) and isinstance(posted.get("type"), str)
            context = _wrong_context(notice, posted) if notice else ()
            raise Invalid([*([_UNKNOWN] if unknown else []), *error.problems, *context]) from None
        if notice is None:
            raise Invalid([_UNKNOWN])
        url = self.schemas.url(notice.name)
        if envelope.dataschema not in (None, url):
            raise Invalid([FieldProblem("/dataschema", f"must be {url}, or not be there")])
        return envelope, notice

    def event(self, envelope: Envelope, notice: Notice) -> Event:
        """The event, with the channels that its messages may leave by."""
        context = read(notice.context, envelope.data.context, "/data/context")
        data = _addressed(envelope.data, notice.mails(context) if notice.mails else ())
        if data.send_at and data.send_at > moment(self.clock()) + FARTHEST:
            raise Invalid([FieldProblem("/data/send_at", f"must be at most {FARTHEST.days} days ahead")])
        _shown_codeless(notice, data)
        return Event(
            id=envelope.id,
            source=envelope.source,
            account=envelope.subject,
            notice=notice.name,
            recipient=data.recipient,
            context=context,
            channels=self.door.open(data, "/data"),
            reference=data.reference,
            send_at=data.send_at,
        )


def _notice(posted: Any) -> Notice | None:
    """The notice that its type names, if any does."""
    type = posted.get("type") if isinstance(posted, dict) else None
    if not isinstance(type, str) or not type.startswith(TYPE_PREFIX):
        return None
    return NOTICES.get(type.removeprefix(TYPE_PREFIX))


def _wrong_context(notice: Notice, posted: dict[str, Any]) -> Sequence[FieldProblem]:
    data = posted.get("data")
    context = data.get("context") if isinstance(data, dict) else None
    if isinstance(context, dict):
        try:
            read(notice.context, context, "/data/context")
        except Invalid as error:
            return error.problems
    return ()


def _shown_codeless(notice: Notice, data: Delivery) -> None:
    """Raises Invalid where the inbox, which shows no code, would show nothing, or the code come nowhere."""
    if notice.code is None or "inbox" not in data.channels:
        return
    if notice.code == "":
        raise Invalid([FieldProblem("/data/channels", "must be email or sms: codes are not shown in the inbox")])
    if not set(data.channels) & set(CODE_CHANNELS):
        detail = "must have email or sms beside inbox: this notice's code is not shown in the inbox"
        raise Invalid([FieldProblem("/data/channels", detail)])


def _addressed(data: Delivery, mails: Sequence[str]) -> Delivery:
    """Where the mail goes to other addresses than the recipient's, theirs is the last of those."""
    if not mails:
        return data
    return data.model_copy(update={"recipient": data.recipient.model_copy(update={"email": mails[-1]})})
