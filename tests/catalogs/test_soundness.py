"""What holds in every language, where the shipped catalogs have nothing to try it on."""

import pytest

from notifier.catalogs.phrases import Phrase
from notifier.catalogs.plurals import forms
from notifier.catalogs.soundness import unsound
from notifier.catalogs.usage import Form

ARABIC = "(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5)"


def rules(english: tuple[str, ...], strings: tuple[str, ...], locale: str = "de", plural: str = "(n != 1)") -> set[str]:
    phrase = Phrase(locale, english, strings, "At most 20 characters.", frozenset[Form]({"html"}))
    return {objection.rule for objection in unsound(phrase, forms(plural))}


@pytest.mark.parametrize(
    ("string", "rule"),
    [
        ("<b>Fett</b>", None),
        ("Jetzt <b>fett</b>", None),
        ("Fett", "tags"),
        ("<b>Fett", "tags"),
        ("<i>Fett</i>", "tags"),
        ("</b>Fett<b>", "tags"),
        ("<b>Fett</b> &nbsp;", "markup"),
    ],
)
def test_tags_are_those_of_the_english(string: str, rule: str | None) -> None:
    assert rules(("<b>Bold</b>",), (string,)) == ({rule} if rule else set())


def test_a_form_for_one_number_may_say_it_in_words() -> None:
    english = ("%(days)s day", "%(days)s days")
    arabic = ("لا أيام", "يوم واحد", "يومان", "%(days)s أيام", "%(days)s يوما", "%(days)s يوم")
    assert rules(english, arabic, "ar", ARABIC) == set()
    # Every other form stands for many numbers.
    assert rules(english, (*arabic[:3], "أيام", *arabic[4:]), "ar", ARABIC) == {"placeholders"}
    assert rules(english, ("ein Tag", "%(days)s Tage")) == set()
    assert rules(english, ("%(days)s Tag", "Tage")) == {"placeholders"}


@pytest.mark.parametrize(("length", "rule"), [(20, set()), (21, {"length"})])
def test_a_limit_counts_what_is_written(length: int, rule: set[str]) -> None:
    assert rules(("a %(name)s",), ("x" * length + "%(name)s",)) == rule


@pytest.mark.parametrize("string", ["z.B. bl.a. f.eks. t.ex.", "am 9.3.2026 um 14:35", "100 %% sicher"])
def test_what_only_looks_like_an_address_passes(string: str) -> None:
    assert "link" not in rules(("Some text",), (string,))


@pytest.mark.parametrize(("string", "same"), [("Konto", False), ("Account", True), ("%(a)s: %(b)s", False)])
def test_english_that_stays_is_told(string: str, same: bool) -> None:
    english = string if "%" in string else "Account"
    assert ("untranslated" in rules((english,), (string,))) is same


def test_persian_and_hindi_keep_their_joiners() -> None:
    assert rules(("Sign in",), ("می\u200cشود",), "fa", "(n > 1)") == set()
    assert rules(("Sign in",), ("می\u200cشود",), "ar", ARABIC) == {"hidden"}
