"""What the doctor finds at the service's edges, each a real one: relays, SMS accounts, platform, public URL, store."""

from typing import Any

import pytest
import trustme
from arq.connections import ArqRedis
from pydantic import SecretStr
from starlette.applications import Starlette

from notifier.bells import HEARD
from notifier.clock import system_clock
from notifier.config import Settings
from notifier.doctor import mail, sms, store, web
from notifier.sandbox.phone import Phone
from notifier.sandbox.serving import serving
from notifier.sandbox.valkey import EmbeddedValkey
from notifier.setting_types import SmtpRelay
from tests.conftest import SetClock
from tests.doctor.conftest import Alter, levels, only
from tests.ports import HOST, reserved
from tests.transports.conftest import Start, Tls


@pytest.mark.parametrize(("tls", "login"), [("tls", False), ("starttls", True)])
async def test_a_relay_that_takes_us_is_well(tls: Tls, login: bool, start: Start, alter: Alter, trusted: None) -> None:
    relays = [await start(tls, login=login, utf8=True) for _ in range(2)]
    settings = alter(smtp_urls=tuple(relay.at(tls, login=login) for relay in relays))
    found = await mail.check(settings, system_clock)
    assert [finding.level for finding in found] == ["ok", "ok"]
    assert ("lets us in" in found[0].what, "certificate good for" in found[0].what) == (login, True)
    assert [relay.senders for relay in relays] == [[], []]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"expired": True}, "its certificate is not trusted: certificate has expired"),
        ({"name": "other.example"}, "its certificate is not trusted: IP address mismatch"),
        ({"login": True}, "refuses this user or password"),
    ],
)
async def test_what_is_wrong_with_a_relay_is_told(
    how: dict[str, Any], told: str, start: Start, alter: Alter, trusted: None
) -> None:
    relay = await start("starttls", **how)
    at = relay.at("starttls", login=True)
    found = await mail.check(alter(smtp_urls=(at._replace(password="wrong"),)), system_clock)
    failed = only(found, "fail")
    assert told in failed.what
    assert "NOTIFIER_SMTP_URLS" in failed.mend
    assert "wrong" not in str(found)


async def test_a_relay_that_this_machine_does_not_trust(start: Start, alter: Alter) -> None:
    relay = await start("tls")
    found = await mail.check(alter(smtp_urls=(relay.at("tls"),)), system_clock)
    assert "its certificate is not trusted" in only(found, "fail").what


async def test_a_relay_without_tls_and_one_that_is_not_there(start: Start, alter: Alter) -> None:
    plain = await start()
    with reserved() as nobody:
        found = await mail.check(
            alter(smtp_urls=(plain.at("starttls"), SmtpRelay(HOST, nobody, "none", None, None))), system_clock
        )
    assert levels(found) == [
        ("fail", f"{HOST}:{plain.port} does not offer the TLS or the login that is asked for"),
        ("fail", f"{HOST}:{nobody} nobody listens there"),
    ]


async def test_a_certificate_that_ends_soon_is_a_warning(
    start: Start, alter: Alter, trusted: None, clock: SetClock
) -> None:
    relay = await start("tls", utf8=True)
    settings = alter(smtp_urls=(relay.at("tls"),) * 2)
    (first, _) = await mail.check(settings, clock)
    days = int(first.what.rpartition("for ")[2].split()[0])
    clock.forward(days=days - 13)
    (first, _) = await mail.check(settings, clock)
    assert (first.level, first.mend) == ("warn", "renew the certificate")


@pytest.mark.parametrize(
    ("token", "status", "level", "told"),
    [
        ("twilio-token", "active", "ok", "twilio: the account is active"),
        ("twilio-token", "suspended", "fail", "twilio: the account is suspended"),
        ("another", "active", "fail", "twilio: Twilio refuses this account or token"),
    ],
)
async def test_an_sms_account(token: str, status: str, level: str, told: str, alter: Alter, settings: Settings) -> None:
    phone = Phone(settings.twilio_account_sid or "", "twilio-token")
    phone.status = status
    async with serving(phone.app, HOST, 0, "") as port:
        altered = alter(twilio_auth_token=SecretStr(token), twilio_base_url=f"http://{HOST}:{port}")
        assert levels(await sms.check(altered)) == [(level, told)]
    assert phone.messages == []


async def test_no_sms_account_and_one_that_is_not_reached(alter: Alter) -> None:
    (none,) = await sms.check(alter(twilio_account_sid=None))
    assert none.level == "warn"
    with reserved() as nobody:
        (away,) = await sms.check(alter(twilio_base_url=f"http://{HOST}:{nobody}"))
    assert (away.level, away.what) == ("fail", "twilio: no answer (twilio_unreachable)")


async def test_the_platform_is_greeted_and_told_nothing(
    start: Start, alter: Alter, authority: trustme.CA, trusted: None
) -> None:
    server = await start("tls")
    found = await web.check_platform(alter(platform_url=f"https://{HOST}:{server.port}/webhooks"), system_clock)
    assert found[0].level == "ok"
    assert "certificate good for" in found[0].what
    other = await start("tls", name="other.example")
    (failed,) = await web.check_platform(alter(platform_url=f"https://{HOST}:{other.port}/"), system_clock)
    assert "its certificate is not trusted" in failed.what
    assert server.commands == []


async def test_a_public_url_that_is_not_reached_from_here_is_a_warning(alter: Alter) -> None:
    with reserved() as nobody:
        (found,) = await web.check_public(alter(public_url=f"http://{HOST}:{nobody}"), system_clock)
    assert (found.level, found.what) == ("warn", f"{HOST}:{nobody} cannot be reached: ConnectionRefusedError")
    async with serving(Starlette(), HOST, 0, "") as port:
        (found,) = await web.check_public(alter(public_url=f"http://{HOST}:{port}"), system_clock)
        assert (found.level, found.what) == ("ok", f"{HOST}:{port} answers")


async def test_a_store_is_well_and_a_worker_is_missed(alter: Alter, valkey: EmbeddedValkey, redis: ArqRedis) -> None:
    settings = alter(redis_url=SecretStr(valkey.url))
    found = await store.check(settings, system_clock)
    assert [finding.level for finding in found] == ["ok", "ok", "warn"]
    assert found[0].what.startswith("Valkey ")
    assert found[2].what == "no worker is heard of: start one with `notifier worker`"
    await redis.set(HEARD, "")
    assert [finding.level for finding in await store.check(settings, system_clock)] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("setting", "wrong", "right", "level", "told"),
    [
        ("maxmemory-policy", "allkeys-lru", "noeviction", "fail", "redis may evict records"),
        ("appendonly", "no", "yes", "fail", "redis writes no append-only file"),
        ("maxmemory", "used", "0", "warn", "MB of"),
    ],
)
async def test_a_store_that_will_lose_something(
    setting: str, wrong: str, right: str, level: str, told: str, alter: Alter, valkey: EmbeddedValkey, redis: ArqRedis
) -> None:
    await redis.set(HEARD, "")
    if wrong == "used":
        wrong = str((await redis.info())["used_memory"] * 11 // 10)
    await redis.config_set(setting, wrong)
    try:
        found = await store.check(alter(redis_url=SecretStr(valkey.url)), system_clock)
    finally:
        await redis.config_set(setting, right)
    assert told in only(found, level).what


async def test_a_store_that_is_away(alter: Alter) -> None:
    with reserved() as nobody:
        (found,) = await store.check(alter(redis_url=SecretStr(f"redis://{HOST}:{nobody}")), system_clock)
    assert (found.level, found.what) == ("fail", "redis does not answer")
    (tried,) = await store.check(alter(redis_url=None), system_clock)
    assert (tried.level, tried.mend) == ("warn", "set NOTIFIER_REDIS_URL")
