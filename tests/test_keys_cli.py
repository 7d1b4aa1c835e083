"""`notifier keys`, run as an operator does, on the store of an API that goes on running."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable

import httpx
import pytest
from arq.connections import ArqRedis
from typer.testing import CliRunner

from notifier.app import create_app
from notifier.cli import app
from notifier.config import Settings
from notifier.sandbox.valkey import EmbeddedValkey

Notifier = Callable[..., Awaitable["subprocess.CompletedProcess[str]"]]


@pytest.fixture
def notifier(valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Notifier:
    monkeypatch.setenv("NOTIFIER_REDIS_URL", valkey.url)

    async def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "notifier", "keys", *arguments]
        return await asyncio.to_thread(
            subprocess.run, command, env=dict(os.environ), capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
async def get(settings: Settings, redis: ArqRedis) -> Callable[[str], Awaitable[int]]:
    """What an API that runs all the while answers to a key that asks for queues, which needs `admin`."""
    web = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(settings, redis)), base_url="http://api")

    async def status(key: str) -> int:
        return (await web.get("/v1/queues", headers={"authorization": f"Bearer {key}"})).status_code

    return status


async def test_a_key_is_made_rotated_and_revoked(notifier: Notifier, get: Callable[[str], Awaitable[int]]) -> None:
    made = await notifier("new", "shop", "--scope", "admin,events:write", "--limit", "api_key=60/minute")
    assert made.returncode == 0, made.stderr
    first = made.stdout.strip()
    assert re.fullmatch(r"nk_[a-z2-7]{8}_[a-z2-7]{52}", first)
    assert await get(first) == 200

    rotated = await notifier("rotate", "shop", "--expire-old", "24h", "--json")
    second = json.loads(rotated.stdout)
    assert (second["scopes"], second["limits"]) == (["admin", "events:write"], {"api_key": "60/minute"})
    assert [await get(key) for key in (first, second["key"])] == [200, 200]
    third = await notifier("rotate", "shop")
    assert (third.returncode, third.stdout) == (1, "")
    assert "revoke one first" in third.stderr

    listed, told = await asyncio.gather(notifier("list", "--json"), notifier("list"))
    setting, *stored = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (setting["producer"], setting["id"]) == ("tests", None)
    assert [key["prefix"] for key in stored] == [first[:11], second["prefix"]]
    assert [bool(key["expires_at"]) for key in stored] == [True, False]
    assert all(key["last_used_at"] for key in stored)
    for text in (listed.stdout, told.stdout):
        assert first[:11] in text
        assert first[12:] not in text
        assert second["key"] not in text

    # The whole key may be what somebody has at hand; it is not shown again.
    revoked = await notifier("revoke", first, "nk_aaaaaaaa_" + "b" * 52)
    assert revoked.returncode == 1
    assert revoked.stdout == f"{first[:11]}  shop  revoked\naaaaaaaa  no key is kept under this id\n"
    again = await notifier("revoke", first[3:11], "--json")
    assert json.loads(again.stdout) == {
        "id": first[3:11],
        "producer": None,
        "problem": "no key is kept under this id",
    }
    await asyncio.sleep(2)
    assert [await get(key) for key in (first, second["key"])] == [401, 200]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["new", "shop", "--scope", "everything"], "--scope"),
        (["new", "shop", "--notice", "nothing"], "--notice"),
        (["new", "shop", "--limit", "visitor=1/minute"], "code_producer"),
        (["new", "shop", "--limit", "api_key"], "--limit"),
        (["new", "my shop"], "PRODUCER"),
        (["new", "shop", "--expires", "soon"], "24h"),
    ],
)
def test_what_cannot_be_asked_for(arguments: list[str], says: str) -> None:
    refused = CliRunner().invoke(app, ["keys", *arguments])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert says in refused.stderr


async def test_a_key_that_signs_shows_its_secret_once(notifier: Notifier, redis: ArqRedis) -> None:
    made = await notifier("new", "shop", "--signed", "--notice", "new_device")
    key, secret = made.stdout.split()
    assert secret.startswith("whsec_")
    listed = json.loads((await notifier("list", "--json")).stdout.splitlines()[-1])
    assert (listed["signed"], listed["notices"], "admin" in listed["scopes"]) == (True, ["new_device"], False)
    assert secret not in json.dumps(listed)
    assert key not in json.dumps(listed)


@pytest.mark.usefixtures("settings")
def test_a_secret_is_one_that_the_settings_take(monkeypatch: pytest.MonkeyPatch) -> None:
    key, again, webhook = (CliRunner().invoke(app, ["keys", "secret", *more]) for more in ([], [], ["--webhook"]))
    assert key.stdout != again.stdout
    monkeypatch.setenv("NOTIFIER_LINK_KEYS", key.stdout.strip())
    monkeypatch.setenv("NOTIFIER_PLATFORM_SECRETS", webhook.stdout.strip())
    settings = Settings()
    assert (len(settings.link_keys), len(settings.platform_secrets)) == (1, 1)


async def test_a_store_that_is_away_makes_no_key(notifier: Notifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_REDIS_URL", "redis://127.0.0.1:1")
    assert (await notifier("new", "shop")).returncode == 75
