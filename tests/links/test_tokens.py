"""Tokens: what was minted reads back, and nothing else does."""

import base64
import secrets
import string
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from links.errors import NotValid
from links.purposes import Purpose, purposes
from links.tokens import REFERENCE_BYTES, SHORT_REFERENCE_BYTES, Token, Tokens
from tests.conftest import SetClock

REFERENCE = bytes(range(200, 200 + REFERENCE_BYTES))
SHORT = bytes(range(200, 200 + SHORT_REFERENCE_BYTES))
CHARS = string.ascii_letters + string.digits + "-_" + "+/=. \n~%" + "\0\u00e9\u0430\u200b\uff21\U0001f511"
PURPOSES = ("deactivate", "reactivate", "authorize_device", "confirm_withdrawal")
KEYS = [bytes([n]) * 32 for n in range(3)]
LATEST = 4_000_000_000_000


def is_valid(tokens: Tokens, token: str) -> bool:
    try:
        tokens.read(token)
    except NotValid:
        return False
    return True


def mutations(token: str) -> Iterator[str]:
    for at in range(len(token)):
        yield token[:at] + token[at + 1 :]
        yield token[:at]
        for char in CHARS:
            if char != token[at]:
                yield token[:at] + char + token[at + 1 :]
            yield token[:at] + char + token[at:]
    yield from (token + char for char in CHARS)


@given(
    name=st.sampled_from(PURPOSES),
    reference=st.binary(min_size=REFERENCE_BYTES, max_size=REFERENCE_BYTES),
    issued=st.integers(0, LATEST),
)
def test_a_mails_token_reads_back(name: str, reference: bytes, issued: int) -> None:
    table = purposes()
    tokens = Tokens(KEYS, table, lambda: LATEST)
    token = tokens.mint(table[name], reference, issued)
    assert tokens.read(token) == Token(reference, table[name], issued)
    assert len(token) <= 120
    assert set(token) <= set(string.ascii_letters + string.digits + "-_.")
    assert token == tokens.mint(table[name], reference, issued)


@given(reference=st.binary(min_size=SHORT_REFERENCE_BYTES, max_size=SHORT_REFERENCE_BYTES))
def test_an_smss_token_reads_back(reference: bytes) -> None:
    tokens = Tokens(KEYS, purposes(), lambda: LATEST)
    token = tokens.mint_short(reference)
    assert tokens.read(token) == Token(reference)
    assert len(f"/l/{token}") <= 30
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")


def test_every_changed_inserted_or_missing_character_is_refused(
    tokens: Tokens, table: Mapping[str, Purpose], clock: SetClock
) -> None:
    for token in (*(tokens.mint(row, REFERENCE, clock.now) for row in table.values()), tokens.mint_short(SHORT)):
        assert is_valid(tokens, token)
        assert [changed for changed in mutations(token) if is_valid(tokens, changed)] == []


@pytest.mark.parametrize("name", PURPOSES)
def test_a_token_of_one_purpose_is_none_of_another(
    name: str, tokens: Tokens, table: Mapping[str, Purpose], clock: SetClock
) -> None:
    token = tokens.mint(table[name], REFERENCE, clock.now)
    others = [other.letter for other in table.values() if other.name != name]
    assert not any(is_valid(tokens, letter + token[1:]) for letter in (*others, "x", "D"))


@pytest.mark.parametrize(
    "around", ["%s.", "%s)", "<%s>", " %s", "%s/", "%s=", "%s?", "%s&x=1", "%s%%20", "%s\r\n", "=3D%s"]
)
def test_a_token_that_a_gateway_or_a_sentence_touched_is_refused(
    around: str, tokens: Tokens, table: Mapping[str, Purpose], clock: SetClock
) -> None:
    for token in (tokens.mint(table["deactivate"], REFERENCE, clock.now), tokens.mint_short(SHORT)):
        assert not is_valid(tokens, around % token)


@pytest.mark.parametrize("token", ["", "d", ".", "d..", "A" * 25, "A" * 24, "d" * 80, "\ud800" * 25, "d" + "A" * 10**6])
def test_what_nobody_minted_is_refused(token: str, tokens: Tokens) -> None:
    assert not is_valid(tokens, token)


def test_a_token_from_the_future_is_refused_beyond_what_clocks_may_differ(
    tokens: Tokens, table: Mapping[str, Purpose], clock: SetClock
) -> None:
    for ahead, valid in ((0, True), (5_000, True), (5_001, False), (3_600_000, False)):
        assert is_valid(tokens, tokens.mint(table["deactivate"], REFERENCE, clock.now + ahead)) is valid


def test_keys_rotate_without_breaking_links_in_flight(
    keys: list[bytes], table: Mapping[str, Purpose], clock: SetClock
) -> None:
    old, middle, new = keys

    def minted(by: Tokens) -> tuple[str, str]:
        return by.mint(table["reactivate"], REFERENCE, clock.now), by.mint_short(SHORT)

    rotated = Tokens(keys, table, clock)
    for key in keys:
        assert all(is_valid(rotated, token) for token in minted(Tokens([key], table, clock)))
    assert minted(rotated) == minted(Tokens([new], table, clock))
    for retired in minted(Tokens([old], table, clock)):
        assert not is_valid(Tokens([middle, new], table, clock), retired)


def test_nothing_can_be_read_from_a_token_but_a_random_reference_and_a_time(
    tokens: Tokens, table: Mapping[str, Purpose], clock: SetClock
) -> None:
    def decoded(part: str) -> bytes:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    value, time, mac = tokens.mint(table["deactivate"], REFERENCE, clock.now).split(".")
    assert (value[0], decoded(value[1:])) == ("d", REFERENCE)
    assert int.from_bytes(decoded(time)) == clock.now
    assert len(decoded(mac)) == 32
    short = tokens.mint_short(SHORT)
    assert decoded(short[:14]) == SHORT
    assert len(decoded(short[14:])) == 8


def test_a_signed_reference_of_another_length_is_refused(
    tokens: Tokens, table: Mapping[str, Purpose], clock: SetClock
) -> None:
    for length in (0, 1, SHORT_REFERENCE_BYTES, REFERENCE_BYTES - 1, REFERENCE_BYTES + 1):
        assert not is_valid(tokens, tokens.mint(table["deactivate"], secrets.token_bytes(length), clock.now))


def test_a_purpose_that_is_no_longer_in_the_table_is_refused(
    keys: list[bytes], table: Mapping[str, Purpose], clock: SetClock
) -> None:
    gone = replace(table["deactivate"], name="gone", letter="g")
    token = Tokens(keys, {**table, "gone": gone}, clock).mint(gone, REFERENCE, clock.now)
    assert not is_valid(Tokens(keys, table, clock), token)
