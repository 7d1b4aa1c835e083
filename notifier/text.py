"""Free text that a stranger may have chosen (device, place, name): made harmless, never refused.

Whoever signs in with a stolen password also chooses the device's name. Refusing an odd one would let them
suppress the alert, so it is carried: cleaned of what could forge, hide or link.
"""

import re
import unicodedata

MAX_LENGTH = 120
# Sorting stacked marks takes time by the square of their number: no more than this is looked at.
_LOOKED_AT = 2_000
# A text of which nothing is left must still be one, where a text is needed.
_NOTHING = "?"
_MARKS_PER_LETTER = 2
# Mail and phone programs turn "evil.example" into a link; a space after the dot stops them. Versions
# ("Chrome 126.0") and initials ("J. R. Hartley") are left as they are.
_AUTOLINK = re.compile(r"(?<=\S)\.(?=[^\W\d_]{2})")


def harmless(value: str, most: int = MAX_LENGTH) -> str:
    """One line of at most `most` characters: no controls, bidi or zero-width characters, stacked marks or links."""
    value = value[:_LOOKED_AT]
    # Most are, and have nothing in them that is looked for below.
    line = value if value.isascii() and value.isprintable() else _cleaned(value)
    line = _AUTOLINK.sub(". ", " ".join(line.split()) or _NOTHING).replace("://", ": //")
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _cleaned(value: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", value):
        category = unicodedata.category(char)
        if category in ("Cc", "Zl", "Zp", "Zs"):
            kept.append(" ")
            marks = 0
        elif category in ("Cf", "Cs", "Co", "Cn"):
            continue
        elif category in ("Mn", "Me"):
            marks += 1
            if marks <= _MARKS_PER_LETTER:
                kept.append(char)
        else:
            kept.append(char)
            marks = 0
    # Composed again, since what stood between may be gone: what comes out comes out of here unchanged.
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))
