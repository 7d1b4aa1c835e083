"""A purpose, a reference and a time go in, a signed token for a URL comes out; and the way back, or NotValid.

Two forms. In mail: the purpose's letter, a reference of 16 bytes and the time of issue, signed by itsdangerous with a
salt per purpose (76 characters). In SMS: a reference of 10 bytes and 8 bytes of the MAC (25 characters); its purpose
and time of issue are its record's.
Both carry random references alone, so nothing can be read from them.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from itsdangerous import BadSignature, Signer, TimestampSigner
from itsdangerous.encoding import base64_decode, base64_encode, bytes_to_int, int_to_bytes, want_bytes
from itsdangerous.exc import BadData
from itsdangerous.signer import HMACAlgorithm

from links.errors import NotValid
from links.purposes import Purpose

REFERENCE_BYTES = 16
SHORT_REFERENCE_BYTES = 10
SHORT_CHARS = 25
_SHORT_MAC_BYTES = 8
_SHORT_REFERENCE_CHARS = 14
# Clocks of the machines that mint and read may differ by this much, in milliseconds.
_CLOCK_TOLERANCE = 5_000


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was read. `purpose` and `issued` (ms since 1970) are None in the short form."""

    reference: bytes
    purpose: Purpose | None = None
    issued: int | None = None


class _Hmac(HMACAlgorithm):
    """HMAC-SHA256 in one call of the C library."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha256")


class _MillisecondSigner(TimestampSigner):
    """Signs with a time that is given, in ms: two messages of one second must still have an order. Its keys are derived
    once, which takes as long as a signature.
    """

    def __init__(self, keys: Sequence[bytes], purpose: str) -> None:
        super().__init__(
            keys,
            salt=f"links.{purpose}",
            digest_method=hashlib.sha256,
            key_derivation="hmac",
            algorithm=_Hmac(hashlib.sha256),
        )
        self._derived = [super(_MillisecondSigner, self).derive_key(key) for key in self.secret_keys]
        self._now = 0

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """The newest."""
        return self._derived[-1] if secret_key is None else super().derive_key(secret_key)

    def sign_at(self, value: str, now: int) -> str:
        """`value` with a time and a signature."""
        self._now = now
        return self.sign(value).decode()

    def get_timestamp(self) -> int:
        return self._now

    def verify_signature(self, value: str | bytes, sig: str | bytes) -> bool:
        """As it is minted, in base64: a last character holds bits that decoding drops; several spellings would do."""
        signatures = [base64_encode(self.algorithm.get_signature(key, want_bytes(value))) for key in self._derived]
        return any(hmac.compare_digest(signature, want_bytes(sig)) for signature in signatures)

    def read(self, token: str) -> tuple[bytes, int]:
        """What was signed and when; raises BadData or ValueError."""
        value, _, time = Signer.unsign(self, token).rpartition(b".")
        issued = bytes_to_int(base64_decode(time))
        if base64_encode(int_to_bytes(issued)) != time:
            raise BadSignature("time")
        return value, issued


class _ShortMac(HMACAlgorithm):
    """HMAC-SHA256 cut to 64 bits: RFC 2104 section 5 allows it, and a guess costs one request to us."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return super().get_signature(key, value)[:_SHORT_MAC_BYTES]


class Tokens:
    """Mints with the newest of `keys` (the last), reads with any. `clock` gives ms since 1970."""

    def __init__(self, keys: Sequence[bytes], purposes: Mapping[str, Purpose], clock: Callable[[], int]) -> None:
        self.purposes = purposes
        self._keys = list(keys)
        self._clock = clock
        self._letters = {purpose.letter: purpose for purpose in purposes.values()}
        self._signers = {letter: _MillisecondSigner(self._keys, p.name) for letter, p in self._letters.items()}
        self._short = Signer(
            self._keys,
            salt="links.short",
            digest_method=hashlib.sha256,
            key_derivation="hmac",
            algorithm=_ShortMac(hashlib.sha256),
        )

    def mint(self, purpose: Purpose, reference: bytes, issued: int) -> str:
        """The token of a link in a mail; the same arguments give the same token (until a key is added)."""
        value = purpose.letter + base64_encode(reference).decode()
        return self._signers[purpose.letter].sign_at(value, issued)

    def mint_short(self, reference: bytes) -> str:
        """The token of the link in an SMS."""
        return base64_encode(reference).decode() + self._short.get_signature(reference).decode()

    def read(self, token: str) -> Token:
        """What a token of either form says; raises NotValid."""
        try:
            return self._read_short(token) if len(token) == SHORT_CHARS else self._read_long(token)
        except (BadData, ValueError, OverflowError):
            raise NotValid from None

    def _read_long(self, token: str) -> Token:
        purpose = self._letters.get(token[:1])
        if purpose is None or not token.isascii():
            raise NotValid
        value, issued = self._signers[purpose.letter].read(token)
        reference = base64_decode(value[1:])
        if len(reference) != REFERENCE_BYTES or issued > self._clock() + _CLOCK_TOLERANCE:
            raise NotValid
        # As it was minted, for the same reason as the signature.
        if value != purpose.letter.encode() + base64_encode(reference):
            raise NotValid
        return Token(reference, purpose, issued)

    def _read_short(self, token: str) -> Token:
        reference = base64_decode(token[:_SHORT_REFERENCE_CHARS])
        mac = token[_SHORT_REFERENCE_CHARS:]
        if not self._short.verify_signature(reference, mac):
            raise BadSignature("short MAC")
        if base64_encode(reference).decode() + base64_encode(base64_decode(mac)).decode() != token:
            raise NotValid
        return Token(reference)
