"""The catalogs as they stand on disk, or as somebody uploaded one, come in; every message goes out as its owner would
see it, with what is left in English marked.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol

from babel import Locale, UnknownLocaleError

from notifier.catalogs.samples import Length, Samples
from notifier.console import marks
from notifier.console.book import Entry, entries
from notifier.console.page_facts import facts
from notifier.console.uploads import Uploads
from notifier.notices import NOTICES
from notifier.rendering.catalog import Catalog, compile_catalog, version
from notifier.rendering.i18n import Edition, autonym, direction
from notifier.rendering.mime import MailText
from notifier.rendering.negotiation import SOURCE_LOCALE
from notifier.rendering.pseudo import ACCENTED, MIRRORED, PSEUDO_LOCALES, PseudoTranslations
from notifier.rendering.renderer import Choice, Renderer, Voice

PAGES = ("confirm", "outcome", "problem")
FORMS: Mapping[str, tuple[str, ...]] = {
    "html": ("subject.txt", "body.html"),
    "text": ("subject.txt", "body.txt"),
    "sms": ("sms.txt",),
}
_DARK = re.compile(r"\(prefers-color-scheme:\s*dark\)")
_BOTH = re.compile(r"(color-scheme:\s*|content=\")light dark")


class Standing(Protocol):
    """What serves: an i18n.Catalogs."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Of each locale the version that serves."""
        ...

    @property
    def refused(self) -> Mapping[str, tuple[str, ...]]:
        """Of each file that does not serve, why."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """A locale among the others. `serving` is the version that does, None where none does."""

    locale: str
    name: str
    translated: int
    version: str
    serving: str | None
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class String:
    """A string that a message says. `entry` is None where the catalog has none for it."""

    key: str
    english: str
    entry: Entry | None

    @property
    def state(self) -> str:
        """`translated`, `fuzzy` or `untranslated`."""
        return self.entry.state if self.entry else "untranslated"


@dataclass(frozen=True, slots=True)
class Look:
    """In which locale a message is looked at, and with how long values; with `token` that upload's words instead of the
    file's. `marked`: what is left in English has marks (`marks.py`).
    """

    locale: str
    length: Length = "typical"
    token: str = ""
    marked: bool = True


class _English:
    """The renderer's edition, where each catalog is named."""

    edition = Edition({SOURCE_LOCALE: b""}, SOURCE_LOCALE)


class Workbench:
    """Reads the files anew each time, so that what was saved is seen. `standing` is what serves beside it, if any."""

    def __init__(self, templates: Path, locales: Path, voice: Voice, standing: Standing | None) -> None:
        self.uploads = Uploads()
        self._locales = locales
        self._standing = standing
        self._samples = Samples(voice.base_url)
        self._renderer = Renderer(templates, _English(), voice)

    @property
    def locales(self) -> tuple[str, ...]:
        """Those with a file, English, and the two pseudo-locales last."""
        found = {path.parent.parent.name for path in self._locales.glob("*/LC_MESSAGES/messages.po")}
        real = (name for name in found | {SOURCE_LOCALE} if name not in PSEUDO_LOCALES and known(name))
        return (*sorted(real), *PSEUDO_LOCALES)

    @cached_property
    def places(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """By a string's key, where it is seen: the notice (or `pages`) and the form (or the page's name)."""
        found: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
        for notice in NOTICES:
            for form in FORMS:
                for key in self._keys(notice, form):
                    found[key][notice, form] = None
        for page in PAGES:
            for key in self._keys("pages", page):
                found[key]["pages", page] = None
        return {key: tuple(places) for key, places in found.items()}

    def rows(self) -> list[Row]:
        """All locales, and how far each is."""
        versions = self._standing.versions if self._standing else {}
        refused = self._standing.refused if self._standing else {}
        return [
            Row(
                locale=locale,
                name=name_of(locale),
                translated=self.translated(locale),
                version=version(self.content(locale)),
                serving=versions.get(locale),
                refused=refused.get(locale) or self.faults(locale),
            )
            for locale in self.locales
        ]

    def content(self, locale: str, token: str = "") -> bytes:
        """Of the upload that the token opens, if it is this locale's; else of the file; of neither nothing."""
        upload = self.uploads.find(token)
        if upload and upload.locale == locale:
            return upload.content
        path = self._locales / locale / "LC_MESSAGES" / "messages.po"
        return path.read_bytes() if locale not in PSEUDO_LOCALES and path.exists() else b""

    def faults(self, locale: str, token: str = "") -> tuple[str, ...]:
        """Why it would not be served."""
        return () if locale in PSEUDO_LOCALES else compile_catalog(locale, self.content(locale, token)).faults

    def translated(self, locale: str, token: str = "") -> int:
        """How many of the strings that are seen."""
        if locale in (SOURCE_LOCALE, *PSEUDO_LOCALES):
            return len(self.places)
        return len(self.places.keys() & compile_catalog(locale, self.content(locale, token)).translated)

    def mail(self, look: Look, notice: str, variant: str = "") -> MailText:
        """One variant of a notice, the first where none is named."""
        said = self._samples.message(notice, "email", look.length, variant)
        return self._renderer.mail(said.accepted, said.urls, said.code, self._choice(look), said.about)

    def subject(self, look: Look, notice: str, variant: str = "") -> str:
        """Of that mail, alone."""
        said = self._samples.message(notice, "email", look.length, variant)
        return self._renderer.subject(said.accepted, said.urls, said.code, self._choice(look), said.about)

    def sms(self, look: Look, notice: str, variant: str = "") -> str:
        """As `mail`."""
        said = self._samples.message(notice, "sms", look.length, variant)
        return self._renderer.sms(said.accepted, said.urls, said.code, self._choice(look), said.about)

    def page(self, look: Look, name: str, variant: str) -> str:
        """One variant of a page."""
        return self._renderer.page_with(self._catalog(look), name, "Europe/Tirane", facts(name, variant, look.length))

    def strings(self, locale: str, name: str, form: str, token: str = "") -> list[String]:
        """What a notice says in one form, or (under `pages`) a page, in the order in which it may be met."""
        book = {entry.key: entry for entry in self.book(locale, token)}
        return [String(key, key.rpartition("\x04")[2], book.get(key)) for key in self._keys(name, form)]

    def book(self, locale: str, token: str = "") -> tuple[Entry, ...]:
        """Every string of the catalog."""
        return () if locale in PSEUDO_LOCALES else _entries(locale, self.content(locale, token))

    def _keys(self, name: str, form: str) -> tuple[str, ...]:
        templates = [f"pages/{form}.html"] if name == "pages" else [f"{name}/{file}" for file in FORMS[form]]
        return tuple(dict.fromkeys(key for template in templates for key in self._renderer.wording.of(template)))

    def _choice(self, look: Look) -> Choice:
        return Choice(self._catalog(look), "exact")

    def _catalog(self, look: Look) -> Catalog:
        return _words(look.locale, self.content(look.locale, look.token), look.marked)


# Kept by their bytes: what is rendered with the same catalog is rendered in the same environment.
@lru_cache(maxsize=64)
def _words(locale: str, content: bytes, marked: bool) -> Catalog:
    if locale in PSEUDO_LOCALES:
        mirrored = locale == MIRRORED
        # Its dates are those of a language that is read in this direction.
        return Catalog("ar" if mirrored else SOURCE_LOCALE, "", PseudoTranslations(mirrored=mirrored), frozenset())
    catalog = compile_catalog(locale, content)
    if not marked or locale == SOURCE_LOCALE:
        return catalog
    return replace(catalog, translations=marks.MarkingTranslations(catalog.translations, catalog.translated))


_entries = lru_cache(maxsize=64)(entries)


def known(locale: str) -> bool:
    """Whether CLDR has such a locale, or it is a pseudo-locale."""
    try:
        return locale in PSEUDO_LOCALES or bool(Locale.parse(locale))
    except (ValueError, UnknownLocaleError):
        return False


def name_of(locale: str) -> str:
    """In its own language."""
    pseudo = {ACCENTED: "Pseudo-language, accented and longer", MIRRORED: "Pseudo-language, right to left"}
    return pseudo.get(locale) or autonym(locale)


def direction_of(locale: str) -> str:
    """`ltr` or `rtl`."""
    return {ACCENTED: "ltr", MIRRORED: "rtl"}.get(locale) or direction(locale)


def in_scheme(html: str, scheme: str) -> str:
    """A page or mail as it looks in a light or a dark browser, whatever the one that shows it is."""
    decided = _DARK.sub("all" if scheme == "dark" else "not all", html)
    return _BOTH.sub(lambda found: f"{found[1]}{scheme}", decided)
