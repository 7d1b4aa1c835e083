"""Settings come in; what is found of the catalogs goes out: whether each can be read, and how much of it is there."""

import asyncio
from collections.abc import Collection
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

from notifier.assets import assets
from notifier.config import Settings
from notifier.doctor.findings import Finding, fail, ok, warn
from notifier.rendering.i18n import Catalogs
from notifier.rendering.negotiation import SOURCE_LOCALE


async def check(settings: Settings) -> list[Finding]:
    """In a thread: reading them takes a while."""
    return await asyncio.to_thread(examined, settings.locales or assets("locales"), settings.default_locale)


def examined(directory: Path, default: str) -> list[Finding]:
    """Of the catalogs in this directory."""
    try:
        locales = Catalogs(directory, default).locales
    except ValueError as error:
        return [fail("catalogs", f"NOTIFIER_DEFAULT_LOCALE: {error}", "set it to one of these")]
    wanted = {message.id for message in _read(directory / "messages.pot") if message.id}
    return [_of_locale(directory, locale, wanted) for locale in locales if locale != SOURCE_LOCALE]


def _of_locale(directory: Path, locale: str, wanted: Collection[object]) -> Finding:
    path = directory / locale / "LC_MESSAGES" / "messages.po"
    try:
        there = {m.id for m in _read(path, locale) if m.id and _is_whole(m.string) and not m.fuzzy}
    except (OSError, ValueError, PoFileError) as error:
        return fail("catalogs", f"{locale} cannot be read: {type(error).__name__}", f"mend {path.name} of {locale}")
    missing = len(set(wanted) - there)
    if missing:
        told = f"{locale}: {missing} of {len(wanted)} strings are not translated, and sent in English"
        return warn("catalogs", told, f"translate them in {path.name} of {locale}")
    return ok("catalogs", f"{locale} is complete: {len(wanted)} strings")


def _is_whole(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def _read(path: Path, locale: str | None = None) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=locale, abort_invalid=True)
