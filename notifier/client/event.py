"""What a producer wants told: an `Event` comes in, a CloudEvent as JSON has it goes out."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from notifier.client.notices import Told
from notifier.events import Channel, Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event about one account.

    `source` (a URI of your service) and `id` tell it from every other: the same event again is answered as the first
    time and sends nothing. Give an `id` that your own records have, and it is the same even after your process died; a
    random one is the same only within one call.

    `channels`: none given means every one that the recipient has an address for. `reference` comes back with every
    action of the owner. `send_at`: not before then.
    """

    source: str
    account: str
    recipient: Recipient
    notice: Told
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    channels: tuple[Channel, ...] = ()
    reference: str | None = None
    send_at: datetime | None = None

    def cloudevent(self) -> dict[str, Any]:
        """In structured mode."""
        data: dict[str, Any] = {
            "recipient": self.recipient.model_dump(mode="json", exclude_unset=True),
            "context": self.notice.model_dump(mode="json", exclude_unset=True),
        }
        if self.channels:
            data["channels"] = list(self.channels)
        if self.reference is not None:
            data["reference"] = self.reference
        if self.send_at is not None:
            data["send_at"] = self.send_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": f"account.{self.notice.notice}",
            "subject": self.account,
            "datacontenttype": "application/json",
            "data": data,
        }


def as_json(event: Event | Mapping[str, Any]) -> Mapping[str, Any]:
    """One that is JSON already, as a file has it, is taken as it is."""
    return event.cloudevent() if isinstance(event, Event) else event
