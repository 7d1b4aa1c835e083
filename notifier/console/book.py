"""The bytes of a catalog come in, its entries go out: each with its line, its comments, and what is to be done."""

import io
import re
from dataclasses import dataclass

from babel.messages.catalog import Message
from babel.messages.pofile import PoFileError, read_po

from notifier.rendering.catalog import key

_LIMIT = re.compile(r"[Aa]t most (\d+) characters")


@dataclass(frozen=True, slots=True)
class Entry:
    """One string of a catalog. `state` is `translated`, `fuzzy` or `untranslated`; `limit` in characters."""

    key: str
    line: int
    context: str | None
    ids: tuple[str, ...]
    strings: tuple[str, ...]
    comment: str
    notes: str
    templates: tuple[str, ...]
    state: str
    limit: int | None

    @property
    def overlong(self) -> bool:
        """Longer than its comment allows; placeholders, whose values are longer or shorter, aside."""
        return self.limit is not None and any(len(string) > self.limit for string in self.strings if "%(" not in string)


def entries(locale: str, content: bytes) -> tuple[Entry, ...]:
    """In the order of the file; none where it cannot be read."""
    try:
        messages = list(read_po(io.BytesIO(content), locale=locale))
    except (PoFileError, ValueError, LookupError):
        return ()
    return tuple(_entry(message) for message in messages if message.id)


def _entry(message: Message) -> Entry:
    ids = tuple(message.id) if isinstance(message.id, list | tuple) else (str(message.id),)
    strings = tuple(message.string) if isinstance(message.string, list | tuple) else (str(message.string or ""),)
    # Wrapped in the file. Where it is seen these pages tell by themselves.
    comment = " ".join(line for line in message.auto_comments if not line.startswith("Preview:"))
    limit = _LIMIT.search(comment)
    state = "untranslated" if not all(strings) else "fuzzy" if message.fuzzy else "translated"
    return Entry(
        key=key(ids[0], message.context),
        line=message.lineno or 0,
        context=message.context,
        ids=ids,
        strings=strings,
        comment=comment,
        notes=" ".join(message.user_comments),
        templates=tuple(file for file, _ in message.locations),
        state=state,
        limit=int(limit[1]) if limit else None,
    )
