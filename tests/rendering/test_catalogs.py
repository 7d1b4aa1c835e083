"""The catalogs that are shipped, as translators leave them."""

import gettext
import re
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

from notifier.composition import assets

LOCALES = assets("locales")
TEMPLATES = assets("templates")
POT = LOCALES / "messages.pot"
SHIPPED = sorted(path.name for path in LOCALES.iterdir() if path.is_dir())
NOTICES = sorted(path.name for path in TEMPLATES.iterdir() if (path / "body.html").exists())

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
# Bidi controls, zero-width characters, line separators, byte-order mark, NUL and the other controls.
_FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_LINKS = re.compile(r"\w+://[^\s]*|www\.[^\s]*|\b[a-z0-9-]+\.(?:com|org|net|al|ru|no|se|example)\b|[\w.]+@[\w.]+")
_MARKUP = re.compile(r"<[^>]*>?|&#?\w+;|\{[{%#]")
# Terms that Albanian users of such platforms already know.
ALBANIAN = {
    "Deactivate my account": "Çaktivizo llogarinë tënde",
    "Confirm reactivation": "Konfirmo riaktivizimin",
    "Reactivate your account?": "Riaktivizo llogarinë",
    "Password reset": "Rivendosja e fjalëkalimit",
    "Successful sign-in": "Identifikimi i suksesshëm",
    "IP verification": "Verifikimi i IP-së",
    "Authorize the new device": "Autorizoni pajisjen e re",
    "Reset SMS Authenticator": "Rivendos Authenticatorin e SMS-ve",
    "Reset Google Authenticator": "Rivendos Google Authenticator",
    "Confirm your withdrawal request": "Konfirmoni kërkesën tuaj për tërheqje",
}


@pytest.fixture(params=SHIPPED)
def catalog(request: pytest.FixtureRequest) -> Catalog:
    path = LOCALES / request.param / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale=request.param, abort_invalid=True)


def messages(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def ids(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, list | tuple) else (str(message.id),)


def strings(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, list | tuple) else (str(message.string),)


def wrong(catalog: Catalog, found: re.Pattern[str]) -> list[tuple[str, str]]:
    """Translations with something that their msgid lacks."""
    return [
        (ids(message)[0], string)
        for message in messages(catalog)
        for string in strings(message)
        if set(found.findall(string)) - {hit for id in ids(message) for hit in found.findall(id)}
    ]


def test_every_message_is_translated_and_no_other(catalog: Catalog) -> None:
    with POT.open("rb") as file:
        template = read_po(file)
    assert [ids(m) for m in messages(catalog)] == [ids(m) for m in messages(template)]
    assert not [ids(m)[0] for m in messages(catalog) if not all(s.strip() for s in strings(m))]
    assert not [ids(m)[0] for m in messages(catalog) if m.fuzzy]
    assert not catalog.obsolete
    assert not catalog.fuzzy


def test_a_plural_has_the_forms_of_its_language(catalog: Catalog) -> None:
    plurals = [message for message in messages(catalog) if message.pluralizable]
    assert plurals
    assert {len(strings(message)) for message in plurals} == {catalog.num_plurals}
    # One form for each category that whole numbers have in CLDR.
    form, category = gettext.c2py(catalog.plural_expr), Locale.parse(str(catalog.locale)).plural_form
    pairs = {(form(number), category(number)) for number in range(1000)}
    assert len(pairs) == len({f for f, _ in pairs}) == len({c for _, c in pairs}) == catalog.num_plurals


def test_placeholders_are_those_of_the_msgid_in_every_form(catalog: Catalog) -> None:
    for message in messages(catalog):
        expected = sorted(set(_PLACEHOLDER.findall(" ".join(ids(message)))))
        for string in strings(message):
            assert sorted(_PLACEHOLDER.findall(string)) == expected, string
            # Any other per cent sign would stop the rendering.
            assert "%" not in _PLACEHOLDER.sub("", string).replace("%%", ""), string


def test_nothing_is_hidden_linked_or_marked_up(catalog: Catalog) -> None:
    assert wrong(catalog, _FORBIDDEN) == []
    assert wrong(catalog, _LINKS) == []
    assert wrong(catalog, _MARKUP) == []


def test_spaces_at_the_ends_are_those_of_the_msgid(catalog: Catalog) -> None:
    def ends(text: str) -> tuple[str, str]:
        return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]

    assert not [s for m in messages(catalog) for s in strings(m) if ends(s) != ends(ids(m)[0])]
    assert not [s for m in messages(catalog) for s in strings(m) if "  " in s]


@pytest.mark.parametrize(("msgid", "term"), ALBANIAN.items())
def test_albanian_keeps_the_terms_that_users_know(msgid: str, term: str) -> None:
    with (LOCALES / "sq" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        message = read_po(file, locale="sq").get(msgid)
    assert message is not None
    assert message.string == term


def test_the_template_is_what_the_templates_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `make catalogs` extracts it; the header, which has dates, aside."""
    monkeypatch.chdir(TEMPLATES.parent)
    fresh = tmp_path / "messages.pot"
    extract(fresh, "templates")
    assert POT.read_text("utf-8").partition("\n\n")[2] == fresh.read_text("utf-8").partition("\n\n")[2], (
        "run `make catalogs`"
    )
    assert "templates/_layout/words.txt" in fresh.read_text("utf-8")


@pytest.mark.parametrize("folder", NOTICES)
def test_html_and_text_say_the_same(tmp_path: Path, folder: str) -> None:
    assert said(tmp_path, TEMPLATES / folder, "html") == said(tmp_path, TEMPLATES / folder, "txt")


@pytest.mark.parametrize(
    ("html", "txt", "only_in_text"),
    [
        ("mail.html", "mail.txt", set()),
        # The pattern with a colon is a table row in HTML.
        ("ui.html", "ui.txt", {"%(label)s: %(value)s"}),
    ],
)
def test_the_layouts_say_the_same(tmp_path: Path, html: str, txt: str, only_in_text: set[str]) -> None:
    in_html, in_text = (msgids(tmp_path, TEMPLATES / "_layout" / name) for name in (html, txt))
    assert in_text - in_html == only_in_text
    assert in_html <= in_text


def said(tmp_path: Path, folder: Path, kind: str) -> tuple[set[str], list[str]]:
    """The msgids of a body, and the shared sentences in their order."""
    body = folder / f"body.{kind}"
    return msgids(tmp_path, body), re.findall(r"words\.(\w+)", body.read_text("utf-8"))


def msgids(tmp_path: Path, template: Path) -> set[str]:
    copy = tmp_path / template.suffix[1:]
    copy.mkdir()
    (copy / template.name).write_bytes(template.read_bytes())
    extract(copy / "messages.pot", str(copy))
    with (copy / "messages.pot").open("rb") as file:
        return {id for message in messages(read_po(file)) for id in ids(message)}


def extract(to: Path, directory: str) -> None:
    mapping = TEMPLATES.parent / "babel.cfg"
    options = ["--ignore-dirs=.*", "-c", "Translators:", "--sort-by-file", "--add-location=file", "--width=100"]
    command = ["pybabel", "-q", "extract", "-F", str(mapping), *options, "-o", str(to), directory]
    CommandLineInterface().run(command)  # type: ignore[no-untyped-call]
