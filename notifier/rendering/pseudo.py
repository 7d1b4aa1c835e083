"""English comes in; it goes out accented, two fifths longer and in brackets: a language that everybody can read.

What still stands there in plain letters comes from no catalog; what is cut off will be cut off in German too.
"""

import gettext
import re

_ACCENTED = str.maketrans(
    "AaBbCcDdEeFfGgHhIiJjKkLlMmNnOoPpQqRrSsTtUuVvWwXxYyZz",
    "ÅåƁƀÇçÐðÉéƑƒĜĝĤĥÎîĴĵĶķĻļḾɱÑñÖöÞþǪǫŔŕŠšŢţÛûṼṽŴŵẊẋÝýŽž",
)
# What must stay as it is: placeholders, tags and entities, addresses.
_KEPT = re.compile(r"(%\(\w+\)s|%%|<[^>]*>|&#?\w+;|https?://\S+)")
_PADDING = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# CLDR's names: accented, and right to left as well. Never served, wherever a file of theirs stands.
ACCENTED, MIRRORED = PSEUDO_LOCALES = ("en_XA", "ar_XB")
_RIGHT_TO_LEFT = "\N{RIGHT-TO-LEFT EMBEDDING}"
_POP = "\N{POP DIRECTIONAL FORMATTING}"


def pseudo(text: str, *, mirrored: bool = False) -> str:
    """`Your code` → `⟦Ýöûŕ çöðé öñé⟧`; the spaces at its ends stay there. Nothing stays nothing."""
    core = text.strip()
    if not core:
        return text
    parts = _KEPT.split(core)
    # Every other part is what is kept.
    accented = "".join(part if index % 2 else part.translate(_ACCENTED) for index, part in enumerate(parts))
    longer = f"⟦{accented} {_padding(sum(map(len, parts[::2])))}⟧"
    start = text.index(core)
    # As text in a language that is written from right to left: brackets and what stands between words turn round.
    shown = f"{_RIGHT_TO_LEFT}{longer}{_POP}" if mirrored else longer
    return f"{text[:start]}{shown}{text[start + len(core) :]}"


def _padding(letters: int) -> str:
    """Words of two fifths of the length."""
    room, words = max(1, round(letters * 0.4) - 1), list[str]()
    while sum(map(len, words)) + len(words) < room:
        words.append(_PADDING[len(words) % len(_PADDING)].translate(_ACCENTED))
    return " ".join(words)


class PseudoTranslations(gettext.NullTranslations):
    """Every message id as the pseudo-language writes it."""

    def __init__(self, *, mirrored: bool = False) -> None:
        super().__init__()
        self._mirrored = mirrored

    def gettext(self, message: str) -> str:
        """As gettext has it."""
        return pseudo(message, mirrored=self._mirrored)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """As gettext has it."""
        return pseudo(msgid1 if n == 1 else msgid2, mirrored=self._mirrored)

    def pgettext(self, context: str, message: str) -> str:
        """As gettext has it."""
        return self.gettext(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        """As gettext has it."""
        return self.ngettext(msgid1, msgid2, n)
