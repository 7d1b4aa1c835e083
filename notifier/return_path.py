"""Where a mail's bounces go: a notification's id comes in, an address of its own goes out (VERP); and back.

The address names the notification and signs it, so that a bounce needs no parsing to be understood, and that nobody can
have an address suppressed by a bounce that they made up. In lower-case letters and digits alone: mail systems on the
way back may change the case.
"""

import base64
import hmac
from collections.abc import Sequence

from notifier import ids

_MAC_BYTES = 10


class ReturnPath:
    """Addresses `local+<id>-<mac>@domain` for the mailbox `local@domain`; the newest of `keys` (the last) signs."""

    def __init__(self, mailbox: str, keys: Sequence[bytes]) -> None:
        self._local, _, self._domain = mailbox.rpartition("@")
        self._keys = keys

    def of(self, notification: str) -> str:
        """The envelope sender of this notification's mail."""
        return f"{self._local}+{notification}-{_mac(self._keys[-1], notification)}@{self._domain}"

    def read(self, address: str) -> str | None:
        """The notification that an address is the return path of; None when it is none of ours."""
        local, _, domain = address.strip().strip("<>").lower().rpartition("@")
        mailbox, _, token = local.rpartition("+")
        if (mailbox, domain) != (self._local.lower(), self._domain.lower()):
            return None
        notification, _, mac = token.partition("-")
        if not ids.is_id(notification) or not mac.isascii():
            return None
        signed = any(hmac.compare_digest(_mac(key, notification), mac) for key in self._keys)
        return notification if signed else None


def _mac(key: bytes, notification: str) -> str:
    full = hmac.digest(key, f"notifier.return-path:{notification}".encode(), "sha256")
    return base64.b32encode(full[:_MAC_BYTES]).decode().lower()
