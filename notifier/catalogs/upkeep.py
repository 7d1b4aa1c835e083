"""How catalogs follow the templates: a new .pot comes in, each locale's .po goes out with all its translations."""

from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural
from babel.plural import to_gettext

from notifier.catalogs.extraction import PREVIEW
from notifier.catalogs.files import Shelf, ids, key, messages, parse, read, strings, written
from notifier.catalogs.glossary import skeleton
from notifier.catalogs.plurals import groups
from notifier.rendering.negotiation import SOURCE_LOCALE
from notifier.rendering.pseudo import PSEUDO_LOCALES, pseudo

_HEADER = """\
# {language} translations for notifier.
# Copyright (C) the notifier's authors
# This file is distributed under the same license as the notifier project.
#
# Form of address: (formal or informal? write it here, and keep to it)."""


class NotALocale(ValueError):
    """A name that CLDR does not know, or that has a catalog already."""


def update(shelf: Shelf, locale: str, extracted: bytes, *, clean: bool = False) -> bytes:
    """The locale's .po in step with the .pot that was extracted: new strings are empty.

    What is said no more stands at its end (`#~`), where a translator finds it, unless it is to be `clean`.
    """
    catalog = read(shelf.catalog(locale), locale)
    before = list(messages(catalog))
    # Read anew for each: Babel puts the template's own messages into the catalog.
    catalog.update(parse(extracted, shelf.template), no_fuzzy_matching=True)
    _carry(catalog, before)
    for message in messages(catalog):
        message.auto_comments = [localized(comment, locale) for comment in message.auto_comments]
        if locale == SOURCE_LOCALE:
            # The message ids are its words; its catalog is there for who edits them with the others.
            message.string = ids(message) if message.pluralizable else message.id
    if clean:
        catalog.obsolete.clear()
    return written(catalog)


def localized(comment: str, locale: str) -> str:
    """A comment of the template as it stands in a locale's catalog."""
    return comment.replace("{locale}", locale) if comment.startswith(PREVIEW) else comment


def _carry(catalog: Catalog, before: list[Message]) -> None:
    """A string that has got a context, or another one, keeps the translation that it had."""
    translated = {ids(old): old for old in before if all(strings(old))}
    present = {key(message) for message in messages(catalog)}
    for message in messages(catalog):
        old = translated.get(ids(message))
        if old is not None and not any(strings(message)):
            message.string, message.user_comments = old.string, list(old.user_comments)
            if key(old) not in present:
                catalog.obsolete.pop((ids(old)[0], old.context) if old.context else ids(old)[0], None)


def new(shelf: Shelf, name: str, template: Catalog) -> dict[Path, bytes]:
    """The files of a new locale: an empty catalog and a glossary to fill. Raises NotALocale."""
    locale = locale_of(name)
    tag = str(locale)
    if shelf.catalog(tag).exists():
        raise NotALocale(f"{tag} has a catalog already: {shelf.catalog(tag)}")
    language = locale.get_display_name("en") or tag
    catalog = Catalog(
        locale=tag,
        project="notifier",
        version="",
        charset="utf-8",
        header_comment=_HEADER.format(language=language),
        last_translator="",
        language_team=language,
        fuzzy=False,
    )
    expression = plural_forms(locale)
    catalog.mime_headers = [
        (name, expression if name == "Plural-Forms" else value) for name, value in catalog.mime_headers
    ]
    for message in messages(template):
        catalog.add(
            message.id,
            None,
            message.locations,
            message.flags,
            [localized(comment, tag) for comment in message.auto_comments],
            context=message.context,
        )
    return {shelf.catalog(tag): written(catalog), shelf.directory / tag / "glossary.csv": skeleton(shelf.directory)}


def pseudo_catalog(template: Catalog, *, mirrored: bool) -> bytes:
    """English as `rendering.pseudo` writes it, in a file that Poedit opens; its plurals are English."""
    catalog = Catalog(locale=SOURCE_LOCALE, project="notifier", charset="utf-8", fuzzy=False)
    catalog.header_comment = "# Made by `notifier catalogs pseudo`, for looking at layouts. Not to be edited or served."
    for message in messages(template):
        said = tuple(pseudo(text, mirrored=mirrored) for text in ids(message))
        catalog.add(
            message.id,
            said if len(said) > 1 else said[0],
            message.locations,
            message.flags,
            message.auto_comments,
            context=message.context,
        )
    return written(catalog)


def locale_of(name: str) -> Locale:
    """CLDR's locale of a name in any casing, with hyphens or underscores. Raises NotALocale."""
    if name.replace("-", "_").lower() in (pseudo.lower() for pseudo in PSEUDO_LOCALES):
        raise NotALocale(f"{name} is a pseudo-locale, which no owner is served: see `notifier catalogs pseudo`")
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        raise NotALocale(f"{name} is no locale that CLDR knows: say da, pt_BR or zh_Hans") from None


def plural_forms(locale: Locale) -> str:
    """The header's Plural-Forms: as gettext's tools know it, else as CLDR has it."""
    usual = get_plural(str(locale))
    if groups(usual.plural_expr) == groups(locale):
        return str(usual).rstrip(";") + ";"
    return to_gettext(locale.plural_form)
