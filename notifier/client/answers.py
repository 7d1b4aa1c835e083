"""What the service answers, as frozen models. A field or a status that a newer service adds breaks nothing here."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Base of all; a field without a name here is kept, in `model_extra`."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)


class Made(Answer):
    """A notification on its way: `channel` is email, sms or inbox."""

    id: str
    channel: str
    status: str


class Taken(Answer):
    """An event is kept and will be sent; `code_id` where its messages print a code."""

    event_id: str
    notifications: tuple[Made, ...]
    code_id: str | None = None


class CodeSent(Answer):
    """A code is on its way. One sent again keeps its first `expires_at`."""

    code_id: str
    expires_at: datetime
    notifications: tuple[Made, ...]


class Verdict(Answer):
    """Whether a code is right, and was used by this. `reason` says why not: mismatch, expired, used, too_many_attempts
    or unknown.
    """

    valid: bool
    reason: str | None = None
    attempts_left: int | None = None

    def __bool__(self) -> bool:
        """`if client.verify_code(…)` must not let everybody in."""
        return self.valid


class Entry(Answer):
    """Something that happened; its particulars are in `model_extra`."""

    at: datetime
    what: str


class Notification(Answer):
    """A notification as it stands; its timeline, oldest first, where one notification was asked for.

    `locale_reason` says why it is in that language: exact, region, alias, default or incomplete.
    """

    id: str
    event_id: str
    notice: str
    channel: str
    locale: str
    locale_reason: str
    status: str
    accepted_at: datetime
    send_at: datetime | None
    deadline: datetime
    attempts: int
    timeline: tuple[Entry, ...] = ()


class Notifications(Answer):
    """A page; `next` is the `cursor` of the following one."""

    notifications: tuple[Notification, ...]
    next: str | None


class Standing(Answer):
    """What became of a notification that was cancelled, sent again or replayed."""

    id: str
    status: str


class ItemLink(Answer):
    """A link of an item, and until when it acts."""

    purpose: str
    url: str
    expires_at: datetime


class Item(Answer):
    """A notification as an account's inbox shows it; `html` is a fragment."""

    id: str
    cursor: str
    notice: str
    locale: str
    created_at: datetime
    unread: bool
    title: str
    text: str
    html: str
    links: tuple[ItemLink, ...]


class Inbox(Answer):
    """A page, newest first; `next` is the `cursor` of the following one."""

    items: tuple[Item, ...]
    next: str | None


class Unread(Answer):
    """How many items are unread."""

    unread: int


class Marked(Answer):
    """An item that was read."""

    id: str
    unread: bool


class LinksRevoked(Answer):
    """Every such link issued up to `revoked_at` is void."""

    account: str
    purposes: tuple[str, ...]
    revoked_at: datetime


class LinkEntry(Answer):
    """Something that happened to a link, or to all of a purpose (then `link` is None)."""

    at: datetime
    what: str
    purpose: str
    link: str | None
    reason: str | None


class Audit(Answer):
    """What happened to links, oldest first."""

    entries: tuple[LinkEntry, ...]


class DeadLetter(Answer):
    """What was given up, and why; `kind` is notification or action."""

    id: str
    kind: str
    about: str
    channel: str | None
    reason: str
    died_at: datetime
    deadline: datetime | None


class DeadLetters(Answer):
    """A page, oldest first; `next` is the `cursor` of the following one."""

    dead_letters: tuple[DeadLetter, ...]
    next: str | None


class Erased(Answer):
    """Nothing is kept about the account any more; so many notifications were."""

    account: str
    notifications: int


class Chosen(Answer):
    """The language that was asked for, the catalog that was chosen, and why."""

    asked: str | None
    chosen: str
    reason: str


class Mail(Answer):
    """A mail; `preheader` is what an inbox shows beside the subject."""

    locale: Chosen
    subject: str
    preheader: str
    html: str
    text: str


class Segments(Answer):
    """How an SMS is billed: `alphabet` is GSM-7 or UCS-2, `length` counts in it."""

    alphabet: str
    length: int
    count: int


class Sms(Answer):
    """An SMS."""

    locale: Chosen
    text: str
    segments: Segments


class ItemText(Answer):
    """What the inbox would show."""

    locale: Chosen
    title: str
    html: str
    text: str


class LinkTold(Answer):
    """A link that the messages would carry; `opens` is when_sent or after_deactivation."""

    purpose: str
    channels: tuple[str, ...]
    life_seconds: int
    opens: str
    opens_after_seconds: int
    expires_at: datetime
    asks_for_code: bool


class Preview(Answer):
    """What an event's messages would say; the digits of a code and the links are samples."""

    notice: str
    send_at: datetime
    deadline: datetime
    links: tuple[LinkTold, ...]
    email: Mail | None
    sms: Sms | None
    inbox: ItemText | None = None
