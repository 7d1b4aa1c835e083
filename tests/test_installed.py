"""The service as it runs for real: installed as the README says, into an environment that has nothing else in it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from notifier.composition import open_store
from notifier.config import Settings, SettingsError
from tests.people import Owner, link, mailed
from tests.service import PROGRAM, environment, running, until

# That environment's `notifier`, which .ci/run makes.
INSTALLED = os.environ.get("NOTIFIER_INSTALLED", "")

installed = pytest.mark.skipif(not INSTALLED, reason="NOTIFIER_INSTALLED names no installed notifier")


def asked(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    command: Sequence[str] = (INSTALLED, *arguments)
    return subprocess.run(command, env=environment(**changed), capture_output=True, timeout=60, text=True, check=False)


@installed
async def test_a_mail_comes_in_the_owners_language_and_its_link_acts(tmp_path: Path) -> None:
    owner = Owner(1, "sq")
    async with running(tmp_path, program=(INSTALLED,)) as service:
        mail = await mailed(service, owner, owner.event("new_device"))
        assert mail["Content-Language"] == "sq"
        assert 'lang="sq"' in (await service.browser.get(link(mail, "d"))).text
        assert (await service.browser.post(link(mail, "d"))).status_code in (200, 202)
        await until(lambda: service.actions(owner.account))


@installed
def test_every_locale_has_come_along() -> None:
    told = asked("catalogs", "coverage", "--json")
    assert told.returncode == 0, told.stderr
    here = subprocess.run([*PROGRAM, "catalogs", "coverage", "--json"], capture_output=True, text=True, check=True)
    assert told.stdout == here.stdout


@installed
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_without_a_store_it_says_what_to_set(tmp_path: Path, command: str) -> None:
    told = asked(command, NOTIFIER_DATA_DIR=str(tmp_path))
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("NOTIFIER_REDIS_URL: is not set, for example")
    assert told.stderr.count("\n") == 1


@installed
def test_without_its_stand_ins_the_demo_says_what_to_install(tmp_path: Path) -> None:
    told = asked("demo", NOTIFIER_DATA_DIR=str(tmp_path))
    assert (told.returncode, told.stdout) == (1, "")
    assert "notifier[sandbox]" in told.stderr
    assert told.stderr.count("\n") == 1


def test_without_the_embedded_server_a_store_must_be_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "notifier.sandbox.valkey", None)
    with pytest.raises(SettingsError, match="NOTIFIER_REDIS_URL"):
        open_store(settings, patient=False)
