"""Settings come in; what is found of the catalogs goes out: whether each is served, and how much of it is there."""

import asyncio
from collections.abc import Set
from pathlib import Path

from notifier.assets import assets
from notifier.catalogs.files import Shelf, key, messages, read
from notifier.config import Settings
from notifier.doctor.findings import Finding, fail, ok, warn
from notifier.rendering.catalog import Catalog, compile_catalog
from notifier.rendering.i18n import Catalogs
from notifier.rendering.negotiation import SOURCE_LOCALE


async def check(settings: Settings) -> list[Finding]:
    """In a thread: reading them takes a while."""
    return await asyncio.to_thread(examined, settings.locales or assets("locales"), settings.default_locale)


def examined(directory: Path, default: str) -> list[Finding]:
    """Of the catalogs in this directory."""
    try:
        catalogs = Catalogs(directory, default)
        refused = catalogs.reload().refused
        wanted = {key(message) for message in messages(read(Shelf(directory).template))}
    except ValueError as error:
        return [fail("catalogs", f"NOTIFIER_DEFAULT_LOCALE: {error}", "set it to one of these")]
    except OSError as error:
        return [fail("catalogs", f"they cannot be read: {type(error).__name__}", "make the files readable")]
    broken = [
        fail("catalogs", f"{name} is not served: {why[0]}", "mend its messages.po, or take its folder away")
        for name, why in refused.items()
    ]
    served = {name: source for name, source in catalogs.edition.sources.items() if name not in refused}
    del served[SOURCE_LOCALE]
    return [*broken, *(_of_catalog(compile_catalog(name, source), wanted) for name, source in served.items())]


def _of_catalog(catalog: Catalog, wanted: Set[str]) -> Finding:
    missing = len(wanted - catalog.translated)
    if missing:
        told = f"{catalog.locale}: {missing} of {len(wanted)} strings are missing"
        return warn("catalogs", f"{told}; messages with them go in another language", "translate them in messages.po")
    return ok("catalogs", f"{catalog.locale} is complete: {len(wanted)} strings")
