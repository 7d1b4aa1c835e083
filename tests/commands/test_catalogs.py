"""`notifier catalogs …` as a translator and CI run it: what it prints, writes and exits with."""

import gettext
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from notifier.catalogs.files import Shelf
from notifier.cli import app
from notifier.notices import NOTICES
from tests.catalogs.conftest import SHIPPED


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Two catalogs where one stands."""
    monkeypatch.chdir(tmp_path)
    for path in (SHIPPED.template, *SHIPPED.directory.glob("nb/**/*.*"), *SHIPPED.directory.glob("sq/**/*.*")):
        copy = Path("locales") / path.relative_to(SHIPPED.directory)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    monkeypatch.setenv("NOTIFIER_LOCALES", "locales")
    return Shelf(Path("locales"))


def run(*args: str) -> Result:
    return CliRunner().invoke(app, ["catalogs", *args])


def broken(shelf: Shelf, old: str = 'msgstr "Hei, %(name)s!"', new: str = 'msgstr "Hei!"') -> int:
    """Breaks the Norwegian catalog; the line of what is wrong now."""
    content = shelf.catalog("nb").read_text("utf-8")
    shelf.catalog("nb").write_text(content.replace(old, new, 1), "utf-8")
    return content.count("\n", 0, content.index(old))


def test_a_good_catalog_passes_named_in_any_casing(shelf: Shelf) -> None:
    result = run("check", "NB")
    assert (result.exit_code, result.stdout) == (0, "nothing to object to\n")


def test_a_bad_one_is_told_with_what_would_be_right(shelf: Shelf) -> None:
    line = broken(shelf)
    result = run("check", "nb")
    assert result.exit_code == 1
    assert f"locales/nb/LC_MESSAGES/messages.po:{line} [placeholders] 'Hello %(name)s,'" in result.stdout
    assert "lacks %(name)s" in result.stdout
    assert "right: every placeholder of the English" in result.stdout
    assert "1 error" in result.stdout


def test_a_tool_gets_json(shelf: Shelf) -> None:
    line = broken(shelf)
    told = json.loads(run("check", "nb", "sq", "--json").stdout)
    (error,) = (finding for finding in told["findings"] if finding["level"] == "error")
    assert error["file"] == "locales/nb/LC_MESSAGES/messages.po"
    assert (error["line"], error["rule"], error["locale"]) == (line, "placeholders", "nb")
    assert told["counts"]["error"] == 1
    costs = {cost["notice"]: cost for cost in told["sms"] if cost["locale"] == "sq"}
    assert costs["account_deactivated"]["segments"]["alphabet"] == "UCS-2"
    assert costs["account_deactivated"]["segments"]["count"] == 3
    assert costs["account_deactivated"]["forced_by"] == ["ç"]
    assert costs["account_deactivated"]["spelled"]["alphabet"] == "GSM-7"


def test_notes_alone_are_no_failure(shelf: Shelf) -> None:
    result = run("check", "sq", "--sms")
    assert result.exit_code == 0
    assert "[sms-letters]" in result.stdout
    assert "3u → 2" in result.stdout


def test_the_pot_is_written_once_and_told_when_stale(shelf: Shelf) -> None:
    assert run("extract", "--check").exit_code == 0
    shelf.template.write_text("", "utf-8")
    assert run("extract", "--check").exit_code == 1
    assert run("extract").exit_code == 0
    assert shelf.template.read_bytes() == SHIPPED.template.read_bytes()


def test_update_brings_what_is_new(shelf: Shelf) -> None:
    broken(shelf, 'msgid "Successful sign-in"', 'msgid "A sign-in"')
    shelf.template.unlink()
    result = run("update")
    assert result.exit_code == 0
    assert "nb/LC_MESSAGES/messages.po: written" in result.stdout
    assert "sq/LC_MESSAGES/messages.po: is in step" in result.stdout
    assert shelf.template.read_bytes() == SHIPPED.template.read_bytes()
    assert '#~ msgid "A sign-in"' in shelf.catalog("nb").read_text("utf-8")


def test_coverage_says_what_is_sent_in_another_language(shelf: Shelf) -> None:
    assert run("coverage", "--at-least", "100").exit_code == 0
    broken(shelf, 'msgid "Password reset"\nmsgstr "Tilbakestilling av passord"', 'msgid "Password reset"\nmsgstr ""')
    result = run("coverage", "nb", "--at-least", "100")
    assert result.exit_code == 1
    assert "nb is not used yet for: password_reset (email)" in result.stdout
    (row,) = json.loads(run("coverage", "nb", "--json").stdout)
    assert row["translated"] == row["strings"] - 1
    assert (row["percent"], row["falls_back"]) == (99, ["password_reset (email)"])


def test_a_locale_that_is_just_begun_is_told_of_in_a_few_lines(shelf: Shelf) -> None:
    assert run("new", "da").exit_code == 0
    checked, covered = run("check", "da"), run("coverage", "da")
    assert checked.stdout.count("[empty] '") == 3
    findings = json.loads(run("check", "da", "--json").stdout)["findings"]
    assert (
        f"{len(findings) - 3} more of [empty] in locales/da/LC_MESSAGES/messages.po: --all shows them" in checked.stdout
    )
    assert f"{len(NOTICES)} e-mails, {len(NOTICES)} SMS, 3 pages (--all names them)" in covered.stdout
    assert run("check", "da", "--all").stdout.count("[empty] '") == len(findings)
    assert "login_succeeded (sms)" in run("coverage", "da", "--all").stdout


def test_compile_writes_what_other_programs_read_and_refuses_what_may_not_be_served(shelf: Shelf) -> None:
    broken(shelf)
    result = run("compile", "--to", "mo")
    assert result.exit_code == 1
    assert "[placeholders]" in result.stdout
    assert [path.parts[1] for path in Path("mo").rglob("*.mo")] == ["sq"]
    with Path("mo/sq/LC_MESSAGES/messages.mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Deactivate my account") == "Çaktivizo llogarinë tënde"


def test_pseudo_is_written_aside_and_never_a_locale(shelf: Shelf) -> None:
    assert run("pseudo", "--to", "pseudo").exit_code == 0
    assert Shelf(Path("pseudo")).locales == ["ar_XB", "en_XA"]
    assert "⟦" in Path("pseudo/en_XA/LC_MESSAGES/messages.po").read_text("utf-8")
    assert shelf.locales == ["nb", "sq"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("check", "tlh"), "those that have: nb, sq"),
        (("new", "xx"), "CLDR"),
        (("new", "nb"), "has a catalog already"),
        (("coverage", "--directory", "nowhere"), "nowhere"),
        (("new",), "Missing argument"),
    ],
)
def test_wrong_usage_says_what_would_be_right(shelf: Shelf, args: tuple[str, ...], said: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize("command", ["update", "coverage"])
def test_a_file_that_cannot_be_read_is_one_line(shelf: Shelf, command: str) -> None:
    shelf.catalog("nb").write_text("what is this\n")
    result = run(command, "nb")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("locales/nb/LC_MESSAGES/messages.po:1: ")
    assert run("check", "nb").exit_code == 1
    shelf.template.write_text("what is this\n")
    assert run("check", "sq").stderr == (
        "locales/messages.pot:1: is neither a comment, nor msgid or msgstr with a string in double quotes\n"
    )
