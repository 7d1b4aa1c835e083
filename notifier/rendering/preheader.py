"""A mail's HTML comes in; the line that an inbox shows beside its subject goes out."""

import html
import re

# The layout hides it from whoever opens the mail, and fills it up so that nothing of the mail follows it.
_HIDDEN = re.compile(r'<div style="display:none[^"]*">(.*?)</div>', re.DOTALL)
_FILLING = "\u034f\u200c\u00a0"


def preheader(document: str) -> str:
    """Empty where there is none."""
    found = _HIDDEN.search(document)
    text = html.unescape(found[1]) if found else ""
    return " ".join(text.translate(dict.fromkeys(map(ord, _FILLING))).split())
