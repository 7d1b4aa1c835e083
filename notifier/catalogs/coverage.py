"""How far a catalog is: a catalog and the template come in, counts and the notices that are written in it go out."""

from collections.abc import Sequence
from dataclasses import dataclass

from babel.messages.catalog import Catalog

from notifier.catalogs.files import key, messages
from notifier.catalogs.usage import Usage
from notifier.rendering.catalog import translated


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of one locale. `falls_back` names what is still sent in another language: notices by channel, and pages."""

    locale: str
    strings: int
    translated: int
    fuzzy: int
    falls_back: Sequence[str]

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means all."""
        return self.translated * 100 // self.strings if self.strings else 100


def coverage(locale: str, catalog: Catalog, template: Catalog, usage: Usage) -> Coverage:
    """Of a locale's catalog, by the strings of the templates as they are now."""
    wanted = {key(message) for message in messages(template)}
    said = translated(catalog) & wanted
    open_ = sorted({place.message for name in wanted - said for place in usage.places.get(name, ())})
    return Coverage(locale, len(wanted), len(said), sum(message.fuzzy for message in messages(catalog)), open_)
