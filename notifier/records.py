"""What is kept of an accepted event: an `Accepted` goes in, sealed bytes come out; and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import AwareDatetime, Field, SerializeAsAny, ValidationInfo, field_validator

from links.ledger import Link
from notifier import ids
from notifier.checks import KEPT
from notifier.clock import ms
from notifier.contexts import CodePurpose
from notifier.events import Channel, Context, Event, Model, Recipient
from notifier.notices import NOTICES
from notifier.sealing import Sealer, Unsealable


@dataclass(frozen=True, slots=True)
class PrintedCode:
    """A code as one message prints it, and for how many minutes from then on it works."""

    digits: str
    minutes: int


class Accepted(Model):
    """An accepted event. `accepted` in ms; `send_at` is when its producer wants it sent, None for at once; `locale` was
    chosen at acceptance and stays; `code` is the code's id; it was accepted in the step `trace`.

    `mailed_to` is the address of each mail that goes elsewhere than to the recipient's. Where the event is about a hold
    on withdrawals, `held_until` (ms) says until when that is, by all that was known; or `stopped` that nobody knew.
    """

    event: str
    account: str
    notice: str
    recipient: Recipient
    context: SerializeAsAny[Context]
    reference: str | None = None
    locale: str
    accepted: int
    send_at: AwareDatetime | None = None
    notifications: dict[str, Channel]
    code: str | None = None
    trace: str | None = None
    mailed_to: Mapping[str, str] = Field(default_factory=dict)
    held_until: int | None = None
    stopped: bool = False

    def address(self, notification: str, channel: Channel) -> str | None:
        """Where this notification goes."""
        return self.mailed_to.get(notification) or self.recipient.address(channel)

    @classmethod
    def of(
        cls,
        event: Event,
        *,
        locale: str,
        accepted: int,
        notifications: dict[str, Channel],
        code: str | None,
        trace: str | None = None,
        mailed_to: Mapping[str, str] | None = None,
    ) -> Self:
        """An event as it is accepted."""
        return cls(
            event=ids.digest(event.source, event.id),
            account=event.account,
            notice=event.notice,
            recipient=event.recipient,
            context=event.context,
            reference=event.reference,
            locale=locale,
            accepted=accepted,
            send_at=event.send_at,
            notifications=notifications,
            code=code,
            trace=trace,
            mailed_to=mailed_to or {},
        )

    @property
    def code_purpose(self) -> str | None:
        """What the code that it prints is for; None where it prints none."""
        # One notice serves many purposes; there the context names it.
        return self.context.purpose if isinstance(self.context, CodePurpose) else NOTICES[self.notice].code

    @property
    def due(self) -> int:
        """When its messages are first due (ms). Its links and its code live from then on."""
        return max(self.accepted, ms(self.send_at)) if self.send_at else self.accepted

    def deadline(self, code_expires: int | None, own: Link | None) -> int:
        """A message is worth nothing after its notice's deadline, or without its code or the link that it is about
        (ms).
        """
        deadline = self.due + round(NOTICES[self.notice].deadline.total_seconds() * 1000)
        return code_expires or min(deadline, own.expires if own else deadline)

    def seal(self, sealer: Sealer) -> bytes:
        """Bound to its event's id."""
        return sealer.seal(self.event, self.model_dump_json(exclude_none=True).encode())

    @classmethod
    def open(cls, sealer: Sealer, event: str, sealed: bytes) -> Self:
        """Raises sealing.Unsealable."""
        return cls.model_validate_json(sealer.open(event, sealed), context=KEPT)

    @classmethod
    def read(cls, sealer: Sealer, event: str, sealed: bytes | None) -> Self | None:
        """None where it is no longer kept, or its key no longer listed."""
        try:
            return cls.open(sealer, event, sealed) if sealed is not None else None
        except Unsealable:
            return None

    @field_validator("context", mode="before")
    @classmethod
    def _typed(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict):
            return value
        return NOTICES[info.data["notice"]].context.model_validate(value, context=info.context)
