"""What is kept is kept sealed: a payload goes in, AES-256-GCM bytes bound to their record come out; and back.

Sealed form: 4 bytes of the key's id, 12 of nonce, then the compressed payload with its tag (NIST SP 800-38D). The
record's id is authenticated with it, so a payload copied under another record does not open.
"""

import hashlib
import os
import zlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_ID = 4
_NONCE = 12


class Unsealable(Exception):
    """The key is not listed any more, or the bytes are not what was sealed under this record."""


class Sealer:
    """Seals with the newest of `keys` (the last), opens with any."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {hashlib.sha256(key).digest()[:_ID]: AESGCM(key) for key in keys}
        self._newest = hashlib.sha256(keys[-1]).digest()[:_ID]

    def seal(self, record: str, payload: bytes) -> bytes:
        """`payload` for the record with this id."""
        nonce = os.urandom(_NONCE)
        body = self._ciphers[self._newest].encrypt(nonce, zlib.compress(payload, 1), record.encode())
        return self._newest + nonce + body

    def open(self, record: str, sealed: bytes) -> bytes:
        """The payload; raises Unsealable."""
        cipher = self._ciphers.get(sealed[:_ID])
        if cipher is None:
            raise Unsealable("no listed key opens this payload")
        try:
            body = cipher.decrypt(sealed[_ID : _ID + _NONCE], sealed[_ID + _NONCE :], record.encode())
        except InvalidTag:
            raise Unsealable("the payload is not this record's") from None
        return zlib.decompress(body)
