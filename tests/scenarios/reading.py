"""Mails, text messages and pages as their owner reads them; each says whether it says a sentence of the catalog.

Sentences are given in English, as the templates have them, and looked for in the owner's language.
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from functools import cached_property
from html.parser import HTMLParser
from typing import Any

from notifier.rendering.catalog import Catalog
from notifier.rendering.formats import full_datetime, short_datetime

URL = "https://notify.example.com"
_BLOCKS = ("h1", "p", "dt", "dd", "label", "button")
# A sentence, or one with its plural; a word that stands in a context (gettext's msgctxt) comes with it.
Msgid = str | tuple[str, str]


@dataclass(frozen=True)
class Words:
    """The owner's language. Times among the values are written as messages write them, in the owner's zone."""

    catalog: Catalog
    timezone: str

    def __call__(self, msgid: Msgid, *, within: str | None = None, short: bool = False, **values: Any) -> str:
        translations = self.catalog.translations
        if isinstance(msgid, tuple):
            (number,) = (value for value in values.values() if isinstance(value, int))
            words = translations.ngettext(*msgid, number)
        elif within:
            words = translations.pgettext(within, msgid)
        else:
            words = translations.gettext(msgid)
        write = short_datetime if short else full_datetime
        written = {
            name: write(value, self.catalog.locale, self.timezone) if isinstance(value, datetime) else value
            for name, value in values.items()
        }
        return plain(words % written if written else words)


def plain(text: str) -> str:
    """Without line breaks, and with ordinary spaces."""
    return " ".join(text.split())


@dataclass(frozen=True)
class Said(ABC):
    """Something that was read. `words` are in the language that it must be in."""

    words: Words
    short = False

    @property
    @abstractmethod
    def whole(self) -> str:
        """All that was read."""

    def says(self, msgid: Msgid, **values: Any) -> None:
        wanted = self.words(msgid, short=self.short, **values)
        assert wanted in plain(self.whole), f"{wanted!r} is not in {plain(self.whole)!r}"

    def silent(self, msgid: Msgid, **values: Any) -> None:
        wanted = self.words(msgid, short=self.short, **values)
        assert wanted not in plain(self.whole), f"{wanted!r} is in {plain(self.whole)!r}"

    def shows(self, *texts: str) -> None:
        """What is no sentence of ours."""
        for text in texts:
            assert plain(text) in plain(self.whole), f"{text!r} is not in {plain(self.whole)!r}"


@dataclass(frozen=True)
class Letter(Said):
    """A mail."""

    message: EmailMessage

    @property
    def id(self) -> str:
        return str(self.message["Message-ID"]).strip("<>").partition("@")[0]

    @property
    def recipient(self) -> str:
        return str(self.message["To"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @cached_property
    def text(self) -> str:
        return self._part("plain")

    @property
    def whole(self) -> str:
        return self.text

    def titled(self, msgid: str, within: str | None = None) -> None:
        """By its subject, and by the heading of both its parts."""
        title = self.words(msgid, within=within)
        assert self.subject == f"[Northbank] {title}"
        assert self.text.startswith(title)
        assert title in plain(Page(self.words, "", self._part("html")).whole)

    def link(self, letter: str) -> str:
        """The link with this purpose's letter."""
        found = re.search(rf"^{URL}(/l/{letter}\S+)$", self.text, re.MULTILINE)
        assert found, f"no link {letter} in {self.text!r}"
        assert found.group() in self._part("html")
        return found.group(1)

    @property
    def links(self) -> int:
        """How many of ours it carries."""
        return len(re.findall(rf"{URL}/l/", self.text))

    @property
    def code(self) -> str:
        found = re.search(r"\b(\d{6})$", self.text, re.MULTILINE)
        assert found, f"no code in {self.text!r}"
        return found.group(1)

    def _part(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        assert part
        return str(part.get_content()).replace("\r\n", "\n")


@dataclass(frozen=True)
class Text(Said):
    """A text message."""

    to: str
    body: str
    short = True

    @property
    def whole(self) -> str:
        return self.body

    @property
    def link(self) -> str:
        found = re.search(rf"{URL}(/l/\S+)", self.body)
        assert found, f"no link in {self.body!r}"
        return found.group(1)

    @property
    def code(self) -> str:
        found = re.search(r"@notify\.example\.com #(\d{6})$", self.body)
        assert found, f"no code in {self.body!r}"
        return found.group(1)


@dataclass
class _Blocks(HTMLParser):
    """The blocks of a page, each as one line: what it is, and what it says."""

    found: list[tuple[str, str]] = field(default_factory=list)
    _open: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _BLOCKS:
            self._begin(given.get("class") or tag if tag == "p" else tag)
        elif tag == "a" and (given.get("class") or "").startswith("button"):
            self._begin(f"leads to {given['href']}")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS or (tag == "a" and self._open.startswith("leads to")):
            self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            kind, said = self.found[-1]
            self.found[-1] = kind, said + data

    def _begin(self, kind: str) -> None:
        self._open = kind
        self.found.append((kind, ""))


@dataclass(frozen=True)
class Page(Said):
    """A page, at `path`."""

    path: str
    html: str
    status: int = 200
    # Seconds; None where the page says nothing of it.
    retry_after: int | None = None

    @cached_property
    def blocks(self) -> list[tuple[str, str]]:
        blocks = _Blocks()
        blocks.feed(self.html)
        blocks.close()
        return [(kind, plain(said)) for kind, said in blocks.found]

    @property
    def whole(self) -> str:
        return "\n".join(said for _, said in self.blocks)

    def titled(self, msgid: str) -> None:
        assert ("h1", self.words(msgid)) in self.blocks

    def offers(self, msgid: str) -> None:
        """Its one button."""
        assert [said for kind, said in self.blocks if kind == "button"] == [self.words(msgid)]

    def leads(self, url: str, msgid: str) -> None:
        """On, by a button to the platform's own site."""
        assert (f"leads to {url}", self.words(msgid)) in self.blocks
