"""The bytes of a `.po` file come in, an immutable `Catalog` goes out: its translations, and what it leaves open.

There is no compiled file that could be stale. A file costs some 50 ms, so the same bytes are compiled once a process.
"""

import gettext
import hashlib
import io
import re
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache

from babel.messages.catalog import Catalog as Messages
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from notifier.rendering.gate import faults
from notifier.rendering.negotiation import SOURCE_LOCALE

_OPEN = re.compile(rb'\s*(?:msg\w+(?:\[\d+\])?\s*)?"(?:[^"\\]|\\.)*\\?\s*')
# As gettext writes a message id that has a context.
_CONTEXT = "\x04"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Catalog:
    """One locale's words. `translated` holds the keys of what it says, `faults` why it may not be served; then it says
    nothing. `version` is a digest of its file.
    """

    locale: str
    version: str
    translations: gettext.NullTranslations
    translated: Set[str]
    faults: tuple[str, ...] = ()

    def says(self, keys: Set[str]) -> bool:
        """Whether a message that uses these can be written in it, all of it."""
        return self.locale == SOURCE_LOCALE or keys <= self.translated


def key(msgid: str, context: str | None = None) -> str:
    """What a message is known by: its (singular) id and its context."""
    return msgid if context is None else f"{context}{_CONTEXT}{msgid}"


def version(content: bytes) -> str:
    """12 hexadecimal digits."""
    return hashlib.blake2b(content, digest_size=6).hexdigest()


@lru_cache(maxsize=128)
def compile_catalog(locale: str, content: bytes) -> Catalog:
    """The catalog of a locale, read from its `.po`; never raises."""
    try:
        messages = read_po(io.BytesIO(content), locale=locale, abort_invalid=True)
        wrong = (*_unclosed(content), *faults(messages))
    except (PoFileError, ValueError, LookupError, SyntaxError, ArithmeticError) as error:
        wrong = (_told(error),)
    if wrong:
        return Catalog(locale, version(content), gettext.NullTranslations(), frozenset(), wrong)
    return compiled(locale, version(content), messages)


def compiled(locale: str, version: str, messages: Messages) -> Catalog:
    """The catalog that has been read; what is empty or fuzzy is not in it."""
    file = io.BytesIO()
    write_mo(file, messages)
    file.seek(0)
    return Catalog(locale, version, gettext.GNUTranslations(file), translated(messages))


def translated(messages: Messages) -> frozenset[str]:
    """The keys of what is translated, in every plural form, and not fuzzy."""
    return frozenset(
        key(str(message.id[0] if isinstance(message.id, list | tuple) else message.id), message.context)
        for message in messages
        if message.id and not message.fuzzy and _whole(message.string)
    )


def _unclosed(content: bytes) -> list[str]:
    """What the parser lets pass: a file that was cut off in the middle of a string."""
    lines = enumerate(content.splitlines(), 1)
    return [f"line {number}: the string is not closed" for number, line in lines if _OPEN.fullmatch(line)]


def _whole(string: object) -> bool:
    return all(string) if isinstance(string, list | tuple) else bool(string)


def _told(error: Exception) -> str:
    if isinstance(error, PoFileError):
        return f"line {error.lineno + 1}: cannot be read as a catalog"
    if isinstance(error, UnicodeDecodeError):
        return "must be text in UTF-8"
    return f"cannot be read as a catalog ({type(error).__name__})"
