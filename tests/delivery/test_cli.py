"""The operator's commands about dead letters, run as an operator does."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

from notifier.clock import system_clock
from notifier.composition import Parts
from notifier.delivery import Delivery
from notifier.notices import Lane
from notifier.sandbox.valkey import EmbeddedValkey
from notifier.transports.base import Permanent
from tests.conftest import SetClock
from tests.delivery.conftest import Mails, Post, deliver, told

Notifier = Callable[..., Awaitable["subprocess.CompletedProcess[str]"]]


@pytest.fixture
def notifier(valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch, parts: Parts) -> Notifier:
    """Runs the command on the test's store."""
    monkeypatch.setenv("NOTIFIER_REDIS_URL", valkey.url)

    async def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "notifier", *arguments]
        return await asyncio.to_thread(
            subprocess.run, command, env=dict(os.environ), capture_output=True, text=True, check=False
        )

    return run


async def test_dead_letters_are_listed_and_replayed(
    notifier: Notifier, parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    given_up = [await post() for _ in range(3)]
    mails.failures += [Permanent("smtp_550")] * 3
    await deliver(delivery, Lane.ALERT)

    listed = await notifier("dead-letters", "list", "--json")
    letters = [json.loads(line) for line in listed.stdout.splitlines()]
    assert sorted(letter["id"] for letter in letters) == sorted(given_up)
    assert {letter["reason"] for letter in letters} == {"smtp_550"}
    assert "arta" not in listed.stdout + listed.stderr

    one = await notifier("dead-letters", "replay", given_up[0])
    assert (one.returncode, one.stdout) == (0, f"{given_up[0]}  on its way again\n")
    again = await notifier("dead-letters", "replay", given_up[0])
    assert (again.returncode, again.stdout) == (1, f"{given_up[0]}  no dead letter is kept under this id\n")
    rest = await notifier("dead-letters", "replay", "--all")
    assert (rest.returncode, len(rest.stdout.splitlines())) == (0, 2)
    none = await notifier("dead-letters", "list")
    assert (none.returncode, none.stdout, none.stderr) == (0, "", "nothing was given up\n")

    clock.now = system_clock()  # as the commands have it
    await deliver(delivery, Lane.ALERT)
    assert [(await told(parts, id))[0] for id in given_up] == ["sent"] * 3


async def test_a_store_that_is_away_is_not_taken_for_one_without_dead_letters(
    notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_REDIS_URL", "redis://127.0.0.1:1")
    away = await notifier("dead-letters", "list")
    assert (away.returncode, away.stdout) == (75, "")
    assert json.loads(away.stderr)["event"] == "store_failed"


async def test_what_is_no_kind(notifier: Notifier) -> None:
    refused = await notifier("dead-letters", "list", "--kind", "mail")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "'notification', 'action'" in refused.stderr


async def test_nothing_is_replayed_by_an_oversight(notifier: Notifier) -> None:
    refused = await notifier("dead-letters", "replay")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "say which, or --all" in refused.stderr
