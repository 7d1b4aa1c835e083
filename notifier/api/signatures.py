"""A signed request comes in; nothing goes out, or BadSignature. After Standard Webhooks: an HMAC-SHA256 over the id,
the timestamp and the body, in the three headers that its libraries write.
"""

import base64
import hmac
import re
from collections.abc import Mapping

from notifier.errors import BadSignature

_ID, _TIMESTAMP, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
SIGNATURE_HEADERS = frozenset(name.encode() for name in (_ID, _TIMESTAMP, _SIGNATURE))
TOLERANCE_S = 300
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


def check(headers: Mapping[str, str], signed: bytes, secret: bytes, now: int) -> None:
    """`signed` is what follows id and timestamp; `now` in ms.

    The same id may come again, as a repeated request does: what is done once only is known by its own id.
    """
    id, timestamp, signatures = (headers.get(name, "") for name in (_ID, _TIMESTAMP, _SIGNATURE))
    if not (id and timestamp and signatures):
        raise BadSignature("this key's requests need the headers webhook-id, webhook-timestamp and webhook-signature")
    if not _SECONDS.fullmatch(timestamp) or abs(int(timestamp) * 1000 - now) > TOLERANCE_S * 1000:
        raise BadSignature("webhook-timestamp must be the seconds since 1970, and within 5 minutes of now")
    right = hmac.digest(secret, f"{id}.{timestamp}.".encode() + signed, "sha256")
    right_word = b"v1," + base64.b64encode(right)
    # More than one while a producer's secret rotates.
    if not any(hmac.compare_digest(word.encode(), right_word) for word in signatures.split()):
        raise BadSignature("webhook-signature is not that of this key's secret over the id, timestamp and body")


def signed_part(body: bytes, method: str, target: bytes) -> bytes:
    """What is signed of a request: its body, or where it has none what it asks for, so that no other can be asked."""
    return body or method.encode() + b" " + target
