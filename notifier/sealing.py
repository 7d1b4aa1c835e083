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
# What payloads have in common is told to the compressor beforehand (RFC 1950, FDICT): a third less is kept of an event.
# Never changed, or what was sealed with it would not open; what was sealed without it does.
_COMMON = (
    b'{"outcome":"refused","reason":"","next_url":"https://","title":"","text":"","html":"<p>","links":[{"mailed_to":{},'
    b'"held_until":17,"stopped":false,"reference":"","trace":"00-","send_at":"2026-","purpose":"sign_in",'
    b'"withdrawal_id":"","amount":"0.","asset":"BTC","address":"","network":"Bitcoin","fee":"0.0","method":"sms",'
    b'"event":"","account":"","notice":"login_succeeded","recipient":{"email":"@gmail.com","phone":"+","locale":"en",'
    b'"timezone":"Europe/","name":"","antiphishing_phrase":""},"context":{"occurred_at":"2026-01-01T00:00:00Z","ip":"",'
    b'"device":"Chrome on Windows","location":""},"locale":"en","accepted":17,"notifications":{"":"email","":"sms"},'
    b'"code":""}'
)
# Most are below 1 kB: a small window is made ready in less time than it takes to compress them.
_WINDOW, _MEMORY = 13, 5


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
        body = self._ciphers[self._newest].encrypt(nonce, _compressed(payload), record.encode())
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
        return zlib.decompressobj(zdict=_COMMON).decompress(body)


def _compressed(payload: bytes) -> bytes:
    compressing = zlib.compressobj(1, zlib.DEFLATED, _WINDOW, _MEMORY, zdict=_COMMON)
    return compressing.compress(payload) + compressing.flush()
