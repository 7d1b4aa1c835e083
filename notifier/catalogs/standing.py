"""Rules for a catalog as a whole: in step with the .pot, finished, with its language's plural forms.

Each gives the line, the msgid (empty for the header) and the objection.
"""

from collections.abc import Iterator, Mapping

from babel import Locale
from babel.messages.catalog import Catalog, Message

from notifier.catalogs.files import ids, key, messages, strings
from notifier.catalogs.findings import Objection
from notifier.catalogs.plurals import groups
from notifier.catalogs.upkeep import localized, plural_forms

Found = tuple[int, str, Objection]
_UPDATE = "`notifier catalogs update`"


def header(catalog: Catalog, locale: str) -> Iterator[Found]:
    """Its Plural-Forms part the numbers as CLDR does for the language, whatever the order of the forms."""
    known = Locale.parse(locale)
    # A form more may stand, for numbers that no message of ours has (French has one for millions).
    if groups(catalog.plural_expr) != groups(known) or catalog.num_plurals < len(groups(known)):
        said = f"nplurals={catalog.num_plurals}; plural={catalog.plural_expr};"
        yield 1, "", Objection("plural-forms", f"has {said!r}, which is not how {locale} counts", plural_forms(known))
    for message in catalog.obsolete.values():
        yield message.lineno or 0, ids(message)[0], Objection("obsolete", "is no longer said", "`… update --clean`")


def in_step(catalog: Catalog, template: Catalog) -> Iterator[Found]:
    """Every string of the .pot and no other, each with its comments."""
    present = {key(message): message for message in messages(catalog)}
    wanted = {key(message): message for message in messages(template)}
    for name in wanted.keys() - present.keys():
        msgid = ids(wanted[name])[0]
        yield 0, msgid, Objection("stale", f"lacks {msgid!r}", _UPDATE)
    locale = str(catalog.locale)
    for name, message in present.items():
        line, msgid = message.lineno or 0, ids(message)[0]
        if name not in wanted:
            yield line, msgid, Objection("stale", "is not in messages.pot", _UPDATE)
        elif ids(message) != ids(wanted[name]):
            yield line, msgid, Objection("stale", "has another plural than messages.pot", _UPDATE)
        elif _notes(message, locale) != _notes(wanted[name], locale):
            yield line, msgid, Objection("stale", "has other comments than messages.pot", _UPDATE)


def _notes(message: Message, locale: str) -> str:
    # Each tool wraps comments at a width of its own.
    return " ".join(" ".join(localized(comment, locale) for comment in message.auto_comments).split())


def unfinished(message: Message, numbers: Mapping[int, frozenset[int]]) -> Iterator[Objection]:
    """A string that is not translated, or only perhaps."""
    said = strings(message)
    if message.fuzzy:
        yield Objection("fuzzy", "is marked fuzzy, so it is not served", "a look at it, and the mark taken away")
    for form, string in enumerate(said):
        if not string.strip():
            example = ", ".join(map(str, sorted(numbers.get(form, ()))[:4]))
            which = f"has no form {form} (for {example} …)" if len(said) > 1 else "is not translated"
            yield Objection("empty", which, "a translation")
