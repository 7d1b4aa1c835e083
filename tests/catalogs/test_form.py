"""Each language's typography: what is right passes, what is wrong is told with what would be right."""

import pytest

from notifier.catalogs.form import misformed
from notifier.catalogs.phrases import Phrase
from notifier.catalogs.typography import typography
from notifier.catalogs.usage import Form

NARROW, WIDE = "\u202f", "\u00a0"
# Those that the service is to speak, and some that are written quite otherwise.
LOCALES = """
en sq nb ru sv da fi de fr es pt_BR pt_PT it nl pl uk tr ro el ar he fa zh_Hans zh_Hant ja ko hi hy
th cs hu fr_CA
""".split()  # noqa: SIM905


def rules(locale: str, english: str, string: str, *forms: Form) -> list[str]:
    phrase = Phrase(locale, (english,), (string,), "", forms or ("html", "text"))
    return [objection.rule for objection in misformed(phrase)]


@pytest.mark.parametrize(
    ("locale", "english", "right", "wrong", "rule"),
    [
        ("fr", "Not you?", f"Ce n’était pas vous{NARROW}?", "Ce n’était pas vous ?", "spacing"),
        ("fr", "Not you?", f"Ce n’était pas vous{WIDE}?", "Ce n’était pas vous?", "spacing"),
        ("fr", "At 14:35.", "À 14:35.", "À 14:35 .", "spacing"),
        ("fr", "Time:", f"Date{NARROW}:", "Date:", "spacing"),
        ("fr", "Press “Go”.", f"Appuyez sur «{NARROW}Ok{NARROW}».", "Appuyez sur «Ok».", "spacing"),
        ("fr", "Press “Go”.", f"Appuyez sur «{NARROW}Ok{NARROW}».", 'Appuyez sur "Ok".', "quotes"),
        ("fr", "It is you.", "C’est vous.", "C'est vous.", "apostrophe"),
        ("fr_CA", "Not you?", "Ce n’était pas vous?", f"Ce n’était pas vous{NARROW}?", "spacing"),
        ("es", "Not you?", "¿No fuiste tú?", "No fuiste tú?", "opening"),
        ("es", "Welcome!", "¡Bienvenido!", "Bienvenido!", "opening"),
        ("el", "Not you?", "Δεν ήσασταν εσείς;", "Δεν ήσασταν εσείς?", "ending"),
        ("ar", "Not you?", "ألست أنت؟", "ألست أنت?", "ending"),
        ("fa", "Not you?", "شما نبودید؟", "شما نبودید?", "ending"),
        ("zh_Hans", "Enter the code.", "请输入验证码。", "请输入验证码", "ending"),
        ("zh_Hans", "Not you?", "不是您本人？", "不是您本人。", "ending"),
        ("ja", "Enter the code.", "コードを入力してください。", "コードを入力してください！", "ending"),
        ("ja", "Press “Go”.", "「進む」を押してください。", "“進む”を押してください。", "quotes"),
        ("hi", "Enter the code.", "कोड दर्ज करें।", "कोड दर्ज करें", "ending"),
        ("hy", "Enter the code.", "Մուտքագրեք կոդը։", "Մուտքագրեք կոդը", "ending"),
        ("th", "Enter the code.", "กรอกรหัส", "กรอกรหัส.", "ending"),
        ("de", "Press “Go”.", "Drücken Sie „Weiter“.", "Drücken Sie “Weiter”.", "quotes"),
        ("de", "Press “Go”.", "Drücken Sie »Weiter«.", "Drücken Sie „Weiter.", "quotes"),
        ("sv", "Press “Go”.", "Tryck på ”Vidare”.", "Tryck på “Vidare”.", "quotes"),
        ("fi", "Press “Go”.", "Paina ”Jatka”.", "Paina ”Jatka.", "quotes"),
        ("ru", "Press “Go”.", "Нажмите «Далее».", "Нажмите “Далее”.", "quotes"),
        ("pl", "Press “Go”.", "Naciśnij „Dalej”.", "Naciśnij „Dalej“.", "quotes"),
        ("uk", "The code.", "Код обов’язковий.", "Код обов'язковий.", "apostrophe"),
        ("uk", "The code.", "Код обовʼязковий.", "Код обов`язковий.", "apostrophe"),
        ("it", "It is you.", "L’account è tuo.", "L´account è tuo.", "apostrophe"),
        ("nb", "Hello,", "Hei!", "Hei?", "ending"),
        ("zh_Hans", "Hello %(name)s,", "%(name)s，您好：", "%(name)s，您好？", "ending"),
        ("ja", "Hello %(name)s,", "%(name)s 様", "%(name)s 様？", "ending"),
        ("fr", "%(label)s: %(value)s", f"%(label)s{WIDE}: %(value)s", "%(label)s: %(value)s", "spacing"),
        ("es", "Not you? %(url)s", "¿No eres tú? %(url)s", "No eres tú? %(url)s", "opening"),
        ("nb", "Time", "Tidspunkt", "Tidspunkt:", "ending"),
        ("nb", "Yes. No.", "Ja. Nei.", "Ja.Nei.", "spacing"),
        ("nb", "One, two.", "En, to.", "En , to.", "spacing"),
    ],
)
def test_a_language_is_written_in_its_own_way(locale: str, english: str, right: str, wrong: str, rule: str) -> None:
    assert rules(locale, english, right) == []
    assert rule in rules(locale, english, wrong)


@pytest.mark.parametrize("locale", LOCALES)
def test_its_own_quotes_are_a_language_s_quotes(locale: str) -> None:
    style = typography(locale)
    space = NARROW if style.inside else ""
    for opener, closer in style.quotes:
        inside = space if opener == "«" else ""
        assert rules(locale, "a", f"a {opener}{inside}b{inside}{closer} a") == [], (opener, closer)


def test_in_an_sms_plain_marks_are_right() -> None:
    assert rules("fr", "Not you?", "Pas vous ?", "sms") == []
    assert rules("sq", "It is you.", "S'jeni ju.", "sms") == []
    assert rules("sq", "It is you.", "S'jeni ju.", "sms", "html") == ["apostrophe"]


@pytest.mark.parametrize("url", ["%(url)s", "%(address)s"])
def test_a_value_at_the_end_has_no_mark_after_it(url: str) -> None:
    assert rules("de", f"Not you? {url}", f"Nicht Sie? {url}") == []
    assert rules("de", f"Not you? {url}", f"Nicht Sie? {url}.") == ["ending"]
