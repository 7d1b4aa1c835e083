"""Catalogs on disk come in; the edition that serves goes out: which locale a tag is answered in, and its words.

sq/LC_MESSAGES/messages.po ──► Edition (immutable) ──► what is being written holds one Catalog of it
                changed  ──► checked, compiled, and a new Edition put in its place; or refused, and the old one stays
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from babel import Locale, UnknownLocaleError

from notifier.rendering.catalog import Catalog, compile_catalog, version
from notifier.rendering.negotiation import SOURCE_LOCALE, Match, match, weighed
from notifier.rendering.pseudo import PSEUDO_LOCALES

# What tells a file that has changed: when, how long it is, and (a symbolic link may now lead elsewhere) which it is.
Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """The catalogs that serve at one time, as the bytes of their files; `default` is served where none fits."""

    sources: Mapping[str, bytes]
    default: str

    @property
    def locales(self) -> tuple[str, ...]:
        """Sorted."""
        return tuple(sorted(self.sources))

    def catalog(self, locale: str) -> Catalog:
        """Of a locale that is served; compiled when it is first asked for."""
        return compile_catalog(locale, self.sources[locale])

    def match(self, tag: str | None) -> Match:
        """The locales for a tag, best first."""
        return match(tag, self.locales, self.default)

    def from_header(self, accept_language: str | None) -> str:
        """The locale for an Accept-Language header (RFC 9110): by weight, the first that fits."""
        matches = (self.match(tag) for tag in weighed(accept_language))
        return next((found.chain[0] for found in matches if found.reason != "default"), self.default)


@dataclass(frozen=True, slots=True)
class News:
    """What reading the directory again has changed: versions of what now serves, and why what does not was refused."""

    taken: Mapping[str, str]
    gone: tuple[str, ...]
    refused: Mapping[str, tuple[str, ...]]


class Catalogs:
    """The catalogs below `directory`, one folder a locale; always one whole edition of them. Raises ValueError where
    the default has none.
    """

    def __init__(self, directory: Path, default: str = SOURCE_LOCALE) -> None:
        self._directory = directory
        sources = self._read()
        # As the folder is called (`pt_BR`), or as a tag is written (`pt-BR`, in any casing).
        named = {bcp47(locale).lower(): locale for locale in sources}.get(bcp47(default).lower())
        if named is None:
            raise ValueError(f"must be one of {', '.join(sorted(sources))}")
        self._edition = Edition(MappingProxyType(sources), named)
        self._refused: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    @property
    def edition(self) -> Edition:
        """What serves now. Who writes something takes it once."""
        return self._edition

    @property
    def locales(self) -> tuple[str, ...]:
        """Those that are served, sorted."""
        return self._edition.locales

    @property
    def versions(self) -> Mapping[str, str]:
        """Of each locale the digest of the file that serves."""
        return {locale: version(content) for locale, content in self._edition.sources.items()}

    @property
    def refused(self) -> Mapping[str, tuple[str, ...]]:
        """Of each file that does not serve, why."""
        return self._refused

    def negotiate(self, tag: str | None) -> str:
        """The locale for a tag in any casing."""
        return self._edition.match(tag).chain[0]

    def stamp(self) -> Stamp:
        """Changes when any of the files has."""
        return tuple(
            (locale, stat.st_mtime_ns, stat.st_size, stat.st_ino)
            for locale, path in sorted(self._paths().items())
            for stat in (path.stat(),)
        )

    def reload(self) -> News:
        """Check and compile what stands in the directory now, and serve it from this moment on.

        What is wrong is refused, and what served before stays. Raises OSError when the files cannot be read.
        """
        before, sources, refused = self._edition.sources, dict[str, bytes](), self._nameless()
        for locale, content in self._read().items():
            faults = compile_catalog(locale, content).faults
            if faults:
                refused[locale] = faults
            sources[locale] = before.get(locale, content) if faults else content
        default = self._edition.default
        if default not in sources:
            sources[default], refused[default] = before[default], ("the file of the default locale is gone",)
        self._edition, self._refused = Edition(MappingProxyType(sources), default), MappingProxyType(refused)
        taken = {name: version(content) for name, content in sources.items() if before.get(name) != content}
        return News(taken, tuple(sorted(before.keys() - sources.keys())), refused)

    def _paths(self) -> dict[str, Path]:
        found = {path.parent.parent.name: path for path in self._directory.glob("*/LC_MESSAGES/messages.po")}
        return {locale: path for locale, path in found.items() if locale not in PSEUDO_LOCALES and _is_locale(locale)}

    def _nameless(self) -> dict[str, tuple[str, ...]]:
        """Folders that cannot be served, whatever stands in them."""
        names = (path.parent.parent.name for path in self._directory.glob("*/LC_MESSAGES/messages.po"))
        return {name: ("CLDR knows no locale of this name",) for name in names if not _is_locale(name)}

    def _read(self) -> dict[str, bytes]:
        # English needs no file: the message ids are English.
        return {SOURCE_LOCALE: b""} | {locale: path.read_bytes() for locale, path in self._paths().items()}


def _is_locale(name: str) -> bool:
    try:
        Locale.parse(name)
    except (ValueError, UnknownLocaleError):
        return False
    return True


def bcp47(locale: str) -> str:
    """`pt_BR` → `pt-BR`, as HTML's `lang` and Content-Language want it."""
    return locale.replace("_", "-")


@cache
def direction(locale: str) -> str:
    """`ltr` or `rtl`."""
    return Locale.parse(locale).text_direction


@cache
def autonym(locale: str) -> str:
    """A language's name in itself."""
    name = Locale.parse(locale).get_display_name(locale) or locale
    return name[:1].upper() + name[1:]
