"""How an SMS is billed: a text comes in, its alphabet and number of segments go out (3GPP TS 23.038, 23.040)."""

from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each of these costs two characters: an escape goes before it.
_EXTENSION = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True, slots=True)
class Segments:
    """`length` in the alphabet's own units: septets, or UTF-16 code units."""

    alphabet: str
    length: int
    count: int


def segments(text: str) -> Segments:
    """160 GSM-7 septets fit one SMS, 153 each of several; in UCS-2 70 and 67."""
    if not outside(text):
        alphabet, units, one, many = "GSM-7", [2 if char in _EXTENSION else 1 for char in text], 160, 153
    else:
        alphabet, units, one, many = "UCS-2", [2 if ord(char) > 0xFFFF else 1 for char in text], 70, 67
    length = sum(units)
    return Segments(alphabet, length, 1 if length <= one else _packed(units, many))


def outside(text: str) -> list[str]:
    """The characters that GSM-7 lacks, each once: a single one turns the whole text into UCS-2."""
    return [char for char in dict.fromkeys(text) if char not in _BASIC and char not in _EXTENSION]


def _packed(units: list[int], many: int) -> int:
    # A character of two units is never cut, so a segment may end one unit early.
    count, used = 1, 0
    for unit in units:
        if used + unit > many:
            count, used = count + 1, 0
        used += unit
    return count
