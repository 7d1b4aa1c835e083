"""Ids: random, short enough, one for each reference."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.ids import Kind, digest, is_id, new_id, to_id, to_reference


@pytest.mark.parametrize(("kind", "length"), [("email", 26), ("sms", 16), ("event", 26), ("code", 26), ("action", 26)])
def test_ids_are_new_and_of_their_length(kind: Kind, length: int) -> None:
    made = [new_id(kind) for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert all(re.fullmatch(f"[a-z2-7]{{{length}}}", id) for id in made)


@given(st.binary(min_size=16, max_size=16) | st.binary(min_size=10, max_size=10))
def test_an_id_and_its_reference_stand_for_each_other(reference: bytes) -> None:
    assert to_reference(to_id(reference)) == reference


@pytest.mark.parametrize(
    "id",
    ["", "a", "a" * 15, "a" * 17, "a" * 25, "a" * 27, "A" * 26, "1" * 16, "a" * 15 + "=", "a" * 16 + "\n", "ä" * 16],
)
def test_what_is_no_id_is_refused(id: str) -> None:
    assert not is_id(id)
    with pytest.raises(ValueError, match="not an id"):
        to_reference(id)


def test_a_digest_tells_its_parts_apart() -> None:
    parts = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("1:a", "b"), ("1", ":ab"), ()]
    assert len({digest(*each) for each in parts}) == len(parts)
    assert digest("ab", "c") == digest("ab", "c")
    assert is_id(digest("acc"))
