"""Catalogs follow the templates, and no translation is lost on the way."""

import csv
import io

import pytest
from babel import Locale

from notifier.catalogs.checker import Checker
from notifier.catalogs.files import Shelf, Unreadable, ids, messages, parse, read, strings
from notifier.catalogs.plurals import groups
from notifier.catalogs.upkeep import NotALocale, new, plural_forms, pseudo_catalog, update
from notifier.rendering.pseudo import PSEUDO_LOCALES
from tests.catalogs.conftest import SHIPPED

LOCALES = """
da fi de fr es pt_BR pt_PT it nl pl uk tr ro el ar zh_Hans zh_Hant ja ko he cs sk sl hr lt lv et hu
bg mk is ga cy mt
""".split()  # noqa: SIM905


def translations(content: bytes, shelf: Shelf, locale: str) -> dict[tuple[str, str], tuple[str, ...]]:
    catalog = parse(content, shelf.catalog(locale), locale)
    return {(message.context or "", ids(message)[0]): strings(message) for message in messages(catalog)}


@pytest.mark.parametrize("locale", SHIPPED.locales)
def test_what_is_in_step_stays_byte_by_byte(checker: Checker, shelf: Shelf, locale: str) -> None:
    # Once, as a translator's editor may have other ideas of where lines end.
    shelf.catalog(locale).write_bytes(update(shelf, locale, checker.extracted))
    assert update(shelf, locale, checker.extracted) == shelf.catalog(locale).read_bytes()


def test_a_string_that_gets_a_context_keeps_its_translation(checker: Checker, shelf: Shelf) -> None:
    path = shelf.catalog("nb")
    before = path.read_bytes()
    path.write_bytes(before.replace(b'msgctxt "label"\n', b""))
    after = update(shelf, "nb", checker.extracted)
    assert translations(after, shelf, "nb") == translations(before, shelf, "nb")
    assert b"#~" not in after


def test_a_new_string_is_empty_and_an_old_one_stands_at_the_end_until_it_is_cleaned(
    checker: Checker, shelf: Shelf
) -> None:
    path = shelf.catalog("nb")
    path.write_bytes(path.read_bytes().replace(b'msgid "Successful sign-in"', b'msgid "A sign-in"'))
    after = update(shelf, "nb", checker.extracted)
    assert translations(after, shelf, "nb")["", "Successful sign-in"] == ("",)
    assert b'#~ msgid "A sign-in"' in after
    path.write_bytes(after)
    assert b"#~" not in update(shelf, "nb", checker.extracted, clean=True)


def test_a_comment_of_the_translator_stays(checker: Checker, shelf: Shelf) -> None:
    path = shelf.catalog("nb")
    path.write_bytes(path.read_bytes().replace(b"#. Button in e-mails", b"# Ours: short!\n#. Button in e-mails", 1))
    assert update(shelf, "nb", checker.extracted).count(b"# Ours: short!") == 1


@pytest.mark.parametrize("name", LOCALES)
def test_a_new_locale_counts_as_its_language_does(name: str) -> None:
    locale = Locale.parse(name)
    header = plural_forms(locale)
    count, _, expression = header.partition(";")
    assert groups(expression.strip().removeprefix("plural=").rstrip(";")) == groups(locale)
    assert int(count.removeprefix("nplurals=")) >= len(groups(locale))


def test_a_new_locale_is_an_empty_catalog_and_a_glossary_to_fill(checker: Checker, shelf: Shelf) -> None:
    files = new(shelf, "pt-pt", checker.template)
    catalog, glossary = files[shelf.catalog("pt_PT")], files[shelf.directory / "pt_PT" / "glossary.csv"]
    assert set(translations(catalog, shelf, "pt_PT")) == set(
        translations(shelf.catalog("nb").read_bytes(), shelf, "nb")
    )
    assert all(not any(said) for said in translations(catalog, shelf, "pt_PT").values())
    assert "/preview/pt_PT/login_succeeded/html" in catalog.decode()
    rows = list(csv.reader(io.StringIO(glossary.decode())))
    assert rows[0] == ["english", "translation", "note"]
    assert "withdrawal" in {row[0] for row in rows}
    assert {row[1] for row in rows[1:]} == {""}
    # It is in step from the start: nothing but translations is missing.
    assert {finding.rule for finding in checker.contents({"pt_PT": catalog}).findings} == {"empty"}


@pytest.mark.parametrize("name", ["xx", "../../etc", "", "nb", "NB", *PSEUDO_LOCALES, "en-xa"])
def test_what_is_no_new_locale_is_refused(checker: Checker, shelf: Shelf, name: str) -> None:
    with pytest.raises(NotALocale):
        new(shelf, name, checker.template)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_pseudo_catalog_says_everything_longer_with_its_placeholders(checker: Checker, mirrored: bool) -> None:
    content = pseudo_catalog(checker.template, mirrored=mirrored)
    catalog = parse(content, SHIPPED.template, "en")
    for message in messages(catalog):
        for english, string in zip(ids(message), strings(message), strict=True):
            assert len(string) > len(english)
    rules = {finding.rule for finding in checker.contents({"en": content}).findings}
    assert not rules & {"placeholders", "tags", "markup", "empty", "plural-forms"}


def test_a_file_that_is_none_says_where(shelf: Shelf) -> None:
    shelf.catalog("nb").write_text('msgid ""\nmsgstr ""\n"Language: nb\\n"\n\nwhat is this\n')
    with pytest.raises(Unreadable, match=r"messages\.po:5: "):
        read(shelf.catalog("nb"), "nb")
