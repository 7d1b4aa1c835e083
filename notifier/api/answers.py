"""What the API answers, as its documentation shows it; tests hold each handler to it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from notifier.events import Channel
from notifier.notifications import Status

Id = Annotated[str, Field(pattern="^[a-z2-7]{16}$|^[a-z2-7]{26}$", examples=["mfrggzdfmztwq2lkmfrggzdfmz"])]
At = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-03-09T14:05:00.123Z"])]
Cursor = Annotated[str, Field(pattern="^[0-9]{1,15}$", examples=["1773065100123"])]
Count = Annotated[int, Field(ge=0)]


class FieldError(BaseModel):
    """One wrong field."""

    pointer: str = Field(description="A JSON pointer (RFC 6901).", examples=["/data/recipient/email"])
    detail: str = Field(description="What would be right.", examples=["is needed"])


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = Field(description="Names the kind of error, and explains it.", json_schema_extra={"format": "uri"})
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="About this request.")
    errors: list[FieldError] = Field([], description="The wrong fields, or those that differ.")
    retry_after: int | None = Field(None, ge=0, description="Seconds, as in Retry-After.")


class Made(BaseModel):
    """A notification on its way."""

    id: Id
    channel: Channel
    status: Literal["accepted", "scheduled"]


class Taken(BaseModel):
    """The event is kept, and will be sent."""

    event_id: Id
    notifications: list[Made]
    code_id: Id | None = Field(description="Of the code that the messages print; see `/v1/codes/{code_id}/verify`.")


class LocaleChosen(BaseModel):
    """What a message is written in. The tag asked for names it (`exact`), is narrower (`region`: `sq-XK`), says it by
    another name (`alias`: `no`), or none fits (`default`).
    """

    asked: str | None
    chosen: str
    reason: Literal["exact", "region", "alias", "default"]


class MailPreviewed(BaseModel):
    """A mail; `preheader` is what an inbox shows beside the subject."""

    locale: LocaleChosen
    subject: str
    preheader: str
    html: str
    text: str


class SegmentsCounted(BaseModel):
    """How an SMS is billed; `length` in septets (GSM-7) or UTF-16 code units (UCS-2)."""

    alphabet: Literal["GSM-7", "UCS-2"]
    length: Count
    count: Count


class SmsPreviewed(BaseModel):
    """An SMS."""

    locale: LocaleChosen
    text: str
    segments: SegmentsCounted


class LinkPreviewed(BaseModel):
    """A link that the messages would carry, and from when it would act."""

    purpose: str
    channels: list[Channel]
    life_seconds: Count
    opens: Literal["when_sent", "after_deactivation"] = Field(
        description="`after_deactivation`: only while the account is deactivated, `opens_after_seconds` after it was."
    )
    opens_after_seconds: Count
    expires_at: At
    asks_for_code: bool


class CodePreviewed(BaseModel):
    """The code that the messages would print, with other digits."""

    length: Count
    life_seconds: Count
    expires_at: At


class ItemPreviewed(BaseModel):
    """An item in the inbox."""

    locale: LocaleChosen
    title: str
    html: str
    text: str


class Previewed(BaseModel):
    """What an event's messages would say if it were posted now."""

    notice: str
    lane: Literal["critical", "alert", "bulk"]
    send_at: At
    deadline: At
    code: CodePreviewed | None
    links: list[LinkPreviewed]
    email: MailPreviewed | None
    sms: SmsPreviewed | None
    inbox: ItemPreviewed | None


class TakenInBatch(Taken):
    """One event of a batch is kept, and will be sent."""

    status: Literal[202]


class BatchResults(BaseModel):
    """What became of each event, in their order."""

    results: list[TakenInBatch | Problem]


class CodeSent(BaseModel):
    """The code is on its way."""

    code_id: Id
    expires_at: At
    notifications: list[Made]


class Right(BaseModel):
    """The code was right, and is now used."""

    valid: Literal[True]


class Wrong(BaseModel):
    """The code was not right."""

    valid: Literal[False]
    reason: Literal["mismatch", "expired", "used", "too_many_attempts", "unknown"]
    attempts_left: Count


class Verdict(RootModel[Right | Wrong]):
    """Whether the code is right."""


class Entry(BaseModel):
    """Something that happened; more fields tell the particulars."""

    model_config = ConfigDict(extra="allow")

    at: At
    what: str


class NotificationListed(BaseModel):
    """A notification as it stands."""

    id: Id
    event_id: Id
    notice: str
    channel: Channel
    locale: str = Field(description="What it is written in.", examples=["nb"])
    locale_reason: Literal["exact", "region", "alias", "default", "incomplete"] = Field(
        description="Why in that: the recipient's tag names it; the tag is narrower (`nb-NO`); the tag says it by "
        "another name (`no`, `zh-TW`); no locale fits; or the one that fits lacks a string of this message, which then "
        "falls back whole."
    )
    status: Status
    accepted_at: At
    send_at: At | None = Field(description="When it is to be sent first; null for at once.")
    deadline: At
    attempts: Count


class NotificationShown(NotificationListed):
    """A notification as it stands, and what has happened to it, oldest first."""

    timeline: list[Entry]


class NotificationsListed(BaseModel):
    """A page of an account's notifications, newest first; `next` is what to give as `cursor` for the following one."""

    notifications: list[NotificationListed]
    next: str | None


class Cancelled(BaseModel):
    """It will never be sent."""

    id: Id
    status: Literal["cancelled"]


class ItemLinkShown(BaseModel):
    """A link that an item carries. It acts once at most, and says on its page when it does not any more."""

    purpose: str
    url: Annotated[str, Field(json_schema_extra={"format": "uri"})]
    expires_at: At


class ItemShown(BaseModel):
    """A notification in an account's inbox; `html` is a fragment without style or script."""

    id: Id
    cursor: Cursor
    notice: str
    locale: str
    created_at: At
    unread: bool
    title: str
    text: str
    html: str
    links: list[ItemLinkShown]


class InboxRead(BaseModel):
    """A page of an account's inbox, newest first; `next` is what to give as `cursor` for the following one."""

    items: list[ItemShown]
    next: Cursor | None


class InboxUnread(BaseModel):
    """How many items are unread."""

    unread: Count


class InboxMarked(InboxUnread):
    """How many items are unread now."""


class ItemMarked(BaseModel):
    """It was read."""

    id: Id
    unread: Literal[False]


class LinksRevoked(BaseModel):
    """Every such link issued up to `revoked_at` is void."""

    account: str
    purposes: list[str]
    revoked_at: At


class AuditEntry(BaseModel):
    """Something that happened to a link, or to all of a purpose (then `link` is null). `reason` says why something was
    not done, or what the platform answered.
    """

    at: At
    what: str
    purpose: str
    link: str | None
    reason: str | None


class AuditShown(BaseModel):
    """What happened to links, oldest first."""

    entries: list[AuditEntry]


class BouncedNotification(BaseModel):
    """A notification that the report was about."""

    notification: Id
    status: str


class BouncesTold(BaseModel):
    """The notifications that were marked; none, where the report was about no mail from here."""

    reports: list[BouncedNotification]


class DeadLetterShown(BaseModel):
    """What was given up, and why."""

    id: Id
    kind: Literal["notification", "action"]
    about: str
    channel: Channel | None
    reason: str
    died_at: At
    deadline: At | None


class DeadLettersShown(BaseModel):
    """A page of dead letters, oldest first; `next` is what to give as `cursor` for the following one."""

    dead_letters: list[DeadLetterShown]
    next: Id | None


class Replayed(BaseModel):
    """It is on its way again."""

    id: Id
    status: Literal["accepted"]


class Waiting(BaseModel):
    """What waits in a queue, and for how long its first has been overdue."""

    count: Count
    overdue_ms: Count


class Queues(BaseModel):
    """What waits in each lane, and what became of everything: `accepted` is the sum of all else."""

    waiting: dict[str, Waiting]
    counts: dict[str, int]


class AccountErased(BaseModel):
    """Nothing is kept about the account any more."""

    account: str
    notifications: Count


class SuppressionLifted(BaseModel):
    """Whether the address was suppressed; it is not any more."""

    lifted: bool


class SchemaListed(BaseModel):
    """A notice, and the URL of its schema."""

    notice: str
    says: str
    dataschema: Annotated[str, Field(json_schema_extra={"format": "uri"})]


class SchemasListed(BaseModel):
    """Every notice."""

    schemas: list[SchemaListed]


class Schema(BaseModel):
    """A JSON Schema (2020-12) of an event's `data`."""

    model_config = ConfigDict(extra="allow")


class Alive(BaseModel):
    """This process answers."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """Whether the service can do its work; if not, `problems` says why. `warnings` are for who runs it: for
    example that a changed catalog was refused.
    """

    status: Literal["ok", "unavailable"]
    problems: list[str]
    warnings: list[str]
