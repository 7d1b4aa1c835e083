"""`notifier links`: what a link is and how it stands, by the store's own account; nothing comes of looking."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest
from arq.connections import ArqRedis
from typer.testing import CliRunner

from notifier import ids
from notifier.cli import app
from notifier.clock import moment
from notifier.composition import Parts
from notifier.config import Settings, load
from notifier.events import Event, Recipient
from notifier.inspection import inspect, revoke
from notifier.linkage import Urls
from notifier.notices import NOTICES
from notifier.records import Accepted
from notifier.sandbox.valkey import EmbeddedValkey
from tests.conftest import SetClock
from tests.service import key

Carried = Callable[..., Awaitable[Urls]]
DAY = 86_400_000


@pytest.fixture
def parts(settings: Settings, redis: ArqRedis, clock: SetClock) -> Parts:
    return Parts(settings, redis, clock)


@pytest.fixture
def carried(parts: Parts, clock: SetClock) -> Carried:
    """Has an alert accepted; gives the links of its message."""

    async def carried(channel: str = "email", device: str = "Firefox") -> Urls:
        acceptance = await parts.intake.accept(
            Event(
                id=device,
                source="tests",
                account="acct-1",
                notice="new_device",
                recipient=Recipient(email="anna@example.com", phone="+355691234567"),
                channels=("email", "sms"),
                context=NOTICES["new_device"].context.model_validate(
                    {"occurred_at": moment(clock.now), "ip": "192.0.2.7", "device": device}
                ),
            )
        )
        accepted = Accepted.read(parts.sealer, acceptance.event, await parts.outbox.payload(acceptance.event))
        assert accepted
        (id,) = (id for id, each in acceptance.notifications.items() if each == channel)
        return parts.linkage.urls(accepted, id, "email" if channel == "email" else "sms")

    return carried


async def test_a_link_of_a_mail(parts: Parts, carried: Carried, clock: SetClock) -> None:
    issued, url = clock.now, (await carried())["authorize_device"]
    assert url
    told = await inspect(parts, url)
    assert told
    assert (told.key, told.keys, told.notice) == (1, 1, "new_device")
    (link,) = told.links
    assert (link.purpose, link.issued, link.expires) == ("authorize_device", issued, issued + 30 * 60_000)
    assert (link.outcome, link.at) == ("open", link.expires)
    clock.forward(minutes=31)
    told = await inspect(parts, url)
    assert told
    assert told.links[0].outcome == "expired"


async def test_the_one_of_an_sms_is_whichever_applies(parts: Parts, carried: Carried) -> None:
    url = (await carried("sms"))["emergency"]
    assert url
    told = await inspect(parts, url)
    assert told
    assert [(link.purpose, link.outcome) for link in told.links] == [("deactivate", "open"), ("reactivate", "idle")]


async def test_it_may_be_the_token_alone_or_have_more_behind_it(parts: Parts, carried: Carried) -> None:
    url = (await carried())["deactivate"]
    assert url
    token = url.rpartition("/")[2]
    assert await inspect(parts, token) == await inspect(parts, f"{url}?utm_source=mail\n") == await inspect(parts, url)


async def test_looking_leaves_no_trace(parts: Parts, carried: Carried, redis: ArqRedis) -> None:
    url = (await carried())["deactivate"]
    assert url
    before = {name: await redis.dump(name) for name in await redis.keys()}
    await inspect(parts, url)
    assert {name: await redis.dump(name) for name in await redis.keys()} == before


async def test_which_key_signed_it(
    parts: Parts, carried: Carried, redis: ArqRedis, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = (await carried())["deactivate"]
    assert url
    old = base64.urlsafe_b64encode(parts.settings.link_keys[0]).decode()
    monkeypatch.setenv("NOTIFIER_LINK_KEYS", f"{old} {key()}")
    told = await inspect(Parts(load(), redis, clock), url)
    assert told
    assert (told.key, told.keys) == (2, 2)
    monkeypatch.setenv("NOTIFIER_LINK_KEYS", key())
    assert await inspect(Parts(load(), redis, clock), url) is None


async def test_one_whose_message_is_gone(parts: Parts, carried: Carried, clock: SetClock) -> None:
    issued, urls = clock.now, await carried()
    sms = (await carried("sms", "Safari"))["emergency"]
    await parts.archive.erase(ids.digest("acct-1"))
    assert sms
    assert urls["deactivate"]
    mail, text = await inspect(parts, urls["deactivate"]), await inspect(parts, sms)
    assert mail
    assert text
    assert (mail.notice, text.notice, text.links) == (None, None, [])
    (link,) = mail.links
    assert (link.purpose, link.issued, link.expires, link.outcome) == ("deactivate", issued, issued + 7 * DAY, None)


@pytest.mark.parametrize("link", ["", "x", "https://notify.example.com/l/", "d" * 74, "a" * 25, "ü" * 25])
async def test_what_is_no_link_of_this_service(parts: Parts, link: str) -> None:
    assert await inspect(parts, link) is None


async def test_what_is_revoked_stands_so(parts: Parts, carried: Carried, clock: SetClock) -> None:
    older = (await carried())["deactivate"]
    clock.forward(seconds=1)
    at = await revoke(parts, clock, "acct-1", ["deactivate"])
    clock.forward(seconds=1)
    newer = (await carried(device="Safari"))["deactivate"]
    assert older
    assert newer
    told = [await inspect(parts, url) for url in (older, newer)]
    assert [(one.links[0].outcome, one.links[0].at) for one in told if one] == [
        ("revoked", at),
        ("open", clock.now + 7 * DAY),
    ]


async def test_the_commands(
    carried: Carried, valkey: EmbeddedValkey, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_REDIS_URL", valkey.url)
    url = (await carried())["deactivate"] or ""

    async def run(*words: str, input: str = "") -> tuple[int, str]:
        command = [sys.executable, "-m", "notifier", "links", *words]
        done = await asyncio.to_thread(
            subprocess.run, command, env=dict(os.environ), capture_output=True, text=True, check=False, input=input
        )
        assert url not in done.stderr
        return done.returncode, done.stdout

    code, told = await run("inspect", "-", input=url)
    assert code == 0
    assert "deactivate: issued 20" in told
    assert "  works, until 20" in told
    code, told = await run("revoke", "--account", "acct-1", "deactivate", "reactivate", "--json")
    assert code == 0
    assert json.loads(told)["purposes"] == ["deactivate", "reactivate"]
    code, told = await run("inspect", url, "--json")
    assert code == 0
    assert json.loads(told)["links"][0]["outcome"] == "revoked"
    assert await run("inspect", url.replace("/l/", "/l/x")) == (1, "")


def test_a_purpose_that_there_is_not() -> None:
    refused = CliRunner().invoke(app, ["links", "revoke", "--account", "acct-1", "everything"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "deactivate" in refused.stderr
