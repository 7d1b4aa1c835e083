"""Translations come in; ones that mark what they leave in English go out. Text with marks comes in; HTML to look at
goes out.
"""

import gettext
import re
from collections.abc import Set

from markupsafe import Markup, escape

from notifier.rendering.catalog import key
from notifier.rendering.gate import PLACEHOLDER

# Of the private use area: no catalog has them, and nothing on the way takes them for anything.
_BEGIN, _END = "\ue000", "\ue001"
_MARKED = re.compile(f"{_BEGIN}(.*?){_END}", re.DOTALL)
# Tags, and elements whose text is not shown as such.
_TAG = re.compile(r"(<(?:style|title)\b.*?</(?:style|title)>|<!--.*?-->|<[^>]*>)", re.DOTALL)
# Outlined as well as coloured: for who does not see the colour.
_OPEN = '<mark style="background:#ffe08a;color:#3b2a00;outline:2px dashed #b45309;">'


class MarkingTranslations(gettext.NullTranslations):
    """As `inner`, but what is not among `translated` is English between two marks."""

    def __init__(self, inner: gettext.NullTranslations, translated: Set[str]) -> None:
        super().__init__()
        self._inner = inner
        self._translated = translated

    def gettext(self, message: str) -> str:
        """As gettext has it."""
        return self._inner.gettext(message) if key(message) in self._translated else _mark(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """As gettext has it."""
        known = key(msgid1) in self._translated
        return self._inner.ngettext(msgid1, msgid2, n) if known else _mark(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        """As gettext has it."""
        known = key(message, context) in self._translated
        return self._inner.pgettext(context, message) if known else _mark(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        """As gettext has it."""
        known = key(msgid1, context) in self._translated
        chosen = msgid1 if n == 1 else msgid2
        return self._inner.npgettext(context, msgid1, msgid2, n) if known else _mark(chosen)


def plain(text: str) -> str:
    """Without marks, as it would be sent."""
    return text.replace(_BEGIN, "").replace(_END, "")


def shown(text: str) -> Markup:
    """Text with its marks, to stand in a page."""
    pieces = _MARKED.split(text)
    # Every other piece stood between marks.
    return Markup("").join(
        Markup("<mark>{}</mark>").format(plain(piece)) if index % 2 else escape(plain(piece))
        for index, piece in enumerate(pieces)
    )


def placed(string: str) -> Markup:
    """A translation, to stand in a page: among letters from right to left each of its placeholders stays whole."""
    return Markup(PLACEHOLDER.sub(r'<bdi dir="ltr">\g<0></bdi>', str(escape(string))))  # noqa: S704  # escaped


def shown_html(html: str) -> str:
    """A page or mail with its marks; where no element can stand, in a tag or a title, there are none."""
    pieces = _TAG.split(html)
    return "".join(
        plain(piece) if index % 2 else piece.replace(_BEGIN, _OPEN).replace(_END, "</mark>")
        for index, piece in enumerate(pieces)
    )


def _mark(text: str) -> str:
    return f"{_BEGIN}{text}{_END}"
