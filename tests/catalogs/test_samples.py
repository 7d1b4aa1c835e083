"""A sample says what the service would send, and there is one of everything that a template may say."""

import gettext

import pytest

from notifier.assets import assets
from notifier.catalogs.checker import Checker
from notifier.catalogs.files import read
from notifier.catalogs.samples import LENGTHS, sample_context
from notifier.catalogs.speech import Speech
from notifier.catalogs.variants import variants
from notifier.notices import HOLDS, NOTICES
from notifier.rendering.catalog import Catalog
from notifier.rendering.catalog import key as message_key
from notifier.rendering.i18n import Catalogs
from notifier.rendering.renderer import Choice, Renderer
from notifier.rendering.segments import outside, segments
from tests.catalogs.conftest import SHIPPED
from tests.rendering.conftest import VOICE

ENGLISH = read(SHIPPED.catalog("en"), "en")
EVERY = [(notice, variant) for notice in NOTICES for variant in variants(notice)]


@pytest.fixture(scope="module")
def speech() -> Speech:
    return Speech(assets("templates"), VOICE)


@pytest.mark.parametrize("locale", SHIPPED.locales)
def test_what_is_measured_is_what_would_be_sent(speech: Speech, locale: str) -> None:
    catalogs = Catalogs(assets("locales"))
    choice = Choice(catalogs.edition.catalog(locale), "exact")
    renderer = Renderer(assets("templates"), catalogs, VOICE)
    catalog = read(SHIPPED.catalog(locale), locale)
    for notice, variant in EVERY:
        cost = speech.sms(notice, variant, locale, catalog)
        sms = speech.samples.message(notice, "sms", variant=variant)
        assert cost.text == renderer.sms(sms.accepted, sms.urls, sms.code, choice, sms.about)
        assert cost.segments == segments(cost.text)
        mail = speech.samples.message(notice, "email", variant=variant)
        sent = renderer.mail(mail.accepted, mail.urls, mail.code, choice, mail.about)
        assert speech.subject(notice, variant, locale, catalog) == sent.subject


class _Heard(gettext.NullTranslations):
    """English, and which strings were said."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = set[str]()

    def gettext(self, message: str) -> str:
        self.keys.add(message_key(message))
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.keys.add(message_key(msgid1))
        return msgid1 if n == 1 else msgid2

    def pgettext(self, context: str, message: str) -> str:
        self.keys.add(message_key(message, context))
        return message


def test_every_string_of_a_message_is_seen_in_one_of_its_samples(checker: Checker, speech: Speech) -> None:
    heard = _Heard()
    choice = Choice(Catalog("en", "", heard, frozenset()), "exact")
    renderer = Renderer(assets("templates"), Catalogs(assets("locales")), VOICE)
    for notice, variant in EVERY:
        for length in LENGTHS:
            mail = speech.samples.message(notice, "email", length, variant)
            renderer.mail(mail.accepted, mail.urls, mail.code, choice, mail.about)
            sms = speech.samples.message(notice, "sms", length, variant)
            renderer.sms(sms.accepted, sms.urls, sms.code, choice, sms.about)
    in_messages = {key for key, places in checker.usage.shown.items() if any(place.form != "page" for place in places)}
    assert in_messages - heard.keys == set()


@pytest.mark.parametrize("notice", NOTICES)
def test_samples_have_values_of_every_field_long_and_short(notice: str) -> None:
    shortest, longest = sample_context(notice, "shortest").model_dump(), sample_context(notice, "longest").model_dump()
    # What a variant says is as long as it is.
    decided = {name for variant in variants(notice).values() for name in variant.context}
    for name, field in NOTICES[notice].context.model_fields.items():
        if name in decided:
            continue
        if field.annotation is str or field.annotation == str | None:
            assert len(longest[name] or "") > len(shortest[name] or ""), name
        if not field.is_required():
            assert shortest[name] is None, name


@pytest.mark.parametrize(("notice", "variant"), EVERY)
def test_a_sample_forces_no_sms_out_of_gsm_7(speech: Speech, notice: str, variant: str) -> None:
    assert outside(speech.sms(notice, variant, "en", ENGLISH).text) == []


def test_who_reads_of_a_new_address_reads_it_there(speech: Speech) -> None:
    old = speech.samples.message("email_changed", "email", variant="old_address").about
    new = speech.samples.message("email_changed", "email", variant="new_address").about
    assert (old.email, new.email) == ("arta@example.com", "arta.hoxha@post.example")
    assert {notice for notice in NOTICES if "held_for_now" in variants(notice)} == {*HOLDS, "withdrawals_suspended"}
