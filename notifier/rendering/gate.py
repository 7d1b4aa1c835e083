"""A catalog as translators left it comes in; what keeps it from being served goes out, a sentence for each fault.

Only what would break a message, or put something in it that its author did not write. What is merely not good is told
by the checker; what is missing, by the messages that then fall back whole.
"""

import gettext
import re
from collections import Counter
from collections.abc import Iterator, Set

from babel import Locale
from babel.messages.catalog import Catalog, Message

# No language looks beyond the last two digits of a number that a message of ours may have.
_NUMBERS = range(200)
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
MARKUP = re.compile(r"<[^>]*>?|&#?\w+;|\{[{%#]|[%#}]\}")
_DOMAINS = (
    "com|org|net|info|io|app|biz|xyz|me|co|eu|top|site|online|link|click|dev|example|"
    "al|ar|at|au|be|bg|br|ca|ch|cn|cz|de|dk|ee|es|fi|fr|gr|hr|hu|ie|il|in|is|it|jp|kr|lt|lv|mk|mx|nl|no|nz|pl|pt|ro|rs|"
    "ru|se|si|sk|su|tr|tw|ua|uk|us|xk|za"
)
# Addresses of the web and of people, and what a telephone makes a number of.
LINK = re.compile(
    r"\w+://\S*|www\.\S*|\b(?:javascript|mailto|tel|sms|data):\S*"
    rf"|\b[a-z0-9-]{{2,}}\.(?:{_DOMAINS})\b|[\w.]+@[\w.]+|\+?\d[\d ()-]{{6,}}\d"
)
# Bidi controls, zero-width characters, line separators, byte-order mark and the other controls. The joiners of Persian
# and the Indic scripts (U+200C, U+200D) are spelling, and pass.
HIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
# What a translation may have only where its message id has the same.
_NEVER_ADDED = {
    MARKUP: "adds markup",
    LINK: "adds an address",
    HIDDEN: "adds a character that cannot be seen",
}


def faults(catalog: Catalog) -> list[str]:
    """In the order of the file; each names the line. Raises ValueError or ArithmeticError for a Plural-Forms that is no
    formula.
    """
    found, lone = list(_header(catalog)), _lone(catalog)
    for message in catalog:
        if message.id:
            found += [f"line {message.lineno}: {said}" for said in _wrong(message, catalog.num_plurals, lone)]
    return found


def _header(catalog: Catalog) -> Iterator[str]:
    rule = Locale.parse(str(catalog.locale)).plural_form
    categories = len({rule(number) for number in _NUMBERS})
    # More forms than whole numbers need are usual (Russian's `other`, for fractions); fewer say something wrong.
    if catalog.num_plurals < categories:
        yield f"Plural-Forms: nplurals must be at least {categories}"
    form = gettext.c2py(catalog.plural_expr)
    if not all(0 <= form(number) < catalog.num_plurals for number in _NUMBERS):
        yield f"Plural-Forms: plural must give 0 to {catalog.num_plurals - 1}"


def _lone(catalog: Catalog) -> Set[int]:
    """The plural forms that stand for one number alone, which they may say in words."""
    form = gettext.c2py(catalog.plural_expr)
    counted = Counter(form(number) for number in _NUMBERS)
    return {number for number, times in counted.items() if times == 1}


def _wrong(message: Message, forms: int, lone: Set[int]) -> Iterator[str]:
    ids = tuple(message.id) if isinstance(message.id, list | tuple) else (str(message.id),)
    strings = tuple(message.string) if isinstance(message.string, list | tuple) else (str(message.string),)
    if message.fuzzy or not all(strings):
        return  # not used: the message falls back whole
    if message.pluralizable and len(strings) != forms:
        yield f"needs {forms} plural forms"
    source = PLACEHOLDER.sub("", " ".join(ids))
    expected = set(PLACEHOLDER.findall(" ".join(ids)))
    for number, string in enumerate(strings):
        has = set(PLACEHOLDER.findall(string))
        spare = message.pluralizable and number in lone
        if has != expected and not (spare and has < expected):
            yield f"needs the placeholders {', '.join(f'%({name})s' for name in sorted(expected)) or 'none'}"
        # Any other per cent sign would stop the rendering.
        bare = PLACEHOLDER.sub("", string)
        if "%" in bare.replace("%%", ""):
            yield "has a per cent sign that begins no placeholder (write %%)"
        known = {hit for pattern in _NEVER_ADDED for hit in pattern.findall(source)}
        yield from (said for pattern, said in _NEVER_ADDED.items() if set(pattern.findall(bare)) - known)
