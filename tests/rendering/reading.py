"""HTML and catalogs as a test reads them: markup comes in, the words that a person sees go out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from typing import Self

from babel.messages.pofile import read_po

from notifier.assets import assets

_PLACEHOLDER = re.compile(r"%\(\w+\)s")


@dataclass
class Reading(HTMLParser):
    """The tags of a page with their attributes, and its text; style elements and comments aside."""

    tags: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    text: str = ""
    _values: list[tuple[str, str, str]] = field(default_factory=list)
    _in_style: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @classmethod
    def of(cls, html: str) -> Self:
        reading = cls()
        reading.feed(html)
        reading.close()
        return reading

    def attributes(self, tag: str, name: str) -> list[str]:
        return [value for of, attribute, value in self._values if (of, attribute) == (tag, name)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self._values += [(tag, name, value or "") for name, value in attrs]
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.text += data


@cache
def english(locale: str) -> Sequence[re.Pattern[str]]:
    """The English sentences that the catalog of `locale` does not keep on purpose."""
    with (assets("locales") / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalog = read_po(file, locale=locale)
    pairs = [
        (id, message.string)
        for message in catalog
        if message.id
        for id in (message.id if isinstance(message.id, list | tuple) else [str(message.id)])
    ]
    return [
        re.compile(r"(?<!\w)" + ".+?".join(map(re.escape, _PLACEHOLDER.split(id))) + r"(?!\w)")
        for id, string in pairs
        if id not in (string if isinstance(string, list | tuple) else [string])
        and re.search("[A-Za-z]{2}", _PLACEHOLDER.sub("", id))
    ]


def words_of(text: str, without: Sequence[str]) -> list[str]:
    """The words in Latin letters, but for URLs and the values `without`."""
    text = re.sub(r"https?://\S+", "", text)
    for value in sorted(without, key=len, reverse=True):
        text = text.replace(value, "")
    return re.findall(r"[A-Za-z]{2,}", text)
