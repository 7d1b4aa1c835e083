"""Segments of a text message at their boundaries."""

import pytest

from notifier.sandbox.sms import count_segments


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 80 + "a", 2),
        # An escaped character is not cut in two: 152 septets fill the segment of 153.
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ë" * 70, 1),
        ("ë" * 71, 2),
        ("ë" * 134, 2),
        ("ë" * 135, 3),
        ("🔒" * 35, 1),
        ("🔒" * 36, 2),
        ("ë" * 66 + "🔒" + "ë" * 66, 3),
    ],
)
def test_segments(body: str, segments: int) -> None:
    assert count_segments(body) == segments
