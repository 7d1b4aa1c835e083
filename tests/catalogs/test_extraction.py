"""What the templates say is in the .pot: all of it, with a comment and a preview, and the same each time."""

import re
from pathlib import Path

import pytest

from notifier.assets import assets
from notifier.catalogs.checker import Checker
from notifier.catalogs.extraction import PREVIEW
from notifier.catalogs.files import Shelf, ids, messages, parse
from notifier.catalogs.literals import literals
from notifier.catalogs.speech import Speech
from tests.catalogs.conftest import PACKAGE, SHIPPED, checker_of
from tests.rendering.conftest import VOICE

# Beyond these a translator would have to know HTML.
_INLINE = re.compile(r"</?(?:b|strong|em|i|br)>")


def test_the_template_is_what_the_templates_say(checker: Checker) -> None:
    assert SHIPPED.template.read_bytes() == checker.extracted, "run `make catalogs`"
    assert b"templates/_layout/words.txt" in checker.extracted


def test_the_same_templates_give_the_same_bytes(checker: Checker) -> None:
    assert checker_of(SHIPPED).extracted == checker.extracted


def test_every_string_has_a_comment_and_a_preview(checker: Checker) -> None:
    for message in messages(checker.template):
        previews = [comment for comment in message.auto_comments if comment.startswith(PREVIEW)]
        assert previews, ids(message)
        assert len(message.auto_comments) > len(previews), ids(message)
        # Each placeholder is explained, but for the number that a plural counts.
        explained = " ".join(message.auto_comments)
        assert all(f"%({name})s" in explained for name in re.findall(r"%\((\w+)\)s", ids(message)[0])), ids(message)


def test_a_preview_shows_the_string(checker: Checker) -> None:
    comments = {ids(message)[0]: message.auto_comments for message in messages(checker.template)}
    # A mail about a sign-in prints no code, and one with a code has no emergency part.
    assert (
        f"{PREVIEW}/preview/{{locale}}/ip_verification/html"
        in comments["Do not give it to anyone. Nobody at %(brand)s will ever ask you for it."]
    )
    assert f"{PREVIEW}/preview/{{locale}}/login_succeeded/html" in comments["Deactivated by mistake?"]
    assert f"{PREVIEW}/preview/{{locale}}/pages/outcome" in comments["Nothing has been changed."]
    assert f"{PREVIEW}/preview/{{locale}}/login_succeeded/sms" in comments["Sign-in %(when)s, %(device)s, %(place)s."]


def test_a_translator_sees_no_html(checker: Checker) -> None:
    for message in messages(checker.template):
        for text in ids(message):
            assert not re.search("[<>]|&#?\\w+;", _INLINE.sub("", text)), text


@pytest.mark.parametrize("word", ["Time", "Place", "Device", "Amount", "Network", "Fee", "Account"])
def test_a_word_that_could_be_anything_has_a_context(checker: Checker, word: str) -> None:
    assert [message.context for message in messages(checker.template) if ids(message)[0] == word] == ["label"]


def test_python_is_read_too(tmp_path: Path, checker: Checker) -> None:
    (tmp_path / "code.py").write_text(
        "# Translators: In a log.\nprint(gettext('From Python'))\n"
        "print(npgettext('many', 'one %(n)s', 'all %(n)s', 2))\n"
    )
    made = Checker(SHIPPED, assets("templates"), tmp_path, VOICE)
    found = {ids(message): message for message in messages(parse(made.extracted, SHIPPED.template))}
    assert found[("From Python",)].auto_comments == ["In a log."]
    assert found[("one %(n)s", "all %(n)s")].context == "many"
    assert len(found) == len({ids(message) for message in messages(checker.template)}) + 2


TEMPLATE = '{% extends "_layout/mail.html" %}\n'


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.html", "<p>{% trans %}Fine{% endtrans %}</p>", []),
        (
            "x.html",
            '<p class="wide" data-x="Fine">{{ value }} – 1 &nbsp; <!-- Fine --></p><style>p { color: red }</style>',
            [],
        ),
        ("x.html", "<p>Bare words, {{ name }}</p>", ["Bare words"]),
        ("x.html", "{% if a %}{% else %}<b>Else</b>{% endif %}", ["Else"]),
        ("x.html", "<p>{{ 'Quoted' if a else 'text' }}</p>", ["Quotedtext"]),
        ("x.html", "<p class=\"{{ 'quoted' if a else 'text' }}\"></p>", []),
        ("x.html", '<img alt="Picture"><a title="Hint" href="/Fine">1</a>', ["Picture", "Hint"]),
        ("x.html", "{% macro m(a) %}<p>In a macro</p>{% endmacro %}", ["In a macro"]),
        ("x.html", "{% set a = 'Fine' %}{{ m('Fine') }}", []),
        ("x.html", "<!--[if mso]><p>For Outlook</p><![endif]-->", ["For Outlook"]),
        ("x.html", TEMPLATE + "{% block heading %}Bare{% endblock %}", ["Bare"]),
        ("x.html", '{% extends "pages/layout.html" %}{% block tone %}danger{% endblock %}', []),
        ("x.html", TEMPLATE + "{% block nowhere %}Never shown{% endblock %}", []),
        ("x.txt", "[{{ brand }}] {% trans %}Fine{% endtrans %} @{{ site }} #{{ code }}", []),
        ("x.txt", "Code: {{ code }}", ["Code"]),
    ],
)
def test_words_that_no_translator_can_reach_are_found(tmp_path: Path, name: str, text: str, words: list[str]) -> None:
    for folder in ("_layout", "pages"):
        (tmp_path / folder).mkdir()
        for path in assets("templates").joinpath(folder).iterdir():
            (tmp_path / folder / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_text(text)
    found = literals(Speech(tmp_path, VOICE).wording, tmp_path)
    assert [bare for _, _, bare in found] == words


def test_templates_are_checked_with_the_catalogs(tmp_path: Path) -> None:
    (tmp_path / "login_succeeded").mkdir()
    (tmp_path / "login_succeeded" / "subject.txt").write_text("\n{% trans %}Uncommented{% endtrans %} bare")
    (tmp_path / "locales").mkdir()
    checker = checker_of(Shelf(tmp_path / "locales"), tmp_path)
    found = {(finding.rule, finding.string, finding.line) for finding in checker.check().findings}
    assert {("literal", "", 2), ("stale", "", 0)} < found
    assert ("comment", "Uncommented") in {(rule, string) for rule, string, _ in found}
    assert PACKAGE.name == "notifier"
