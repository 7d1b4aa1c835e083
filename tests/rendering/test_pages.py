"""Every page in every language: each purpose, each outcome, each fault."""

import re
from typing import Any, get_args

import pytest

from links.pages import PageOutcome
from links.purposes import purposes
from notifier.assets import assets
from notifier.notices import NOTICES
from notifier.rendering.i18n import Catalogs, autonym
from notifier.rendering.renderer import Language, Renderer
from tests.rendering.conftest import CONTEXT, NOW, VOICE
from tests.rendering.reading import Reading, english

LOCALES = Catalogs(assets("locales")).locales
PURPOSES = list(purposes())
# The others show the form.
OUTCOMES = [outcome for outcome in get_args(PageOutcome) if outcome not in ("open", "malformed", "wrong")]
_NEXT = "https://platform.example/next"

each_locale = pytest.mark.parametrize("locale", LOCALES)
each_purpose = pytest.mark.parametrize("purpose", PURPOSES)


def facts(locale: str, purpose: str | None, outcome: str | None, *, full: bool = True) -> dict[str, Any]:
    """As clicks.py gives them; `full` with all that may be known."""
    notice = "withdrawal_confirmation" if purpose == "confirm_withdrawal" else "new_device"
    context = {name: CONTEXT[name] for name in NOTICES[notice].context.model_fields if full or name != "location"}
    return {
        "purpose": purpose,
        "outcome": outcome,
        "account": "a•••@mail.example" if purpose else None,
        "notice": notice if purpose else None,
        "context": NOTICES[notice].context.model_validate(context) if purpose else None,
        "at": NOW if full and outcome else None,
        "opens": NOW if full and outcome else None,
        "reason": "Urdhri është mbyllur" if full else None,
        "next_url": _NEXT if full else None,
        "challenge": False,
        "challenge_error": None,
        "attempts_left": None,
        "languages": tuple(Language(tag, autonym(tag), f"?lang={tag}", tag == locale) for tag in LOCALES),
    }


def check(html: str, locale: str) -> Reading:
    """What holds of every page."""
    shown = Reading.of(html)
    assert shown.attributes("html", "lang") == [locale.replace("_", "-")]
    assert shown.attributes("html", "dir") == ["rtl" if locale == "ar" else "ltr"]
    assert "style" not in {name for _, names in shown.tags for name in names}
    assert not {name for _, names in shown.tags for name in names if name.startswith("on")}
    assert not {"script", "img", "iframe", "link", "object", "base"} & {tag for tag, _ in shown.tags}
    assert [tag for tag, _ in shown.tags].count("style") == 1
    assert [tag for tag, _ in shown.tags].count("h1") == 1
    assert "noindex, nofollow" in shown.attributes("meta", "content")
    # A page says how its own address begins, as words and not as a link.
    assert set(re.findall(r"(?:https?:)?//[^\s\"'<>]*", html)) <= {_NEXT, f"{VOICE.base_url}/"}
    assert "url(" not in html
    assert "@import" not in html
    hrefs = shown.attributes("a", "href")
    elsewhere = {href for href in hrefs if not href.startswith(("?lang=", "#"))}
    assert elsewhere <= {_NEXT, f"mailto:{VOICE.support_email}"}
    assert len([href for href in hrefs if href.startswith("?lang=")]) in (0, len(LOCALES))
    assert not re.search(r"[{}]{2}|%\(|\bNone\b", shown.text)
    if locale != "en":
        said = " ".join(shown.text.split())
        assert [phrase.pattern for phrase in english(locale) if phrase.search(said)] == []
    return shown


@each_locale
@each_purpose
@pytest.mark.parametrize("outcome", [None, *OUTCOMES])
def test_a_page_that_was_filled_into_a_mold_says_what_its_template_does(
    renderer: Renderer, catalogs: Catalogs, purpose: str, locale: str, outcome: str | None
) -> None:
    name = "outcome" if outcome else "confirm"
    first = facts(locale, purpose, outcome)
    for _ in range(2):
        renderer.page(name, locale, "Europe/Tirane", first)
    changed = {"device": "<b>Firefox</b> & 'friends'", "location": "東京", "address": "0xA1", "network": "A&B"}
    other = first | {
        "account": "<o>•••@mail.example",
        "context": first["context"].model_copy(
            update={field: value for field, value in changed.items() if field in type(first["context"]).model_fields}
        ),
        "at": first["at"] and NOW.replace(year=2031),
        "opens": first["opens"] and NOW.replace(year=2032),
        "reason": "Because <i>so</i>.",
        "next_url": "https://bank.example/?a=1&b=2",
    }
    filled = renderer.page(name, locale, "Asia/Tokyo", other)
    assert filled == Renderer(assets("templates"), catalogs, VOICE).page(name, locale, "Asia/Tokyo", other)


@each_locale
@each_purpose
@pytest.mark.parametrize("full", [True, False], ids=["all", "none"])
def test_before_the_button(renderer: Renderer, purpose: str, locale: str, full: bool) -> None:
    html = renderer.page("confirm", locale, "Europe/Tirane", facts(locale, purpose, None, full=full))
    shown = check(html, locale)
    # One form with one button, to this very address; the purpose that was shown goes with it.
    assert shown.attributes("form", "method") == ["post"]
    assert shown.attributes("form", "action") == []
    assert shown.attributes("input", "name") == ["purpose"]
    assert shown.attributes("input", "value") == [purpose]
    assert [tag for tag, _ in shown.tags].count("button") == 1
    assert "a•••@mail.example" in shown.text
    # What is about a device says which; a new account has none.
    about = purpose != "activate_account"
    assert (CONTEXT["device"] in shown.text) is about
    assert (CONTEXT["location"] in shown.text) is (full and about)
    assert (CONTEXT["address"] in shown.text) is (purpose == "confirm_withdrawal")


@each_locale
@each_purpose
@pytest.mark.parametrize("error", [None, "malformed", "mismatch"])
def test_with_a_field_for_the_code(renderer: Renderer, purpose: str, locale: str, error: str | None) -> None:
    asked = {"challenge": True, "challenge_error": error, "attempts_left": 37 if error else None}
    html = renderer.page("confirm", locale, "UTC", facts(locale, purpose, None) | asked)
    shown = check(html, locale)
    assert shown.attributes("input", "name") == ["purpose", "code"]
    assert shown.attributes("input", "autocomplete") == ["one-time-code"]
    assert shown.attributes("input", "aria-invalid") == (["true"] if error else [])
    assert shown.attributes("input", "pattern") == []
    # Told in the title, below the heading with a way to the field, and at the field, where who types is.
    assert shown.text.count("37") == (3 if error else 0)
    assert shown.attributes("p", "role") == (["alert"] if error else [])
    assert shown.attributes("a", "href").count("#code") == bool(error)
    assert len(shown.attributes("input", "autofocus")) == bool(error)


@each_locale
@each_purpose
@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("full", [True, False], ids=["all", "none"])
def test_after_the_button(renderer: Renderer, purpose: str, outcome: str, locale: str, full: bool) -> None:
    html = renderer.page("outcome", locale, "Europe/Tirane", facts(locale, purpose, outcome, full=full))
    shown = check(html, locale)
    assert "form" not in {tag for tag, _ in shown.tags}
    assert ("a•••@mail.example" in shown.text) is (outcome not in ("superseded", "not_valid"))
    assert (_NEXT in shown.attributes("a", "href")) is (full and outcome in ("done", "refused"))
    assert ("Urdhri është mbyllur" in shown.text) is (full and outcome in ("done", "refused"))
    # When it was used, until when it worked, from when it will: to the second, for machines too.
    tells = outcome in ("used", "expired", "too_early") or (outcome == "done" and purpose == "deactivate")
    assert (NOW.isoformat() in shown.attributes("time", "datetime")) is (full and tells)


@each_locale
@pytest.mark.parametrize("outcome", ["not_valid", "expired"])
def test_for_a_link_that_stands_for_nothing(renderer: Renderer, locale: str, outcome: str) -> None:
    shown = check(renderer.page("outcome", locale, "UTC", facts(locale, None, outcome, full=False)), locale)
    assert "@mail" not in shown.text


@each_locale
@pytest.mark.parametrize("status", [400, 404, 405, 413, 429, 500, 503])
def test_for_a_request_that_failed(renderer: Renderer, locale: str, status: int) -> None:
    check(renderer.page("problem", locale, "UTC", {"status": status}), locale)


@each_locale
def test_how_long_to_wait_is_said(renderer: Renderer, locale: str) -> None:
    html = renderer.page("problem", locale, "UTC", {"status": 429, "retry_after": 37})
    assert "37" in check(html, locale).text


def test_each_outcome_says_something_of_its_own(renderer: Renderer) -> None:
    pages = {
        outcome: Reading.of(renderer.page("outcome", "en", "UTC", facts("en", "reactivate", outcome, full=False))).text
        for outcome in OUTCOMES
    }
    assert len(set(pages.values())) == len(OUTCOMES)


def test_all_have_one_style_for_the_policy_to_name(renderer: Renderer) -> None:
    pages = [
        renderer.page("outcome", locale, "UTC", facts(locale, p, o))
        for locale in LOCALES
        for p in PURPOSES
        for o in OUTCOMES
    ]
    pages += [renderer.page("confirm", locale, "UTC", facts(locale, p, None)) for locale in LOCALES for p in PURPOSES]
    pages += [renderer.page("problem", locale, "UTC", {"status": 500}) for locale in LOCALES]
    styles = {style for page in pages for style in re.findall(r"<style.*?</style>", page, re.DOTALL)}
    assert len(styles) == 1


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "{{7*7}}", "%(x)s", '"><b>', "javascript:alert(1)"])
def test_what_a_stranger_wrote_is_carried_as_text(renderer: Renderer, hostile: str) -> None:
    def page(name: str, text: str) -> Reading:
        outcome = "refused" if name == "outcome" else None
        given = facts("sq", "authorize_device", outcome)
        context = given["context"].model_copy(update={"device": text, "location": text})
        return Reading.of(renderer.page(name, "sq", "UTC", given | {"context": context, "reason": text}))

    for name in ("confirm", "outcome"):
        shown, shape = page(name, hostile), page(name, "Chrome")
        assert shown.text.count(hostile) == shape.text.count("Chrome") == 2
        assert shown.tags == shape.tags
