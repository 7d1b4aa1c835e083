"""What is kept of an accepted event: an `Accepted` goes in, sealed bytes come out; and back."""

from dataclasses import dataclass
from typing import Any, Self

from pydantic import SerializeAsAny, ValidationInfo, field_validator

from notifier.events import Channel, Context, Model, Recipient
from notifier.notices import NOTICES
from notifier.sealing import Sealer


@dataclass(frozen=True, slots=True)
class PrintedCode:
    """A code as one message prints it, and for how many minutes from then on it works."""

    digits: str
    minutes: int


class Accepted(Model):
    """An accepted event. `accepted` in ms; `locale` was chosen at acceptance and stays; `code` is the code's id."""

    event: str
    account: str
    notice: str
    recipient: Recipient
    context: SerializeAsAny[Context]
    reference: str | None = None
    locale: str
    accepted: int
    notifications: dict[str, Channel]
    code: str | None = None

    def seal(self, sealer: Sealer) -> bytes:
        """Bound to its event's id."""
        return sealer.seal(self.event, self.model_dump_json(exclude_none=True).encode())

    @classmethod
    def open(cls, sealer: Sealer, event: str, sealed: bytes) -> Self:
        """Raises sealing.Unsealable."""
        return cls.model_validate_json(sealer.open(event, sealed))

    @field_validator("context", mode="before")
    @classmethod
    def _typed(cls, value: Any, info: ValidationInfo) -> Any:
        return NOTICES[info.data["notice"]].context.model_validate(value) if isinstance(value, dict) else value
