"""What the doctor finds in the settings themselves: keys and catalogs."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from notifier.assets import assets
from notifier.config import Settings
from notifier.doctor import catalogs, keys
from notifier.setting_types import ApiKey, Keys
from tests.doctor.conftest import Alter, only

MINE, OTHER = secrets.token_bytes(32), secrets.token_bytes(32)


async def test_keys_that_were_made_at_random_are_well(settings: Settings, alter: Alter) -> None:
    found = await keys.check(alter(api_keys=()))
    assert [finding.level for finding in found] == ["ok"] * 4
    for key in (*settings.link_keys, *settings.code_keys):
        assert key.hex() not in str(found)


@pytest.mark.parametrize(
    ("changed", "level", "told"),
    [
        ({"link_keys": Keys([bytes(32)])}, "fail", "NOTIFIER_LINK_KEYS: one was not made at random"),
        ({"code_keys": Keys([b"a passphrase of 32 characters !!"])}, "fail", "NOTIFIER_CODE_KEYS: one was not made"),
        ({"platform_secrets": Keys([bytes(range(4)) * 6])}, "fail", "NOTIFIER_PLATFORM_SECRETS: one was not made"),
        ({"payload_keys": Keys([MINE, OTHER, MINE])}, "warn", "NOTIFIER_PAYLOAD_KEYS: one stands twice"),
        ({"payload_keys": Keys(secrets.token_bytes(32) for _ in range(4))}, "warn", "NOTIFIER_PAYLOAD_KEYS: has 4"),
        (
            {
                "api_keys": (
                    ApiKey("shop", "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", frozenset()),
                )
            },
            "fail",
            "the API key of shop can be guessed",
        ),
    ],
)
async def test_what_is_wrong_with_keys_is_told(changed: dict[str, Any], level: str, told: str, alter: Alter) -> None:
    assert only(await keys.check(alter(**({"api_keys": ()} | changed))), level).what.startswith(told)


async def test_a_key_of_two_lists_is_told_for_both(alter: Alter) -> None:
    found = await keys.check(alter(link_keys=Keys([MINE]), code_keys=Keys([OTHER, MINE]), api_keys=()))
    assert [finding.level for finding in found] == ["fail", "fail", "ok", "ok"]


async def test_the_catalogs_that_ship_can_be_read(settings: Settings) -> None:
    found = await catalogs.check(settings)
    assert {finding.level for finding in found} <= {"ok", "warn"}
    assert len(found) == len(list(assets("locales").glob("*/LC_MESSAGES/messages.po"))) - 1


HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
POT = HEAD + 'msgid "One"\nmsgstr ""\n\nmsgid "Two"\nmsgstr ""\n'


@pytest.mark.parametrize(
    ("po", "level", "told"),
    [
        (HEAD + 'msgid "One"\nmsgstr "Një"\n\nmsgid "Two"\nmsgstr "Dy"\n', "ok", "sq is complete: 2 strings"),
        (HEAD + 'msgid "One"\nmsgstr "Një"\n\nmsgid "Two"\nmsgstr ""\n', "warn", "sq: 1 of 2 strings"),
        (HEAD + '#, fuzzy\nmsgid "One"\nmsgstr "Një"\n', "warn", "sq: 2 of 2 strings"),
        (HEAD + 'msgid "One"\nmsgstr "Një %(x)s"\n', "fail", "sq is not served: line 4: "),
        (HEAD + "<<<<<<< ours\n", "fail", "sq is not served: line 4: "),
    ],
)
def test_a_catalog(po: str, level: str, told: str, tmp_path: Path) -> None:
    place = tmp_path / "sq" / "LC_MESSAGES"
    place.mkdir(parents=True)
    (place / "messages.po").write_text(po, "utf-8")
    (tmp_path / "messages.pot").write_text(POT, "utf-8")
    (found,) = catalogs.examined(tmp_path, "en")
    assert (found.level, found.what.startswith(told)) == (level, True), found
    (found,) = catalogs.examined(tmp_path, "xx")
    assert found.level == "fail"


def test_a_folder_that_is_no_locale_is_told(tmp_path: Path) -> None:
    place = tmp_path / "sq_XX_nowhere" / "LC_MESSAGES"
    place.mkdir(parents=True)
    (place / "messages.po").write_text(HEAD, "utf-8")
    (tmp_path / "messages.pot").write_text(POT, "utf-8")
    (found,) = catalogs.examined(tmp_path, "en")
    assert found.level == "fail"
    assert "CLDR knows no locale of this name" in found.what
