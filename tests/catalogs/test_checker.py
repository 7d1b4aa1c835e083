"""One thing broken in a good catalog is found, where it stands, by its rule and no other."""

import re
from collections.abc import Callable

import pytest

from notifier.catalogs.checker import Checker
from notifier.catalogs.files import ids, messages, parse, strings, written
from notifier.catalogs.findings import RULES, UNSERVABLE
from tests.catalogs.conftest import SHIPPED

Change = Callable[[str], str]


def said(checker: Checker, locale: str, content: bytes) -> list[tuple[str, int]]:
    """Rule and line of every finding but the notes."""
    findings = checker.contents({locale: content}).findings
    return [(finding.rule, finding.line) for finding in findings if finding.level != "note"]


def changed(locale: str, msgid: str, form: int, change: Change) -> tuple[bytes, int]:
    """A shipped catalog with one string changed, and the line of its msgid."""
    path = SHIPPED.catalog(locale)
    catalog = parse(path.read_bytes(), path, locale)
    message = next(message for message in messages(catalog) if ids(message)[0] == msgid)
    forms = list(strings(message))
    forms[form] = change(forms[form])
    message.string = tuple(forms) if len(forms) > 1 else forms[0]
    content = written(catalog)
    lines = content.decode().splitlines()
    # As an editor would count; long strings begin on the line after.
    wanted = [number for number, line in enumerate(lines, 1) if line == f'msgid "{msgid}"']
    return content, wanted[0]


def to(text: str) -> Change:
    return lambda _: text


HELLO, NOT_YOU, SIGN_IN = "Hello %(name)s,", "Not you? %(url)s", "Successful sign-in"
MINUTES = "This code works for %(minutes)s minute and only once."
CODE = "Use this code to sign in."
BROKEN: list[tuple[str, str, str, int, Change]] = [
    ("placeholders", "nb", HELLO, 0, lambda s: s.replace("%(name)s", "venn")),
    ("placeholders", "nb", HELLO, 0, lambda s: s.replace("%(name)s", "%(navn)s %(name)s")),
    ("placeholders", "nb", HELLO, 0, lambda s: s.replace("%(name)s", "%(name)s %(name)s")),
    ("placeholders", "nb", HELLO, 0, lambda s: s.replace("!", " 5% %(name)s!").replace("%(name)s ", "", 1)),
    ("placeholders", "nb", HELLO, 0, lambda s: s.replace("%(name)s", "%(name)s %s")),
    ("placeholders", "nb", HELLO, 0, lambda s: s.replace("%(name)s", "%(name)s %(name)")),
    ("placeholders", "ru", MINUTES, 0, lambda s: s.replace("%(minutes)s", "одну")),
    ("placeholders", "ru", MINUTES, 2, lambda s: s.replace("%(minutes)s", "много")),
    ("markup", "sv", SIGN_IN, 0, lambda s: f"<b>{s}</b>"),
    ("markup", "sv", SIGN_IN, 0, lambda s: s + " &amp; mer"),
    ("markup", "sv", SIGN_IN, 0, lambda s: s + " {{ brand }}"),
    ("link", "sv", SIGN_IN, 0, lambda s: s + " https://evil.example/x"),
    ("link", "sv", SIGN_IN, 0, lambda s: s + " www.evil.test"),
    ("link", "sv", SIGN_IN, 0, lambda s: s + " evil.com"),
    ("link", "sv", SIGN_IN, 0, lambda s: s + " help@evil.test"),
    ("link", "sv", SIGN_IN, 0, lambda s: s + " 08-123 456 78"),
    ("hidden", "ru", SIGN_IN, 0, lambda s: s + "\u200b"),
    ("hidden", "ru", SIGN_IN, 0, lambda s: "\u202e" + s),
    ("hidden", "ru", SIGN_IN, 0, lambda s: s[:3] + "\u00ad" + s[3:]),
    ("hidden", "ru", SIGN_IN, 0, lambda s: s + "\x1b"),
    ("empty", "nb", SIGN_IN, 0, to("")),
    ("empty", "ru", MINUTES, 2, to("")),
    ("untranslated", "sv", SIGN_IN, 0, to(SIGN_IN)),
    ("length", "nb", CODE, 0, lambda s: s.replace(".", ", hvis du vil det akkurat nå.")),
    ("space-in-sms", "nb", "Sign-in %(when)s, %(device)s, %(place)s.", 0, lambda s: s.replace(" ", "\u00a0", 1)),
    ("edges", "nb", SIGN_IN, 0, lambda s: s + " "),
    ("edges", "nb", SIGN_IN, 0, lambda s: "\n" + s),
    ("spaces", "nb", CODE, 0, lambda s: s.replace(" ", "  ", 1)),
    ("ending", "nb", CODE, 0, lambda s: s.rstrip(".")),
    ("ending", "nb", CODE, 0, lambda s: s.rstrip(".") + "!"),
    ("ending", "nb", SIGN_IN, 0, lambda s: s + "."),
    ("ending", "ru", "Not you?", 0, lambda s: s.rstrip("?")),
    ("spacing", "ru", "Not you?", 0, lambda s: s.replace("?", " ?")),
    ("spacing", "nb", "Nothing happens until you press the button.", 0, lambda s: s.replace(".", ".Takk.")),
    ("quotes", "nb", "Nothing happens until you press the button.", 0, lambda s: s.replace("på", '"på"')),
    ("quotes", "nb", "Nothing happens until you press the button.", 0, lambda s: s.replace("på", "„på“")),
    ("quotes", "ru", "Nothing happens until you press the button.", 0, lambda s: s.replace("вы", "«вы")),
    ("apostrophe", "sq", "Sign in on the device again. We will send you a new link.", 0, lambda s: s.replace("’", "'")),
    ("glossary", "ru", "Deactivate my account", 0, lambda s: s.replace("аккаунт", "профиль")),
    ("glossary", "sq", "Successful sign-in", 0, to("Identifikim me sukses")),
    ("subject", "nb", "Confirm your withdrawal request", 0, lambda s: s.replace("din", "din" + " på nytt" * 7)),
]


@pytest.mark.parametrize(("rule", "locale", "msgid", "form", "change"), BROKEN)
def test_a_broken_string_is_found(
    checker: Checker, rule: str, locale: str, msgid: str, form: int, change: Change
) -> None:
    content, line = changed(locale, msgid, form, change)
    found = said(checker, locale, content)
    # A subject that is too long for a header is also longer than its comment allows.
    assert set(found) == ({(rule, line), ("length", line)} if rule == "subject" else {(rule, line)})


Edit = tuple[str, str, str, str]
# In the file itself: rule, locale, what is replaced (once), by what.
EDITED: list[Edit] = [
    ("fuzzy", "nb", "#, python-format\n", "#, fuzzy, python-format\n"),
    ("plural-forms", "ru", "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : ", "nplurals=3; plural=(n==1 ? 0 : "),
    ("plural-forms", "nb", "nplurals=2; plural=(n != 1);", "nplurals=2; plural=(n > 1);"),
    ("syntax", "nb", 'msgstr "Hei, %(name)s!"', 'msgstr "Hei, %(name)s!'),
    ("syntax", "nb", 'msgstr "Hei, %(name)s!"', 'msgst "Hei, %(name)s!"'),
    ("stale", "nb", 'msgid "Hello %(name)s,"', 'msgid "Hello, %(name)s,"'),
    ("stale", "nb", "#. E-mail, first line.", "#. First line."),
    ("obsolete", "nb", "#. E-mail, first line.", '#~ msgid "Gone"\n#~ msgstr "Borte"\n\n#. E-mail, first line.'),
]


@pytest.mark.parametrize(("rule", "locale", "old", "new"), EDITED)
def test_a_broken_file_is_found(checker: Checker, rule: str, locale: str, old: str, new: str) -> None:
    content = SHIPPED.catalog(locale).read_text("utf-8")
    assert old in content
    found = said(checker, locale, content.replace(old, new, 1).encode())
    assert {name for name, _ in found} == {rule}
    near = content.count("\n", 0, content.index(old)) + 1
    # A comment or flag stands some lines above its msgid; a string that is missing, in no line.
    assert all(line in (0, 1) or 0 <= line - near <= 8 for _, line in found)


def test_bytes_that_are_no_text_are_found_in_their_line(checker: Checker) -> None:
    content = SHIPPED.catalog("ru").read_bytes()
    line = content[: content.index("Здравствуйте".encode())].count(b"\n") + 1
    assert said(checker, "ru", content.replace("Здравствуйте".encode(), "Здравствуйте".encode("cp1251"))) == [
        ("syntax", line)
    ]


@pytest.mark.parametrize("locale", SHIPPED.locales)
def test_what_is_shipped_is_good(checker: Checker, locale: str) -> None:
    report = checker.check([locale], prices=True)
    assert [finding for finding in report.findings if finding.level != "note"] == []
    assert {cost.notice for cost in report.costs} == set(checker.usage.notices)


def test_a_note_says_what_sms_cost_and_how_they_would_be_cheaper(checker: Checker) -> None:
    notes = {finding.string: finding for finding in checker.check(["sq"]).findings}
    note = notes["Your account is deactivated."]
    assert (note.rule, note.level) == ("sms-letters", "note")
    assert re.search(r"ç .*account_deactivated 3, spelled without 2", note.problem)
    assert note.remedy == "Llogaria juaj u caktivizua."


def test_each_rule_is_tried() -> None:
    tried = {row[0] for row in BROKEN} | {row[0] for row in EDITED} | {"sms-letters"}
    # Those that are left have a test of their own: tags, comment, literal, opening, allowed.
    assert set(RULES) - tried == {"tags", "comment", "literal", "opening", "allowed"}
    assert set(RULES) >= UNSERVABLE
