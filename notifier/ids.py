"""Random bytes in, the ids that are shown and stored out: lower-case base32 (RFC 4648), no padding.

A notification's id is 128 bits; an SMS one's is 80, since its link carries it and must stay short.
"""

import base64
import binascii
import hashlib
import re
import secrets
from functools import lru_cache
from typing import Literal

from links.tokens import REFERENCE_BYTES, SHORT_REFERENCE_BYTES

Kind = Literal["email", "sms", "inbox", "event", "code", "action"]

_ID = re.compile(r"[a-z2-7]{16}|[a-z2-7]{26}")


def new_id(kind: Kind) -> str:
    """A fresh id from the system's CSPRNG."""
    return to_id(secrets.token_bytes(SHORT_REFERENCE_BYTES if kind == "sms" else REFERENCE_BYTES))


def derived_id(kind: Kind, id: str) -> str:
    """The one id of this kind that follows from another: made twice, it is the same."""
    length = SHORT_REFERENCE_BYTES if kind == "sms" else REFERENCE_BYTES
    return to_id(hashlib.blake2b(f"{kind}:{id}".encode(), digest_size=length).digest())


def to_id(reference: bytes) -> str:
    """The id that a link's reference stands for."""
    return base64.b32encode(reference).decode().rstrip("=").lower()


def is_id(value: str) -> bool:
    """Whether a string that a caller wrote can be one; anything else might name another key of the store."""
    return _ID.fullmatch(value) is not None


def to_reference(id: str) -> bytes:
    """The bytes that a link carries for an id; raises ValueError."""
    if not is_id(id):
        raise ValueError("not an id")
    try:
        return base64.b32decode(id.upper() + "=" * (-len(id) % 8))
    except binascii.Error:
        raise ValueError("not an id") from None


# An event asks for its account's a dozen times.
@lru_cache(maxsize=1024)
def digest(*parts: str) -> str:
    """An id for something that must not stand in a key in clear (an account, an event's source and id)."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return to_id(hashlib.blake2b(joined.encode(), digest_size=REFERENCE_BYTES).digest())
