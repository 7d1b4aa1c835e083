"""Twilio's status callbacks: a form and its signature come in, a `Report` goes out.

A callback comes to the URL that went with the message, which names the notification and is part of what is signed.
"""

from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import quote

import structlog
from twilio.request_validator import RequestValidator

from notifier.setting_types import TwilioAccount
from notifier.transports.base import Report
from notifier.transports.twilio_errors import TABLE, Meaning, code_of

log = structlog.get_logger()

CALLBACK_PATH = "/v1/receipts/twilio"

# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
_STATUSES: dict[str, Literal["queued", "sent", "delivered", "undelivered"]] = {
    "accepted": "queued",
    "scheduled": "queued",
    "queued": "queued",
    "sending": "queued",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "undelivered",
    "canceled": "undelivered",
}


class Forged(Exception):
    """The signature is missing, or none of our accounts has made it."""


def callback_url(public_url: str, notification: str) -> str:
    """Where Twilio is to tell what becomes of a notification."""
    return f"{public_url}{CALLBACK_PATH}?notification={quote(notification)}"


class TwilioReceipts:
    """Reads what is signed by one of `accounts` for our own `public_url`, whatever host was asked for."""

    def __init__(self, accounts: Sequence[TwilioAccount], public_url: str) -> None:
        self._validators = {account.name: RequestValidator(account.token) for account in accounts}
        self._public_url = public_url

    def read(self, notification: str, form: Mapping[str, str], signature: str) -> Report | None:
        """None for a status that says nothing about what became of it; raises Forged."""
        url = callback_url(self._public_url, notification)
        by = next((name for name, ours in self._validators.items() if ours.validate(url, form, signature)), None)
        if by is None:
            raise Forged
        told = form.get("MessageStatus", "")
        status = _STATUSES.get(told)
        if status is None:
            return None
        if status != "undelivered":
            return Report(notification, status, by)
        code = code_of(form.get("ErrorCode"))
        reason, meaning = f"twilio_{code or told}", TABLE.get(code or 0)
        if meaning in (Meaning.SENDER, Meaning.ACCOUNT):
            # The account takes messages and does not deliver them: its operator would not see it from the answers.
            log.warning("sms_account_failed", account=by, reason=reason)
        return Report(notification, status, by, reason, dead_address=meaning is Meaning.DEAD)
