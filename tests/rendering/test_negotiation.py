"""Tags of every kind, and the locales that their readers are written to in, best first."""

import pytest

from notifier.rendering.negotiation import match

SERVED = ("ar", "da", "de", "en", "fr", "he", "id", "nb", "pt_BR", "ro", "ru", "sq", "sr", "sv", "uk", "zh_Hans")
REGIONAL = ("en", "es", "es_419", "nb", "nn", "pt_BR", "pt_PT", "sr", "sr_Latn", "zh_Hans", "zh_Hant")


@pytest.mark.parametrize(
    ("tag", "locale", "reason"),
    [
        ("sq", "sq", "exact"),
        ("SQ", "sq", "exact"),
        ("pt-br", "pt_BR", "exact"),
        ("ZH-hans", "zh_Hans", "exact"),
        ("sq-XK", "sq", "region"),
        ("de_AT.UTF-8", "de", "region"),
        ("zh-Hans-SG", "zh_Hans", "region"),
        ("pt-PT", "pt_BR", "region"),
        ("en-GB-oxendict", "en", "region"),
        ("de-CH-u-co-phonebk", "de", "region"),
        ("ru-x-sq", "ru", "region"),
        ("no", "nb", "alias"),
        ("no_NO", "nb", "alias"),
        ("nn-NO", "nb", "alias"),
        ("zh", "zh_Hans", "alias"),
        ("zh-CN", "zh_Hans", "alias"),
        ("zh-SG", "zh_Hans", "alias"),
        ("cmn-Hans-CN", "zh_Hans", "alias"),
        # Not the script asked for, and readable.
        ("zh-TW", "zh_Hans", "alias"),
        ("zh-HK", "zh_Hans", "alias"),
        ("sr-Latn", "sr", "alias"),
        ("sr_RS@latin", "sr", "alias"),
        ("sh", "sr", "alias"),
        ("pt", "pt_BR", "alias"),
        ("iw", "he", "alias"),
        ("in", "id", "alias"),
        ("mo", "ro", "alias"),
        ("nob", "nb", "alias"),
        ("alb", "sq", "alias"),
        ("uk-UA", "uk", "region"),
        # Near is not enough: nobody is answered in another language than theirs but in the default.
        ("be", "sq", "default"),
        ("fo", "sq", "default"),
        ("gl", "sq", "default"),
        ("uz-Cyrl", "sq", "default"),
        ("ar-Latn", "sq", "default"),
        ("und", "sq", "default"),
        ("*", "sq", "default"),
        ("", "sq", "default"),
        (None, "sq", "default"),
    ],
)
def test_a_tag_is_answered_in_its_language(tag: str | None, locale: str, reason: str) -> None:
    found = match(tag, SERVED, "sq")
    assert (found.chain[0], found.reason) == (locale, reason)
    assert {"sq", "en"} <= set(found.chain)


@pytest.mark.parametrize(
    ("tag", "chain"),
    [
        ("pt", ("pt_BR", "pt_PT")),
        ("pt-AO", ("pt_PT", "pt_BR")),
        ("pt-PT", ("pt_PT", "pt_BR")),
        ("es-MX", ("es_419", "es")),
        ("es-ES", ("es", "es_419")),
        ("es", ("es", "es_419")),
        ("zh-TW", ("zh_Hant", "zh_Hans")),
        ("zh-HK", ("zh_Hant", "zh_Hans")),
        ("zh-Hant-MO", ("zh_Hant", "zh_Hans")),
        ("zh-SG", ("zh_Hans", "zh_Hant")),
        ("sr-Latn-RS", ("sr_Latn", "sr")),
        ("sr-ME", ("sr_Latn", "sr")),
        ("sr", ("sr", "sr_Latn")),
        ("no", ("nb", "nn")),
        ("nn", ("nn", "nb")),
        ("nb", ("nb", "nn")),
    ],
)
def test_after_the_best_come_the_others_of_its_language(tag: str, chain: tuple[str, ...]) -> None:
    assert match(tag, REGIONAL, "en").chain == (*chain, "en")


@pytest.mark.parametrize("tag", ["uk", "uk-UA", "be", "kk"])
def test_who_reads_another_language_is_not_written_to_in_russian(tag: str) -> None:
    assert match(tag, ("en", "ru"), "en").chain == ("en",)
