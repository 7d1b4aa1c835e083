"""How texts are billed, at the borders of an SMS."""

import pytest

from notifier.rendering.segments import Segments, segments

EMOJI = "😀"


@pytest.mark.parametrize(
    ("text", "length", "count"),
    [
        ("", 0, 1),
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 306, 306, 2),
        ("a" * 307, 307, 3),
        ("a" * 459, 459, 3),
        ("a" * 460, 460, 4),
        # An extension character takes two septets and is never cut.
        ("a" * 158 + "€", 160, 1),
        ("a" * 159 + "€", 161, 2),
        ("€" * 80, 160, 1),
        ("€" * 81, 162, 2),
        ("a" * 152 + "€" + "a" * 152, 306, 3),
        ("a" * 151 + "€" + "a" * 153, 306, 2),
        ("€" * 152, 304, 2),
        ("€" * 153, 306, 3),
        ("a" * 150 + "\r\n" + "@£$¥èéùìò"[:8], 160, 1),
    ],
)
def test_in_gsm_7(text: str, length: int, count: int) -> None:
    assert segments(text) == Segments("GSM-7", length, count)


@pytest.mark.parametrize(
    ("text", "length", "count"),
    [
        ("ë", 1, 1),
        ("ë" * 70, 70, 1),
        ("ë" * 71, 71, 2),
        ("ë" * 134, 134, 2),
        ("ë" * 135, 135, 3),
        ("ë" + "a" * 69, 70, 1),
        ("ë" + "a" * 70, 71, 2),
        # Brackets cost two septets in GSM-7, and one unit here.
        ("ë" + "[" * 69, 70, 1),
        # Two UTF-16 units, never cut.
        ("ë" * 68 + EMOJI, 70, 1),
        ("ë" * 69 + EMOJI, 71, 2),
        (EMOJI * 35, 70, 1),
        (EMOJI * 36, 72, 2),
        ("ë" * 66 + EMOJI + "ë" * 66, 134, 3),
        ("ë" * 65 + EMOJI + "ë" * 67, 134, 2),
        (EMOJI * 66, 132, 2),
        (EMOJI * 67, 134, 3),
    ],
)
def test_in_ucs_2(text: str, length: int, count: int) -> None:
    assert segments(text) == Segments("UCS-2", length, count)


# 3GPP TS 23.038, table of the default alphabet: row by row.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)


@pytest.mark.parametrize("char", BASIC)
def test_a_basic_character_is_one_septet(char: str) -> None:
    assert segments(char) == Segments("GSM-7", 1, 1)


@pytest.mark.parametrize("char", "\f^{}\\[~]|€")
def test_an_extension_character_is_two(char: str) -> None:
    assert segments(char) == Segments("GSM-7", 2, 1)


@pytest.mark.parametrize("char", ["ë", "ç", "`", "\t", "\u00a0", "\u202f", "’", "…", "–", "А", "α", "á", "\u200b"])
def test_what_looks_harmless_and_costs_the_whole_text(char: str) -> None:
    assert segments("a" * 100 + char).alphabet == "UCS-2"
    assert segments("a" * 100 + char).count == 2
