"""`notifier send` and `notifier preview` on the served API."""

import json
from pathlib import Path

import pytest

from notifier import examples
from notifier.notices import NOTICES
from tests.commands.conftest import Run
from tests.service import API_KEY

OPTIONS = ("--notice", "login_succeeded", "--account", "acct-1", "--email", "arta@example.com", "--locale", "sq")
FACTS = ("--set", "ip=203.0.113.24", "--set", "device=Chrome on Windows")


@pytest.mark.parametrize("notice", NOTICES)
def test_an_example_can_be_sent_as_it_is(notifier: Run, notice: str) -> None:
    example = notifier("send", "--example", notice)
    assert example.exit_code == 0
    assert json.loads(example.stdout) | {"id": ""} == examples.event(notice) | {"id": ""}
    sent = notifier("send", "-", "--json", input=example.stdout)
    assert sent.exit_code == 0, sent.stderr
    assert notifier("send", "-", "--json", input=example.stdout).stdout == sent.stdout


def test_from_options(notifier: Run) -> None:
    sent = notifier("send", *OPTIONS, *FACTS, "--reference", "r-1", "--id", "from-options")
    assert sent.exit_code == 0, sent.stderr
    event, mail = (line.split() for line in sent.stdout.splitlines())
    assert event[0] == "event"
    assert (mail[0], mail[2]) == ("email", "accepted")


def test_from_a_file_with_a_key_from_a_file(notifier: Run, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{API_KEY}\n")
    (tmp_path / "event.json").write_text(json.dumps(examples.event("new_device") | {"id": "from-a-file"}))
    sent = notifier("send", str(tmp_path / "event.json"), NOTIFIER_KEY=None, NOTIFIER_KEY_FILE=str(tmp_path / "key"))
    assert sent.exit_code == 0, sent.stderr
    assert "code   " in sent.stdout


def test_what_is_refused_is_told_by_field(notifier: Run) -> None:
    refused = notifier("send", *OPTIONS, "--set", "ip=here", "--set", "device=Chrome")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "  /data/context/ip: must be an IPv4 or IPv6 address" in refused.stderr
    assert "/problems/invalid" in refused.stderr


@pytest.mark.parametrize(
    ("words", "environment", "told"),
    [
        pytest.param([], {}, "--notice and --account", id="nothing"),
        pytest.param([*OPTIONS, "--set", "ip"], {}, "name=value", id="no fact"),
        pytest.param(["--notice", "unheard_of", "--account", "a"], {}, "no such notice", id="no notice"),
        pytest.param(["--example", "unheard_of"], {}, "no such notice", id="no example"),
        pytest.param(["missing.json"], {}, "No such file", id="no file"),
        pytest.param(["-"], {}, "must be JSON", id="no JSON"),
        pytest.param([*OPTIONS], {"NOTIFIER_KEY": None}, "NOTIFIER_KEY", id="no key"),
        pytest.param([*OPTIONS, "--key-file", "missing"], {}, "cannot be read", id="no key file"),
    ],
)
@pytest.mark.parametrize("command", ["send", "preview"])
def test_a_command_line_that_is_wrong(
    notifier: Run, command: str, words: list[str], environment: dict[str, str | None], told: str
) -> None:
    refused = notifier(command, *words, input="{", **environment)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert told in " ".join(refused.stderr.replace("│", "").split())


def test_a_key_that_is_not_known(notifier: Run) -> None:
    refused = notifier("send", *OPTIONS, *FACTS, NOTIFIER_KEY="another")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "401" in refused.stderr


def test_a_refusal_as_json(notifier: Run) -> None:
    refused = notifier("send", *OPTIONS, "--set", "ip=nowhere", "--json")
    assert (refused.exit_code, refused.stdout) == (1, "")
    told = json.loads(refused.stderr)
    assert (told["status"], told["type"].rpartition("/")[2]) == (422, "invalid")
    assert "/data/context/ip" in [error["pointer"] for error in told["errors"]]
    unreached = notifier("send", *OPTIONS, *FACTS, "--json", NOTIFIER_URL="not a url")
    assert set(json.loads(unreached.stderr)) == {"detail"}


def test_a_preview_of_what_has_no_links(notifier: Run) -> None:
    shown = notifier("preview", "-", input=notifier("preview", "--example", "identity_verification_result").stdout)
    assert shown.exit_code == 0, shown.stderr
    assert "Links" not in shown.stdout


def test_a_preview_shows_each_message(notifier: Run, tmp_path: Path) -> None:
    shown = notifier("preview", *OPTIONS, *FACTS, "--phone", "+355691234567", "--html", str(tmp_path / "mail.html"))
    assert shown.exit_code == 0, shown.stderr
    assert "[Northbank] Identifikimi i suksesshëm" in shown.stdout
    assert "billed as" in shown.stdout
    assert "deactivate  until" in shown.stdout
    assert "<html" in (tmp_path / "mail.html").read_text("utf-8")


def test_a_preview_as_json(notifier: Run) -> None:
    shown = json.loads(notifier("preview", *OPTIONS, *FACTS, "--channel", "email", "--json").stdout)
    assert shown["email"]["locale"]["chosen"] == "sq"
    assert shown["sms"] is None
