"""Catalogs for tests: folders as translators keep them, with single strings changed."""

import io
import shutil
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from notifier.assets import assets


def path(locales: Path, locale: str) -> Path:
    return locales / locale / "LC_MESSAGES" / "messages.po"


def copied(locales: Path, *names: str) -> Path:
    """The shipped catalogs of these locales, in a folder of their own."""
    for name in names:
        shutil.copytree(assets("locales") / name, locales / name)
    return locales


def change(locales: Path, locale: str, msgid: str, string: str | tuple[str, ...], *, fuzzy: bool = False) -> None:
    """One string is saved anew, in one step, as editors do it."""
    file = path(locales, locale)
    catalog: Catalog = read_po(io.BytesIO(file.read_bytes()), locale=locale)
    message = catalog.get(msgid)
    assert message is not None
    message.string = string
    message.flags = (message.flags - {"fuzzy"}) | ({"fuzzy"} if fuzzy else set())
    save(file, catalog)


def save(file: Path, catalog: Catalog) -> None:
    written = io.BytesIO()
    write_po(written, catalog, width=100)
    fresh = file.with_suffix(".new")
    fresh.write_bytes(written.getvalue())
    fresh.replace(file)
