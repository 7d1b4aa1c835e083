"""Every message in every language: what must be in it, and what must not."""

import re
import sys
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po, write_po

from notifier.assets import assets
from notifier.notices import NOTICES
from notifier.rendering.i18n import Catalogs
from notifier.rendering.renderer import Renderer
from notifier.rendering.segments import segments
from tests.rendering.conftest import BASE_URL, CODE, CONTEXT, VARIANTS, VOICE, Compose
from tests.rendering.reading import Reading, english, words_of

LOCALES = Catalogs(assets("locales")).locales
# Languages whose letters are all in GSM-7. Albanian's "ë" is not: its texts go without where they can.
GSM_7 = {"da", "de", "en", "fi", "fr", "it", "nb", "nl", "sv"}
ALERTS = [name for name, notice in NOTICES.items() if {"deactivate", "reactivate"} <= set(notice.links)]
HREF = re.compile(r'\bhref="([^"]*)"')
URL = re.compile(r"https?://[^\s\"<>]+")

each_notice = pytest.mark.parametrize("notice", NOTICES)
# With what of its context is otherwise than in CONTEXT.
each_message = pytest.mark.parametrize(
    ("notice", "context"),
    [
        pytest.param(name, changed, id="-".join((name, *changed.values())))
        for name in NOTICES
        for changed in ({}, *VARIANTS.get(name, ()))
    ],
)
each_locale = pytest.mark.parametrize("locale", LOCALES)
with_all_or_nothing = pytest.mark.parametrize("full", [True, False], ids=["all", "none"])


def test_the_seven_alerts() -> None:
    assert set(ALERTS) == {
        "login_succeeded",
        "ip_verification",
        "new_device",
        "password_reset",
        "sms_authenticator_reset",
        "google_authenticator_reset",
        "withdrawal_confirmation",
    }


@each_message
@each_locale
@with_all_or_nothing
def test_a_mail(compose_message: Compose, notice: str, context: dict[str, str], locale: str, full: bool) -> None:
    case = compose_message(notice, locale, "email", full=full, context=context)
    mail = case.mail()
    shown = Reading.of(mail.html)

    # Laid out by its first letter, which the mark is where the brand's would not do.
    assert mail.subject.startswith("\N{RIGHT-TO-LEFT MARK}[Northbank] " if locale == "ar" else "[Northbank] ")
    assert len(mail.subject) <= 78
    assert mail.subject.removeprefix("\N{RIGHT-TO-LEFT MARK}").isprintable()
    assert shown.attributes("html", "lang") == [locale.replace("_", "-")]
    assert shown.attributes("html", "dir") == ["rtl" if locale == "ar" else "ltr"]
    assert len(mail.html.encode()) < 60_000

    facts = case.accepted.context
    links = {str(case.urls[name]) for name in NOTICES[notice].carries(facts)}
    assert all(link.startswith(f"{BASE_URL}/l/") for link in links)
    # Each way out says where it leads, and the mail of what all its links begin with, if it has any.
    links |= set(facts.web_addresses)
    origins = {"/".join(link.split("/")[:3]) + "/" for link in links}
    assert set(map(unescape, HREF.findall(mail.html))) == links
    for said in (mail.text, shown.text):
        assert set(URL.findall(said)) - links == origins
        assert set(URL.findall(said)) & links == (links if said is mail.text else set())
        # Until when withdrawals are on hold: in the owner's zone, 6 hours or 5 after the message.
        assert bool(re.search(r"(?<!\d)(21|9|20|8)[:.]05", said)) is case.held
        assert VOICE.support_email in said
        assert (CODE in said) is (NOTICES[notice].code is not None)
        assert ("Arta Hoxha" in said) is full
        assert ("korb i bardhë 7" in said) is full
        assert "a•••@mail.example" in said
        assert (CONTEXT["reason"] in said) is bool(getattr(facts.read_at(None), "reason", None))
    assert not re.search(r"[{}]{2}|%\(|\bNone\b|\n{4,}", mail.text)


@pytest.mark.parametrize("notice", ALERTS)
@each_locale
def test_an_alert_has_both_emergency_links(compose_message: Compose, notice: str, locale: str) -> None:
    case = compose_message(notice, locale, "email", full=False)
    mail, deactivate, reactivate = case.mail(), case.urls["deactivate"], case.urls["reactivate"]
    assert deactivate != reactivate
    for url in (deactivate, reactivate):
        assert f"\n{url}\n" in mail.text
        assert f'href="{url}"' in mail.html


@each_message
@each_locale
@with_all_or_nothing
def test_an_sms(compose_message: Compose, notice: str, context: dict[str, str], locale: str, full: bool) -> None:
    case = compose_message(notice, locale, "sms", full=full, context=context)
    text = case.sms()
    # Phones lay a text out by its first letter; the brand's is Latin.
    assert text.startswith("\N{RIGHT-TO-LEFT MARK}Northbank: " if locale == "ar" else "Northbank: ")
    emergency = [str(case.urls["emergency"])] if NOTICES[notice].emergency(case.accepted.context) else []
    assert ("21:05" in text or "20:05" in text) is case.held
    assert URL.findall(text) == emergency
    if NOTICES[notice].code is not None:
        # Bound to our host, and nothing after it: phones then offer to fill it in.
        body, _, bound = text.rpartition("\n")
        assert bound == f"@notify.example.com #{CODE}"
        assert CODE in body
        text = body.rstrip("\n")
    assert "\n" not in text
    assert text.endswith(emergency[0] if emergency else (".", "。"))
    assert text == " ".join(text.split())
    assert not re.search(r"[{}]{2}|%\(|\bNone\b|\.\.\.\.", text)


@each_message
@each_locale
def test_an_sms_is_as_cheap_as_its_language_allows(
    compose_message: Compose, notice: str, context: dict[str, str], locale: str
) -> None:
    cost = segments(compose_message(notice, locale, "sms", context=context).sms())
    sys.stdout.write(f"{notice:28} {locale} {cost.alphabet} {cost.length:4} {cost.count}\n")
    # One about a reset says who, the code, the hold that follows, the link, and the line for the phone.
    assert cost.count <= (2 if locale in GSM_7 else 4 if notice.endswith("_reset") else 3)
    assert cost.alphabet == "GSM-7" or locale not in GSM_7


@each_message
@pytest.mark.parametrize("locale", [locale for locale in LOCALES if locale != "en"])
@with_all_or_nothing
def test_nothing_is_left_in_english(
    compose_message: Compose, notice: str, context: dict[str, str], locale: str, full: bool
) -> None:
    mail = compose_message(notice, locale, "email", full=full, context=context).mail()
    sms = compose_message(notice, locale, "sms", full=full, context=context).sms()
    phrases = english(locale)
    for said in (mail.subject, mail.text, Reading.of(mail.html).text, sms):
        assert [phrase.pattern for phrase in phrases if phrase.search(" ".join(said.split()))] == []


@each_message
def test_every_word_comes_from_the_catalog(
    compose_message: Compose, tmp_path: Path, notice: str, context: dict[str, str]
) -> None:
    """With a catalog that has no Latin letter, none is left but those of the facts."""
    with (assets("locales") / "messages.pot").open("rb") as file:
        catalog = read_po(file, locale="ru")
    for message in catalog:
        if message.id:
            forms = list(message.id) if isinstance(message.id, list | tuple) else [str(message.id)]
            masked = [re.sub(r"%\(\w+\)s|[A-Za-z]", lambda hit: hit[0] if hit[0][0] == "%" else "ж", f) for f in forms]
            message.string = (*masked, masked[-1]) if message.pluralizable else masked[0]
    (tmp_path / "ru" / "LC_MESSAGES").mkdir(parents=True)
    with (tmp_path / "ru" / "LC_MESSAGES" / "messages.po").open("wb") as file:
        write_po(file, catalog)
    renderer = Renderer(assets("templates"), Catalogs(tmp_path), VOICE)

    mail = compose_message(notice, "ru", "email", by=renderer, context=context).mail()
    case = compose_message(notice, "ru", "sms", by=renderer, context=context)
    for said in (mail.subject, mail.text, Reading.of(mail.html).text, case.sms()):
        assert "ж" in said
        facts = [*map(str, CONTEXT.values()), "bc1qar0s...wf5mdq", "UTC", VOICE.brand, VOICE.support_email]
        facts += ["Arta Hoxha", "a•••@mail.example", "korb i bardhë 7", "@notify.example.com"]
        facts += ["h•••@post.example", "h***@post.example", "Telegram"]
        assert words_of(said, without=facts) == []


def test_each_of_two_addresses_is_told_what_is_for_it(compose_message: Compose) -> None:
    """Neither reads the other in full; and where the owner sits is not for a new address that may be a stranger's."""
    case = compose_message("email_changed", "en", "email")
    old, new = (case.mail(CONTEXT[name]) for name in ("old_email", "new_email"))
    for mail in (old, new):
        for said in (mail.text, Reading.of(mail.html).text):
            assert "a•••@mail.example" in said
            assert "h•••@post.example" in said
            assert not {"arta@", "hoxha@"} & set(said.split())
    assert "203.0.113.24" in old.text
    assert "Tirana" in old.text
    for fact in ("ip", "device", "location"):
        assert CONTEXT[fact] not in new.text
        assert CONTEXT[fact] not in new.html


HOSTILE = [
    "<script>alert(1)</script>",
    "<b>bold</b><img src=x onerror=alert(1)>",
    '" onmouseover="x',
    "'><a href=x>",
    "{{7*7}}",
    "{% raw %}",
    "{{ config }}",
    "%(code)s %(brand)s",
    "%s %d %",
    "${7*7} #{7*7}",
    "&lt;b&gt; &amp;",
    "<!-- --> ]]>",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("notice", ["login_succeeded", "withdrawal_confirmation"])
def test_what_a_stranger_wrote_is_carried_as_text(compose_message: Compose, notice: str, hostile: str) -> None:
    def mail_about(text: str) -> Any:
        owner = {"name": text, "antiphishing_phrase": text}
        return compose_message(
            notice, "sq", "email", recipient=owner, context={"device": text, "location": text}
        ).mail()

    mail, plain = mail_about(hostile), mail_about("Chrome")
    assert mail.subject == plain.subject
    assert mail.text.count(hostile) == plain.text.count("Chrome") == 4
    shown, shape = Reading.of(mail.html), Reading.of(plain.html)
    assert shown.text.count(hostile) == shape.text.count("Chrome") == 4
    assert shown.tags == shape.tags


@pytest.mark.parametrize(("field", "room"), [("device", 28), ("location", 39)])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_an_sms_carries_it_as_text_too(compose_message: Compose, field: str, room: int, hostile: str) -> None:
    text = compose_message("login_succeeded", "en", "sms", context={field: hostile}).sms()
    shown = hostile if len(hostile) <= room else hostile[: room - 3] + "..."
    assert shown in text


def test_an_sms_shortens_what_would_cost_a_segment(compose_message: Compose) -> None:
    context = {"device": "D" * 29, "location": "L" * 40}
    text = compose_message("new_device", "en", "sms", context=context).sms()
    assert f" {'D' * 25}..., {'L' * 36}... " in text
    assert "...." not in text
    text = compose_message("withdrawal_confirmation", "sq", "sms").sms()
    assert "bc1qar0s...wf5mdq" in text
    assert CONTEXT["address"] not in text


@pytest.mark.parametrize(
    ("locale", "reason", "said"),
    [
        ("en", "Too many orders", "Reason: Too many orders. "),
        ("en", "Too many orders!", "Reason: Too many orders! "),
        ("ja", "最近のお支払いを確認しています。", "理由：最近のお支払いを確認しています。再"),
        ("ja", "確認しています", "理由：確認しています。再"),
        ("zh_Hans", "正在核实", "正在核实。"),
        ("ar", "هل طلبت ذلك؟", "هل طلبت ذلك؟ "),
    ],
)
def test_a_reason_ends_as_its_language_ends_sentences(
    compose_message: Compose, locale: str, reason: str, said: str
) -> None:
    text = compose_message("account_blocked", locale, "sms", context={"reason": reason}).sms()
    assert said in text
    assert not re.search("[.。！？؟!?]{2}|。 ", text)


def test_in_a_text_from_right_to_left_values_stand_apart(compose_message: Compose) -> None:
    device, place = "\u2068Chrome 131, Windows\u2069", "\u2068Tirana\u2069"
    assert f"{device}، {place}" in compose_message("login_succeeded", "ar", "sms").sms()
    assert "\u2068" not in compose_message("login_succeeded", "en", "sms").sms()


def test_a_mail_without_links_says_nothing_of_them(compose_message: Compose) -> None:
    for notice, origins in {
        "verification_code": 0,
        "withdrawals_resumed": 0,
        "identity_verification_result": 1,
        "withdrawal_confirmation": 1,
        "unusual_activity": 2,
    }.items():
        mail = compose_message(notice, "en", "email").mail()
        for said in (mail.text, Reading.of(mail.html).text):
            assert ("Every link in this message" in said) is bool(origins)
            assert ("with one of these:" in said) is (origins > 1)
