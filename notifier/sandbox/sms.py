"""One text message as Twilio sees it: its segments, its resource in the API, its status callback."""

from dataclasses import asdict, dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from notifier.rendering.segments import segments

API_VERSION = "2010-04-01"


@dataclass(frozen=True)
class TextMessage:
    sid: str
    account_sid: str
    received_at: str
    to: str
    from_: str | None
    messaging_service_sid: str | None
    body: str
    status_callback: str | None
    validity_period: int | None
    status: str = "queued"
    error_code: int | None = None

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.received_at)

    @property
    def num_segments(self) -> int:
        return segments(self.body).count

    def as_json(self) -> dict[str, Any]:
        """As the phone lists it, for tests and people."""
        shown = asdict(self)
        shown["from"] = shown.pop("from_")
        return shown | {"num_segments": self.num_segments}

    def as_resource(self) -> dict[str, Any]:
        """As Twilio's API answers."""
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}.json"
        date = format_datetime(self.moment)
        on_its_way = self.status == "queued"
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "to": self.to,
            "from": self.from_,
            "messaging_service_sid": self.messaging_service_sid,
            "body": self.body,
            # A Messaging Service chooses the sender, and by it the encoding, later.
            "num_segments": str(self.num_segments if self.from_ else 0),
            "num_media": "0",
            "direction": "outbound-api",
            "status": self.status,
            "date_created": date,
            "date_updated": date,
            "date_sent": None if on_its_way else date,
            "error_code": self.error_code,
            "error_message": None,
            "price": None,
            "price_unit": "USD",
            "uri": uri,
            "subresource_uris": {"media": uri.replace(".json", "/Media.json")},
        }

    def as_callback(self) -> dict[str, str]:
        """The form fields of the status callback for the present status."""
        fields = {
            "MessageSid": self.sid,
            "MessageStatus": self.status,
            "SmsSid": self.sid,
            "SmsStatus": self.status,
            "To": self.to,
            "AccountSid": self.account_sid,
            "ApiVersion": API_VERSION,
        }
        if self.from_ is not None:
            fields["From"] = self.from_
        if self.messaging_service_sid is not None:
            fields["MessagingServiceSid"] = self.messaging_service_sid
        if self.error_code is not None:
            fields["ErrorCode"] = str(self.error_code)
        return fields
