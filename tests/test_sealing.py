"""Sealed payloads open under their record and a listed key, and not otherwise."""

import hashlib
import secrets
import zlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from notifier.sealing import Sealer, Unsealable

OLD, NEW = (secrets.token_bytes(32) for _ in range(2))
PAYLOAD = b'{"email": "anna@example.com"}'


@given(record=st.text(st.characters(exclude_categories=["Cs"])), payload=st.binary(max_size=4_096))
def test_what_is_sealed_opens(record: str, payload: bytes) -> None:
    sealer = Sealer([OLD, NEW])
    assert sealer.open(record, sealer.seal(record, payload)) == payload


def test_nothing_is_in_clear_and_nothing_repeats() -> None:
    sealer = Sealer([NEW])
    sealed = [sealer.seal("r", PAYLOAD) for _ in range(100)]
    assert len({each[4:16] for each in sealed}) == 100
    assert not [each for each in sealed if b"anna" in each or NEW in each]


def test_under_another_record_it_does_not_open() -> None:
    sealer = Sealer([NEW])
    with pytest.raises(Unsealable):
        sealer.open("other", sealer.seal("r", PAYLOAD))


def test_with_any_bit_changed_or_byte_missing_it_does_not_open() -> None:
    sealer = Sealer([OLD, NEW])
    sealed = sealer.seal("r", PAYLOAD)
    flipped = [
        sealed[:at] + bytes([sealed[at] ^ 1 << bit]) + sealed[at + 1 :] for at in range(len(sealed)) for bit in range(8)
    ]
    for changed in (*flipped, *(sealed[:length] for length in range(16, len(sealed))), sealed + b"\0"):
        with pytest.raises(Unsealable):
            sealer.open("r", changed)


@pytest.mark.parametrize("sealed", [b"", b"abc", b"\0" * 1_000])
def test_what_nobody_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Unsealable):
        Sealer([NEW]).open("r", sealed)


def test_keys_rotate() -> None:
    before, both, after = Sealer([OLD]), Sealer([OLD, NEW]), Sealer([NEW])
    assert both.open("r", before.seal("r", PAYLOAD)) == PAYLOAD
    assert after.open("r", both.seal("r", PAYLOAD)) == PAYLOAD
    with pytest.raises(Unsealable):
        after.open("r", before.seal("r", PAYLOAD))


def test_what_was_sealed_before_there_was_a_dictionary_opens() -> None:
    key, payload = b"k" * 32, b'{"event":"e","recipient":{"email":"arta@example.com"}}'
    nonce, id = b"n" * 12, hashlib.sha256(key).digest()[:4]
    sealed = id + nonce + AESGCM(key).encrypt(nonce, zlib.compress(payload, 1), b"e")
    assert Sealer([key]).open("e", sealed) == payload
    # And what is sealed now is shorter.
    assert len(Sealer([key]).seal("e", payload)) < len(sealed)
