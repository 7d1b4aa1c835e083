"""The two files beside a catalog: terms that are wanted, and findings that are right as they stand."""

from pathlib import Path

import pytest

from notifier.catalogs.checker import Checker
from notifier.catalogs.files import Unreadable
from notifier.catalogs.glossary import Glossary, terms
from tests.catalogs.conftest import SHIPPED


@pytest.mark.parametrize(
    ("wanted", "english", "translation", "missing"),
    [
        ({"account": ["konto*"]}, "Your account", "Kontoen din", []),
        ({"account": ["konto*"]}, "Your account", "Brukeren din", ["account"]),
        ({"account": ["konto*"]}, "Your accountant", "Brukeren din", []),
        ({"account": ["konto"]}, "Your account", "Kontoen din", ["account"]),
        ({"link": ["*lenke*"]}, "The link", "Reaktiveringslenken", []),
        ({"link": ["lenke*"]}, "The link", "Reaktiveringslenken", ["link"]),
        ({"device": ["enhet*", "dings*"]}, "A device", "En dings", []),
        # The longest term stands for the shorter ones in it.
        ({"withdrawal": ["uttak*"], "withdrawal address": ["adresse*"]}, "The withdrawal address", "Adressen", []),
        ({"Withdrawal": ["вывод*"]}, "No withdrawals. A withdrawal.", "Вывода нет.", []),
        ({"code": ["验证码"]}, "Enter the code", "请输入验证码。", []),
        ({}, "Enter the code", "", []),
    ],
)
def test_a_term_is_said_by_its_word(
    wanted: dict[str, list[str]], english: str, translation: str, missing: list[str]
) -> None:
    assert [term.english for term in Glossary(wanted).missing(english, translation)] == missing


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("term,translation\n", 1),
        ("english,translation,note\nonly one\n", 2),
        ("english,translation,note\n,konto,\n", 2),
    ],
)
def test_a_glossary_that_is_none_says_where(tmp_path: Path, content: str, line: int) -> None:
    (tmp_path / "glossary.csv").write_text(content)
    with pytest.raises(Unreadable) as told:
        terms(tmp_path / "glossary.csv")
    assert told.value.line == line


def test_what_a_spreadsheet_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "glossary.csv").write_bytes("english,translation,note\r\ncode,kode,\r\n\r\n".encode("utf-8-sig"))
    assert [term.wanted for term in terms(tmp_path / "glossary.csv").missing("Code", "")] == [("kode",)]


HELLO, SIGN_IN = "Hello %(name)s,", "Successful sign-in"


def found(own: Checker, msgid: str, old: str, new: str, row: str) -> list[str]:
    """The rules that object to a string with a change in it, and to the row that allows it."""
    table = own.shelf.directory / "nb" / "allowed.csv"
    table.write_text(f"rule,msgid,why\n{row}\n")
    before, after = SHIPPED.catalog("nb").read_text("utf-8").split(f'msgid "{msgid}"\n', 1)
    content = f'{before}msgid "{msgid}"\n{after.replace(old, new, 1)}'
    return sorted(finding.rule for finding in own.contents({"nb": content.encode()}).findings)


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        (f"ending,{SIGN_IN},An exclamation is usual", []),
        ("ending,Password reset,Not this string", ["allowed", "ending"]),
        (f"ending,{SIGN_IN},", ["allowed", "ending"]),
    ],
)
def test_a_finding_that_is_right_is_allowed_with_a_reason(own: Checker, row: str, rules: list[str]) -> None:
    assert found(own, SIGN_IN, '"\n', '!"\n', row) == rules


def test_what_may_not_be_served_cannot_be_allowed(own: Checker) -> None:
    row = f'placeholders,"{HELLO}",Because'
    assert found(own, HELLO, ", %(name)s", "", row) == ["allowed", "placeholders"]
