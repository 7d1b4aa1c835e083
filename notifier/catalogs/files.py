"""The files that translators edit: `.pot` and `.po` come in as Babel's catalogs, and go out as bytes.

The same catalog always gives the same bytes: no date of extraction and no version of a tool stands in them, so that a
change in a file is a change of its strings.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po, write_po

from notifier.rendering.catalog import key as catalog_key

_WIDTH = 100
_UNSTABLE = re.compile(rb'^"(POT-Creation-Date|Generated-By): [^\n]*"\n', re.MULTILINE)
# A line that is neither empty, a comment, a keyword with a string, nor a string that goes on.
_STRING = r'"(?:[^"\\]|\\.)*"'
_WELL_FORMED = re.compile(
    rf"\s*(?:#.*|(?:(?:msgctxt|msgid|msgid_plural|msgstr|msgstr\[\d+\])\s+)?{_STRING})?\s*", re.DOTALL
)


class Unreadable(Exception):
    """A file that is not well-formed, or not in UTF-8: in which line, and why."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")
        self.path = path
        self.line = line
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Shelf:
    """The catalogs below `directory`: the template, and a folder for each locale."""

    directory: Path

    @property
    def template(self) -> Path:
        """The .pot."""
        return self.directory / "messages.pot"

    def catalog(self, locale: str) -> Path:
        """The .po of a locale."""
        return self.directory / locale / "LC_MESSAGES" / "messages.po"

    @property
    def locales(self) -> list[str]:
        """Those that have a catalog."""
        return sorted(path.parent.parent.name for path in self.directory.glob("*/LC_MESSAGES/messages.po"))


def read(path: Path, locale: str | None = None) -> Catalog:
    """Raises Unreadable, OSError."""
    return parse(path.read_bytes(), path, locale)


def parse(content: bytes, path: Path, locale: str | None = None) -> Catalog:
    """As `read`, of content that does not stand at `path` yet."""
    for number, line in enumerate(content.splitlines(), 1):
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise Unreadable(path, number, "is not UTF-8") from None
        if not _WELL_FORMED.fullmatch(text):
            raise Unreadable(path, number, "is neither a comment, nor msgid or msgstr with a string in double quotes")
    try:
        return read_po(io.BytesIO(content), locale=locale, abort_invalid=True)
    except PoFileError as error:
        raise Unreadable(path, error.lineno + 1, str(error).rpartition(" on ")[0]) from None
    except (ValueError, IndexError) as error:
        raise Unreadable(path, 1, f"has a header that cannot be read ({type(error).__name__})") from None


def written(catalog: Catalog, *, sort: bool = False) -> bytes:
    """The bytes of a .po or .pot; `sort` by where the strings stand."""
    out = io.BytesIO()
    write_po(out, catalog, width=_WIDTH, sort_by_file=sort, include_lineno=False)
    return _UNSTABLE.sub(b"", out.getvalue()).rstrip(b"\n") + b"\n"


def messages(catalog: Catalog) -> Iterator[Message]:
    """All but the header."""
    return (message for message in catalog if message.id)


def ids(message: Message) -> tuple[str, ...]:
    """The msgid, and its plural if it has one."""
    return tuple(message.id) if isinstance(message.id, list | tuple) else (str(message.id),)


def strings(message: Message) -> tuple[str, ...]:
    """The translation in each of its forms."""
    string = message.string
    return tuple(string) if isinstance(string, list | tuple) else (str(string or ""),)


def key(message: Message) -> str:
    """By which a message is told from every other (`rendering.catalog.key`)."""
    return catalog_key(ids(message)[0], message.context)
