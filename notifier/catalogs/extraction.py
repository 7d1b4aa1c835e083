"""The template of all catalogs: templates and Python modules come in, every string with its comments goes out.

In Python a string is marked by `gettext`, `ngettext`, `pgettext` or `npgettext`, and commented as in a template: by a
comment above it that begins with "Translators:".
"""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file

from notifier.catalogs.files import Shelf, key, messages, parse, written
from notifier.catalogs.usage import Usage

_TAGS = ("Translators:",)
_JINJA = {"encoding": "utf-8", "trimmed": "true", "silent": "false"}
_PYTHON = {"encoding": "utf-8"}
PREVIEW = "Preview: "


def extract(shelf: Shelf, templates: Path, package: Path, usage: Usage) -> bytes:
    """The .pot: strings in the order of their files, each with the address of a preview that shows it."""
    catalog = Catalog(project="notifier", copyright_holder="the notifier's authors", charset="utf-8")
    catalog.header_comment = (
        "# The strings of the notifier, as extracted from its templates. Not to be edited: see docs/localization.md.\n#"
    )
    catalog.fuzzy = False
    for path, name, method, options in _sources(templates, package):
        found = extract_from_file(
            method, path, keywords=DEFAULT_KEYWORDS, comment_tags=_TAGS, options=options, strip_comment_tags=True
        )
        for line, text, comments, context in found:
            catalog.add(text, None, [(name, line)], auto_comments=comments, context=context)
    for message in messages(catalog):
        message.auto_comments += [PREVIEW + address for address in usage.previews(key(message))]
    # As it will be read: the width of a line parts comments.
    return written(parse(written(catalog, sort=True), shelf.template))


def _sources(templates: Path, package: Path) -> Iterator[tuple[Path, str, str, dict[str, str]]]:
    """Each file, its name in the catalogs, Babel's way to read it, and how."""
    for path in sorted(templates.rglob("*")):
        place = path.relative_to(templates)
        # The inbox says what mails say, in layouts of its own.
        if path.suffix in (".html", ".txt") and place.parts[0] != "inbox":
            name = f"templates/{place.as_posix()}"
            yield path, name, "jinja2.ext:babel_extract", _JINJA
    for path in sorted(package.rglob("*.py")):
        # Most modules say nothing to an owner, and reading one costs a hundred times as much as this look.
        if b"gettext(" in path.read_bytes():
            yield path, f"{package.name}/{path.relative_to(package).as_posix()}", "python", _PYTHON
