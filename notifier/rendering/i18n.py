"""Catalogs: a language tag as a caller wrote it comes in, a locale that is served and its translations go out."""

import gettext
import io
import re
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

# The msgids are English.
SOURCE_LOCALE = "en"
# Norwegian without a form is written in Bokmål by nine in ten; Nynorsk readers read it too.
_ALIASES = {"no": "nb", "nn": "nb"}
_TAG = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,7}")
# One element of Accept-Language: a language range and its weight.
_RANGE = re.compile(r"\s*([A-Za-z0-9_-]+)\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?)\s*)?", re.IGNORECASE)


class Catalogs:
    """The catalogs below `directory`, one folder a locale; `default` is served where none fits."""

    def __init__(self, directory: Path, default: str = SOURCE_LOCALE) -> None:
        self._directory = directory
        found = (path.parent.parent.name for path in directory.glob("*/LC_MESSAGES/messages.po"))
        self.locales = tuple(sorted({SOURCE_LOCALE, *found}))
        if default not in self.locales:
            raise ValueError(f"the default locale must be one of {', '.join(self.locales)}")
        self._default = default
        self._by_tag = {locale.lower(): locale for locale in self.locales}

    def negotiate(self, tag: str | None) -> str:
        """The locale for a tag in any casing (BCP 47, or POSIX as `nb_NO.UTF-8`): the longest prefix that is served."""
        match = _TAG.match(tag or "")
        if match is None:
            return self._default
        language, *rest = match.group().lower().replace("-", "_").split("_")
        parts = [_ALIASES.get(language, language), *rest]
        prefixes = ("_".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((self._by_tag[prefix] for prefix in prefixes if prefix in self._by_tag), self._default)

    def from_header(self, accept_language: str | None) -> str:
        """The locale for an Accept-Language header (RFC 9110): by weight, the first that is served."""
        weighted: list[tuple[float, str]] = []
        for part in (accept_language or "")[:200].split(","):
            match = _RANGE.fullmatch(part)
            # A weight of 0 means: not this one.
            if match and (weight := float(match[2] or 1)):
                weighted.append((weight, match[1]))
        for _, tag in sorted(weighted, key=lambda row: -row[0]):
            language = tag.lower().replace("-", "_").split("_")[0]
            if _ALIASES.get(language, language) in self._by_tag or tag.lower().replace("-", "_") in self._by_tag:
                return self.negotiate(tag)
        return self._default

    @cache  # noqa: B019  # one Catalogs lives as long as its process
    def translations(self, locale: str) -> gettext.NullTranslations:
        """The catalog of a served locale, read from its .po: there is no compiled file that could be stale."""
        path = self._directory / locale / "LC_MESSAGES" / "messages.po"
        if not path.exists():
            return gettext.NullTranslations()
        with path.open("rb") as file:
            catalog = read_po(file, locale=locale)
        compiled = io.BytesIO()
        write_mo(compiled, catalog)
        compiled.seek(0)
        return gettext.GNUTranslations(compiled)


def bcp47(locale: str) -> str:
    """`pt_BR` → `pt-BR`, as HTML's `lang` and Content-Language want it."""
    return locale.replace("_", "-")


def direction(locale: str) -> str:
    """`ltr` or `rtl`."""
    return Locale.parse(locale).text_direction


def autonym(locale: str) -> str:
    """A language's name in itself."""
    name = Locale.parse(locale).get_display_name(locale) or locale
    return name[:1].upper() + name[1:]
