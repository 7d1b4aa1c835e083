"""A bounce comes in as a mail (a delivery status notification, RFC 3464); what it says of our notifications goes out.

Which notification it is about is told by the address that it was sent to (see return_path.py), wherever that stands.
"""

from collections.abc import Iterator, Mapping
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses

from notifier.return_path import ReturnPath
from notifier.transports.base import DEAD_STATUSES, Report, ReportStatus

_STATUSES: Mapping[str, ReportStatus] = {"failed": "bounced", "delayed": "delayed", "delivered": "delivered"}
_RECIPIENT_HEADERS = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "To")
BY = "bounce"
# A bounce of a mail from here has eight or so. The parser recurses into each part, and looks at each line as often as
# parts are nested around it: half a minute, for a mail that somebody made up.
_MOST_PARTS = 32


def read(mail: bytes, return_path: ReturnPath, recipient: str = "") -> list[Report]:
    """Reports of one bounce; none when it is no bounce of ours. `recipient` is its envelope's, where that is known."""
    if mail.lower().count(b"content-type:") > _MOST_PARTS:
        return []
    # By the older parser: the newer one raises all kinds of errors at headers that are broken.
    message = message_from_bytes(mail)
    notification = next(filter(None, map(return_path.read, _addresses(message, recipient))), None)
    if notification is None:
        return []
    return [report for block in _blocks(message) if (report := _report(notification, block))]


def report(notification: str, action: str, status: str) -> Report | None:
    """What one recipient's fields say: `Action` and `Status`; None for what is of no account (relayed, expanded)."""
    told = _STATUSES.get(action.strip().lower())
    code = next(iter(status.split()), "")
    if told is None:
        return None
    reason = f"dsn_{code}" if code.replace(".", "").isdecimal() and len(code) < 12 else "dsn"
    return Report(notification, told, BY, reason, dead_address=told == "bounced" and code in DEAD_STATUSES)


def _report(notification: str, block: Message) -> Report | None:
    return report(notification, str(block.get("Action", "")), str(block.get("Status", "")))


def _addresses(message: Message, recipient: str) -> Iterator[str]:
    yield recipient
    for name in _RECIPIENT_HEADERS:
        for _, address in getaddresses([str(value) for value in message.get_all(name, [])]):
            yield address


def _blocks(message: Message) -> Iterator[Message]:
    """The per-recipient blocks of every delivery status (RFC 3464 section 2.3)."""
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            for block in part.get_payload():
                if isinstance(block, Message) and "Action" in block:
                    yield block
