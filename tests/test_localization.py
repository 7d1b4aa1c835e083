"""docs/localization.md is walked: a new language, from nothing to its preview, by the commands that stand there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from notifier.assets import assets
from notifier.catalogs.files import Shelf, key, messages, read, strings, written
from notifier.catalogs.findings import RULES, UNSERVABLE
from notifier.cli import app

GUIDE = (assets("locales").parent / "docs" / "localization.md").read_text("utf-8")
SHIPPED = Shelf(assets("locales"))


def commands(heading: str) -> list[list[str]]:
    """Those of the first block below a heading, without what is said of them."""
    block = re.search(rf"^## {heading}\n.*?^```sh\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert block
    return [line.partition("#")[0].split() for line in block[1].splitlines()]


def run(command: list[str], env: Mapping[str, str], cwd: Path) -> str:
    """What it prints; it must succeed."""
    assert command[0] == "notifier"
    done = subprocess.run(
        [sys.executable, "-m", *command], env=env, cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def running(command: list[str], env: Mapping[str, str], cwd: Path) -> Iterator[str]:
    """The address that a command prints while it goes on."""
    arguments = [sys.executable, "-m", *command, "--port", "0"]
    with subprocess.Popen(arguments, env=env, cwd=cwd, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def translate(shelf: Shelf, locale: str, like: str) -> None:
    """Fill an empty catalog with the words of a shipped one."""
    known = {key(message): message.string for message in messages(read(SHIPPED.catalog(like), like))}
    catalog = read(shelf.catalog(locale), locale)
    for message in messages(catalog):
        assert not any(strings(message))
        message.string = known[key(message)]
    shelf.catalog(locale).write_bytes(written(catalog))


def test_a_new_language_in_five_commands(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED.directory, tmp_path / "locales")
    shelf = Shelf(tmp_path / "locales")
    env = {**os.environ, "NOTIFIER_LOCALES": str(shelf.directory)}
    new, preview, coverage, check, compile_ = commands("A new language in five commands")

    run(new, env, tmp_path)
    assert "is" in shelf.locales
    with running(preview, env, tmp_path) as address:
        assert "Íslenska" in httpx.get(address, timeout=30).text
        translate(shelf, "is", "nb")
        page = httpx.get(f"{address}/is/login_succeeded/html", timeout=30, follow_redirects=True)
        assert "Deaktiver kontoen min" in page.text
    assert "100" in run(coverage, env, tmp_path)
    run(check, env, tmp_path)
    run(compile_, env, tmp_path)
    assert list(tmp_path.rglob("is/LC_MESSAGES/messages.mo"))
    # Beside the new one, nothing has changed.
    for locale in SHIPPED.locales:
        assert shelf.catalog(locale).read_bytes() == SHIPPED.catalog(locale).read_bytes()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"notifier catalogs (\w+)", GUIDE))))
def test_every_command_that_is_named_is_there(command: str) -> None:
    assert CliRunner().invoke(app, ["catalogs", command, "--help"]).exit_code == 0


def test_what_is_said_of_the_rules_is_so() -> None:
    said = re.search(r"cannot be allowed: (.*?)\.", GUIDE, re.DOTALL)
    assert said
    assert set(re.findall(r"`([\w-]+)`", said[1])) == UNSERVABLE
    table = GUIDE.split("| rule | objects to |", 1)[1].split("\n\n", 1)[0]
    cells = " ".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE))
    assert sorted(re.findall(r"`([\w-]+)`", cells)) == sorted(RULES)
