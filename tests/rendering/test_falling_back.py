"""A message that its catalog cannot say wholly is written in the next one, wholly."""

import gettext
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notifier.assets import assets
from notifier.events import Channel
from notifier.notices import NOTICES
from notifier.rendering.catalog import key
from notifier.rendering.i18n import Catalogs
from notifier.rendering.renderer import FORMS, Choice, Renderer
from tests.rendering.books import change, copied
from tests.rendering.conftest import VOICE, Case, Compose
from tests.rendering.reading import Reading, english

# Where each of these is said: in a mail or an SMS of which notices.
ONLY_SIGN_INS = "Successful sign-in"
EVERY_MAIL = "Is this message genuine?"
PLURAL = "This code works for %(minutes)s minute and only once."


def renderer(locales: Path, default: str = "en") -> Renderer:
    return Renderer(assets("templates"), Catalogs(locales, default), VOICE)


@pytest.mark.parametrize(
    ("msgid", "string", "fuzzy"),
    [(EVERY_MAIL, "", False), (EVERY_MAIL, "Po?", True), (PLURAL, ("Po", ""), False), (PLURAL, ("Po", "Po"), True)],
    ids=["empty", "fuzzy", "one plural form empty", "fuzzy plural"],
)
def test_one_string_that_is_missing_takes_the_whole_message_along(
    tmp_path: Path, compose_message: Compose, msgid: str, string: str | tuple[str, ...], fuzzy: bool
) -> None:
    change(copied(tmp_path, "sq", "nb"), "sq", msgid, string, fuzzy=fuzzy)
    by = renderer(tmp_path, "nb")
    choice = by.choose("sq-AL", "password_reset", "email")
    assert (choice.locale, choice.reason) == ("nb", "incomplete")
    case = compose_message("password_reset", "sq", "email", by=by)
    mail, whole = case.mail(), compose_message("password_reset", "nb", "email").mail()
    assert (mail.subject, Reading.of(mail.html).attributes("html", "lang")) == (whole.subject, ["nb"])
    # Its links are its own; its words are the other's.
    assert mail.text.splitlines()[0] == whole.text.splitlines()[0]
    assert not [phrase for phrase in english("nb") if phrase.search(" ".join(mail.text.split()))]


def test_what_does_not_say_the_string_stays(tmp_path: Path) -> None:
    by = renderer(copied(tmp_path, "sq"))
    change(tmp_path, "sq", ONLY_SIGN_INS, "")
    change(tmp_path, "sq", PLURAL, ("", ""))
    by = renderer(tmp_path)
    incomplete = {
        (notice, channel)
        for notice in NOTICES
        for channel in ("email", "sms")
        if by.choose("sq", notice, channel).reason == "incomplete"
    }
    assert incomplete == {
        ("login_succeeded", "email"),
        *((name, "email") for name, notice in NOTICES.items() if notice.code is not None),
    }


def test_a_page_falls_back_whole_too(tmp_path: Path) -> None:
    change(copied(tmp_path, "sq"), "sq", "We cannot read this link", "")
    by = renderer(tmp_path)
    assert '<html lang="en"' in by.page("problem", "sq", "UTC", {"status": 404})
    assert '<html lang="sq"' in by.page("confirm", "sq", "UTC", PAGE)


PAGE: dict[str, Any] = {
    "purpose": "activate_account",
    "account": None,
    "context": None,
    "challenge": False,
    "challenge_error": None,
    "languages": (),
}


def test_where_the_default_is_incomplete_as_well_it_is_english(tmp_path: Path) -> None:
    copied(tmp_path, "sq", "nb")
    for locale in ("sq", "nb"):
        change(tmp_path, locale, EVERY_MAIL, "")
    choice = renderer(tmp_path, "nb").choose("sq", "login_succeeded", "email")
    assert (choice.locale, choice.reason) == ("en", "incomplete")


WRITE: dict[Channel, Callable[[Renderer, Case, Choice], Any]] = {
    "email": lambda by, case, choice: by.mail(case.accepted, case.urls, case.code, choice),
    "sms": lambda by, case, choice: by.sms(case.accepted, case.urls, case.code, choice),
    "inbox": lambda by, case, choice: by.item(case.accepted, case.urls, choice),
}


@pytest.mark.parametrize("notice", NOTICES)
def test_what_is_said_was_foreseen(compose_message: Compose, notice: str) -> None:
    """No message says a string that its templates were not read to say."""
    by = renderer(assets("locales"))
    for channel, forms in FORMS.items():
        catalog, asked = by.choose("sq", notice, channel).catalog, Asked()
        case = compose_message(notice, "sq", channel, by=by)
        choice = Choice(replace(catalog, translations=asked), "exact")
        WRITE[channel](by, case, choice)
        assert asked.keys
        assert asked.keys <= {said for form in forms for said in by.wording.of(f"{notice}/{form}")}


class Asked(gettext.NullTranslations):
    """English, and which strings were looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: set[str] = set()

    def gettext(self, message: str) -> str:
        self.keys.add(key(message))
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.keys.add(key(msgid1))
        return msgid1 if n == 1 else msgid2

    def pgettext(self, context: str, message: str) -> str:
        self.keys.add(key(message, context))
        return message
