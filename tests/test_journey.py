"""The whole way on the real service: an event in, its mail in a mailbox, its link clicked, its action at the platform,
and back again; for every alert in every language, and with the worker killed in the middle.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from tests.people import ALERTS, Owner, body, link, post, short_link
from tests.service import Service, running, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

# As producers write them, and what is served.
LOCALES = {"en": "en", "sq-AL": "sq", "no_NO": "nb", "ru": "ru", "sv-SE": "sv"}
SUBJECTS = {
    "password_reset": {"en": "Password reset", "sq": "Rivendosja e fjalëkalimit"},
    "login_succeeded": {"en": "Successful sign-in", "sq": "Identifikimi i suksesshëm"},
    "ip_verification": {"en": "IP verification", "sq": "Verifikimi i IP-së"},
    "new_device": {"en": "Authorize the new device", "sq": "Autorizoni pajisjen e re"},
    "sms_authenticator_reset": {"en": "Reset SMS Authenticator", "sq": "Rivendos Authenticatorin e SMS-ve"},
    "google_authenticator_reset": {"en": "Reset Google Authenticator", "sq": "Rivendos Google Authenticator"},
    "withdrawal_confirmation": {
        "en": "Confirm your withdrawal request",
        "sq": "Konfirmoni kërkesën tuaj për tërheqje",
    },
}
DELAY_S = 8
WALKS = [(notice, tag) for notice in ALERTS for tag in LOCALES]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with running(tmp_path_factory.mktemp("journey"), NOTIFIER_REACTIVATION_DELAY=str(DELAY_S)) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def walks(service: Service) -> dict[tuple[str, str], BaseException | None]:
    """Every walk, side by side, since each waits for the reactivation delay; what went wrong in which."""
    going = (walk(service, Owner(number, tag), notice) for number, (notice, tag) in enumerate(WALKS))
    ended = await asyncio.gather(*going, return_exceptions=True)
    return dict(zip(WALKS, ended, strict=True))


@pytest.mark.parametrize(("notice", "tag"), WALKS)
async def test_there_and_back(walks: dict[tuple[str, str], BaseException | None], notice: str, tag: str) -> None:
    went_wrong = walks[notice, tag]
    if went_wrong:
        raise went_wrong
    assert (notice, tag) in walks


async def walk(service: Service, owner: Owner, notice: str) -> None:
    locale = LOCALES[owner.tag]

    # In: accepted once.
    event = owner.event(notice)
    answer = await post(service, event)
    assert await post(service, event) == answer
    email, sms = (notification["id"] for notification in answer["notifications"])

    # The mail, in the owner's language.
    mail = await until(lambda: next(iter(service.mails(owner.email, email)), None))
    check_mail(mail, owner, notice, locale)
    text, html = body(mail, "plain"), body(mail, "html")
    deactivate, reactivate = link(mail, "d"), link(mail, "r")
    assert deactivate
    assert reactivate
    assert deactivate in html
    assert reactivate in html

    # The SMS, with one short link, and with a code on its last line where the notice has one.
    message = await until(lambda: next(iter(service.texts(owner.phone)), None))
    short = short_link(message)
    assert len(urlsplit(short).path) <= 30
    if answer["code_id"]:
        await check_code(service, answer["code_id"], message, text)

    # Looking changes nothing, however often.
    first = await service.browser.get(deactivate)
    for _ in range(2):
        assert (await service.browser.head(deactivate)).status_code == 200
        again = await service.browser.get(deactivate)
        assert (again.status_code, again.text) == (200, first.text)
    check_page(first, locale)
    assert "<form" in first.text
    assert (await service.browser.get(short)).status_code == 200
    assert (await service.browser.post(reactivate)).status_code == 409  # nothing to reactivate
    assert service.actions(owner.account) == []

    # One press, one action, signed. Not before the worker has noted the relay's answer, which may come after the mail.
    await until(lambda: _sent(service, email))
    done = await service.browser.post(deactivate)
    assert done.status_code in (200, 202)
    check_page(done, locale)
    action = (await until(lambda: service.actions(owner.account)))[0]
    assert action["type"] == "account.deactivation_confirmed"
    data = action["data"]
    assert (data["account_id"], data["event_id"]) == (owner.account, answer["event_id"])
    assert (data["notice"], data["reference"], data["locale"]) == (notice, f"ref-{owner.number}", locale)

    # Every copy says so; no second action.
    told = await until(lambda: another(service, owner, mail, "r"))
    assert (await service.browser.get(deactivate)).status_code == 200
    assert (await service.browser.post(deactivate)).status_code == 409
    assert len(service.actions(owner.account)) == 1
    assert body(told, "html").count(f'lang="{locale}"') >= 1

    # The way back: too early, and then not.
    early = await service.browser.post(reactivate)
    assert early.status_code == 409
    assert "<form" not in early.text
    assert len(service.actions(owner.account)) == 1
    again = await until(lambda: _open(service, reactivate), DELAY_S + 20)
    check_page(again, locale)
    assert (await service.browser.post(reactivate)).status_code in (200, 202)
    actions = await until(lambda: a if len(a := service.actions(owner.account)) > 1 else None)
    assert [action["type"] for action in actions] == [
        "account.deactivation_confirmed",
        "account.reactivation_confirmed",
    ]
    assert service.platform.accounts[owner.account].state == "active"

    # Active again: the old links are retired, the new mail brings a fresh one.
    back = await until(lambda: another(service, owner, mail, "d"))
    assert (await service.browser.get(link(back, "d"))).status_code == 200
    assert (await service.browser.get(short)).status_code == 410
    assert len(service.actions(owner.account)) == 2

    # And all of it on the timeline.
    shown = (await service.api.get(f"/v1/notifications/{email}")).json()
    assert (shown["status"], shown["locale"]) == ("sent", locale)
    happened = [entry["what"] for entry in shown["timeline"]]
    assert happened == ["accepted", "rendered", "sent", "clicked", "forwarded", "clicked", "forwarded"]
    assert (await service.api.get(f"/v1/notifications/{sms}")).json()["status"] == "delivered"


def another(service: Service, owner: Owner, mail: EmailMessage, letter: str) -> EmailMessage | None:
    """The newest mail but this one, if it has such a link."""
    newest = service.mails(owner.email)[0]
    return newest if newest["Message-ID"] != mail["Message-ID"] and link(newest, letter) else None


async def _sent(service: Service, notification: str) -> bool:
    return bool((await service.api.get(f"/v1/notifications/{notification}")).json()["status"] == "sent")


async def _open(service: Service, url: str) -> httpx.Response | None:
    response = await service.browser.get(url)
    return response if response.status_code == 200 else None


def check_mail(mail: EmailMessage, owner: Owner, notice: str, locale: str) -> None:
    assert mail["To"] == owner.email
    assert mail["Content-Language"] == locale
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    subject = mail["Subject"].removeprefix("[Northbank] ")
    assert subject != mail["Subject"]
    expected = SUBJECTS[notice]
    assert subject == expected[locale] if locale in expected else subject not in expected.values()
    html = body(mail, "html")
    assert f'lang="{locale}"' in html
    assert 'dir="ltr"' in html
    if notice == "withdrawal_confirmation":
        amounts = {"en": "1,234.5", "sq": "1\xa0234,5", "nb": "1\xa0234,5", "ru": "1\xa0234,5", "sv": "1\xa0234,5"}
        assert f"{amounts[locale]}\xa0BTC" in body(mail, "plain")


def check_page(response: httpx.Response, locale: str) -> None:
    assert f'<html lang="{locale}"' in response.text
    assert "<script" not in response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]


async def check_code(service: Service, code_id: str, message: str, mail: str) -> None:
    """Each channel's own code is right once, and only there."""
    bound = re.search(r"\n@127\.0\.0\.1 #(\d{6})$", message)
    assert bound
    sms = bound.group(1)
    assert sms in message.splitlines()[0]
    wrong = await service.api.post(f"/v1/codes/{code_id}/verify", json={"code": sms, "channel": "email"})
    if sms not in mail:
        assert wrong.json() == {"valid": False, "reason": "mismatch", "attempts_left": 4}
    right = await service.api.post(f"/v1/codes/{code_id}/verify", json={"code": sms, "channel": "sms"})
    assert right.json() == {"valid": True}
    again = await service.api.post(f"/v1/codes/{code_id}/verify", json={"code": sms, "channel": "sms"})
    assert again.json()["reason"] == "used"


async def test_a_killed_worker_costs_seconds_and_no_message(service: Service) -> None:
    owner = Owner(900, "sv")
    service.mailbox.hold_data = asyncio.Event()
    answer = await post(service, owner.event("password_reset"))
    id = answer["notifications"][0]["id"]

    # The mail is on its way, its last byte sent, its answer not there: the worst moment.
    await asyncio.sleep(1)
    service.kill("worker")
    service.mailbox.hold_data = None
    started = asyncio.get_running_loop().time()
    service.start("worker", "worker")

    mail = await until(lambda: next(iter(service.mails(owner.email, id)), None), 40)
    assert asyncio.get_running_loop().time() - started <= 33
    assert f"<{id}@northbank.example>" == mail["Message-ID"]

    async def sent() -> bool:
        return bool((await service.api.get(f"/v1/notifications/{id}")).json()["status"] == "sent")

    await until(sent)
    assert len(service.mails(owner.email, id)) == 1


async def test_a_platform_that_is_down_delays_an_action_and_a_killed_worker_does_not_lose_it(service: Service) -> None:
    owner = Owner(901, "ru")
    answer = await post(service, owner.event("login_succeeded"))
    id = answer["notifications"][0]["id"]
    mail = await until(lambda: next(iter(service.mails(owner.email, id)), None))
    url = link(mail, "d")
    service.platform.down = True
    pending = await service.browser.post(url)
    assert pending.status_code == 202
    assert "refresh" in pending.headers
    service.kill("worker")
    service.platform.down = False
    service.start("worker", "worker")

    async def done() -> bool:
        return (await service.browser.get(url)).status_code == 200

    await until(done, 45)
    told = {delivery.webhook_id for delivery in service.platform.deliveries if delivery.account_id == owner.account}
    taken = [d for d in service.platform.deliveries if d.account_id == owner.account and d.status == 200]
    assert len(told) == 1
    assert len(taken) == 1
    await until(lambda: len(service.mails(owner.email)) == 2)  # told that it is done


async def test_a_relay_that_greylists_is_not_asked_again_at_once(service: Service) -> None:
    owner = Owner(902, "sq")
    service.mailbox.refuse_rcpt.append("451 4.7.1 try again later")
    answer = await post(service, owner.event("login_succeeded"))
    id = answer["notifications"][0]["id"]

    async def failed() -> Any:
        shown = (await service.api.get(f"/v1/notifications/{id}")).json()
        return shown if shown["status"] == "retrying" else None

    timeline = (await until(failed))["timeline"]
    assert [entry["what"] for entry in timeline] == ["accepted", "rendered", "attempt_failed"]
    assert (timeline[2]["reason"], timeline[2]["enhanced"]) == ("smtp_451", "4.7.1")
    async with Redis.from_url(service.valkey.url) as redis:
        due = await redis.zscore("due:alert", id)
    assert 47_000 < due - datetime.fromisoformat(timeline[2]["at"]).timestamp() * 1000 < 73_000


async def test_asked_for_reactivation_the_owner_gets_a_link_and_a_code(service: Service) -> None:
    owner = Owner(903, "nb")
    for notice in ("account_deactivated", "reactivation_requested"):
        answer = await post(service, owner.event(notice, occurred_at="2026-01-01T00:00:00Z"))
    id = answer["notifications"][0]["id"]
    mail = await until(lambda: next(iter(service.mails(owner.email, id)), None))
    assert answer["code_id"]
    assert mail["Content-Language"] == "nb"
    assert (await service.browser.get(link(mail, "r"))).status_code == 200


async def test_a_code_is_asked_for_and_checked(service: Service) -> None:
    owner = Owner(904, "sv")
    wanted = {"account": owner.account, "purpose": "sign_in", "recipient": owner.recipient, "channels": ["sms"]}
    asked = await service.api.post("/v1/codes", json=wanted)
    assert asked.status_code == 202
    message = await until(lambda: next(iter(service.texts(owner.phone)), None))
    code = message[-6:]
    url = f"/v1/codes/{asked.json()['code_id']}/verify"
    wrong = (await service.api.post(url, json={"code": f"{(int(code) + 1) % 10**6:06}"})).json()
    assert wrong == {"valid": False, "reason": "mismatch", "attempts_left": 4}
    assert (await service.api.post(url, json={"code": code})).json() == {"valid": True}
    assert (await service.api.post(url, json={"code": code})).json()["reason"] == "used"


async def test_nothing_secret_or_personal_is_in_a_log(service: Service, walks: object) -> None:
    logs = "".join((service.logs / f"{name}.log").read_text() for name in ("api", "worker"))
    assert '"sent"' in logs
    for canary in ("mail.example", "+3556912", "/l/", "203.0.113.24", "Chrome 131"):
        assert canary not in logs


async def test_nothing_secret_or_personal_is_in_the_store_in_clear(service: Service, walks: object) -> None:
    assert walks
    directory: Path = service.valkey.data_dir
    kept = b"".join(path.read_bytes() for path in directory.rglob("*.aof"))
    assert b"ntf:" in kept
    messages = [mail.text or "" for mail in service.mailbox.maildrop] + [text.body for text in service.phone.messages]
    tokens = {token for message in messages for token in re.findall(r"/l/(\S+)", message)}
    assert len(tokens) > len(ALERTS)
    for canary in ("@mail.example", "+3556912", "Chrome 131", "acct-", f"{service.url}/l/", *tokens):
        assert canary.encode() not in kept
