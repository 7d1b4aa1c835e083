"""What a mail says in HTML it says in plain text; and what Albanian users already know stays.

Whether the shipped catalogs are good is tested by the checker (tests/catalogs).
"""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from notifier.assets import assets

LOCALES = assets("locales")
TEMPLATES = assets("templates")
NOTICES = sorted(path.name for path in TEMPLATES.iterdir() if (path / "body.html").exists())

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


@pytest.mark.parametrize(("msgid", "term"), ALBANIAN.items())
def test_albanian_keeps_the_terms_that_users_know(msgid: str, term: str) -> None:
    with (LOCALES / "sq" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        message = read_po(file, locale="sq").get(msgid)
    assert message is not None
    assert message.string == term


@pytest.mark.parametrize("folder", NOTICES)
def test_html_and_text_say_the_same(folder: str) -> None:
    assert said(TEMPLATES / folder, "html") == said(TEMPLATES / folder, "txt")


@pytest.mark.parametrize(
    ("html", "txt", "only_in_text"),
    [
        ("mail.html", "mail.txt", set()),
        # The pattern with a colon is a table row in HTML.
        ("ui.html", "ui.txt", {"%(label)s: %(value)s"}),
    ],
)
def test_the_layouts_say_the_same(html: str, txt: str, only_in_text: set[str]) -> None:
    in_html, in_text = (msgids(TEMPLATES / "_layout" / name) for name in (html, txt))
    assert in_text - in_html == only_in_text
    assert in_html <= in_text


def said(folder: Path, kind: str) -> tuple[set[str], list[str]]:
    """The msgids of a body, and the shared sentences in their order."""
    body = folder / f"body.{kind}"
    return msgids(body), re.findall(r"words\.(\w+)", body.read_text("utf-8"))


def msgids(template: Path) -> set[str]:
    """Of a template alone."""
    found = extract_from_file("jinja2.ext:babel_extract", template, options={"trimmed": "true"})
    return {id for _, text, _, _ in found for id in ([text] if isinstance(text, str) else text)}
