"""Settings come in; what is found of the catalogs goes out: whether each is served, and how much of it is there."""

import asyncio
from collections.abc import Collection
from pathlib import Path

from notifier.assets import assets
from notifier.catalogs.files import Shelf, key, messages, read
from notifier.config import Settings
from notifier.doctor.findings import Finding, fail, ok, warn
from notifier.rendering.catalog import compile_catalog
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
    shelf = Shelf(directory)
    wanted = {key(message) for message in messages(read(shelf.template))}
    return [_of_locale(shelf.catalog(locale), locale, wanted) for locale in locales if locale != SOURCE_LOCALE]


def _of_locale(path: Path, locale: str, wanted: Collection[str]) -> Finding:
    try:
        catalog = compile_catalog(locale, path.read_bytes())
    except OSError as error:
        return fail("catalogs", f"{locale} cannot be read: {type(error).__name__}", f"mend {path.name} of {locale}")
    if catalog.faults:
        return fail("catalogs", f"{locale} is not served: {catalog.faults[0]}", f"mend {path.name} of {locale}")
    missing = len(set(wanted) - catalog.translated)
    if missing:
        told = f"{locale}: {missing} of {len(wanted)} strings are missing: messages with them go in another language"
        return warn("catalogs", told, f"translate them in {path.name} of {locale}")
    return ok("catalogs", f"{locale} is complete: {len(wanted)} strings")
