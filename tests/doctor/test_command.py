"""`notifier doctor` as an operator runs it."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from notifier.config import Settings
from notifier.sandbox.valkey import EmbeddedValkey


async def run(*arguments: str, **changed: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "notifier", "doctor", *arguments]
    return await asyncio.to_thread(
        subprocess.run, command, env=os.environ | changed, capture_output=True, text=True, check=False
    )


async def test_every_part_is_looked_at_and_a_failure_is_told_by_the_exit_code(
    settings: Settings, valkey: EmbeddedValkey
) -> None:
    shown, listed = await asyncio.gather(
        run(NOTIFIER_REDIS_URL=valkey.url), run("--json", NOTIFIER_REDIS_URL=valkey.url)
    )
    assert (shown.returncode, listed.returncode) == (1, 1)
    told = json.loads(listed.stdout)
    assert told["ok"] is False
    parts = {finding["about"] for finding in told["findings"]}
    assert parts >= {"settings", "store", "keys", "catalogs", "mail", "SMS", "platform", "public URL", "sender"}
    assert "127.0.0.1:1 nobody listens there" in shown.stdout
    for finding in told["findings"]:
        assert finding["level"] in ("ok", "warn", "fail")
        assert finding["mend"] or finding["level"] == "ok"
    for secret in ("twilio-token", os.environ["NOTIFIER_LINK_KEYS"], os.environ["NOTIFIER_PLATFORM_SECRETS"]):
        assert secret not in shown.stdout + listed.stdout


@pytest.mark.usefixtures("settings")
async def test_each_wrong_setting_is_told() -> None:
    listed = await run("--json", NOTIFIER_LINK_KEYS="short", NOTIFIER_SMTP_URLS="smtp://relay.example?tls=none")
    assert listed.returncode == 1
    findings = json.loads(listed.stdout)["findings"]
    failed = [finding["what"].partition(":")[0] for finding in findings if finding["level"] == "fail"]
    assert failed == ["NOTIFIER_LINK_KEYS"]
    assert "short" not in listed.stdout
