"""What a security team would try, on the real service: many hands at once, copies, guesses, old links, forged headers,
and a search of everything that is written down for every token and code of the run.
"""

import asyncio
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from tests.people import Owner, body, code, link, mailed, post, short_link
from tests.service import Service, running, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

DELAY_S = 2


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with running(tmp_path_factory.mktemp("links"), NOTIFIER_REACTIVATION_DELAY=str(DELAY_S)) as service:
        yield service


async def press(service: Service, url: str, **form: str) -> httpx.Response:
    return await service.browser.post(url, data=form)


async def outcomes(service: Service, urls: list[str], **form: str) -> Counter[int]:
    return Counter(answer.status_code for answer in await asyncio.gather(*(press(service, u, **form) for u in urls)))


async def told(service: Service, owner: Owner, count: int = 1) -> list[str]:
    """The types of the actions that the platform got, once there are `count`, and no more came."""
    await until(lambda: len(service.actions(owner.account)) >= count)
    await asyncio.sleep(0.3)
    return [action["type"] for action in service.actions(owner.account)]


async def test_twenty_presses_of_one_link_make_one_action(service: Service) -> None:
    owner = Owner(1)
    mail = await mailed(service, owner, owner.event("login_succeeded"))
    answers = await outcomes(service, [link(mail, "d")] * 20)
    assert answers.keys() <= {200, 202, 409}
    assert await told(service, owner) == ["account.deactivation_confirmed"]


async def test_copies_in_two_messages_and_an_sms_make_one_action(service: Service) -> None:
    owner = Owner(2)
    mails = [await mailed(service, owner, owner.event(notice)) for notice in ("login_succeeded", "password_reset")]
    sms = short_link(await until(lambda: next(iter(service.texts(owner.phone)), None)))
    await outcomes(service, [*[link(mail, "d") for mail in mails] * 7, *[sms] * 6])
    assert await told(service, owner) == ["account.deactivation_confirmed"]
    # Every copy says so from now on.
    for url in (*(link(mail, "d") for mail in mails), sms):
        await until(partial(_says, service, url, "Your account is deactivated|This link does not work yet"))


async def _says(service: Service, url: str, pattern: str) -> bool:
    return bool(re.search(pattern, (await service.browser.get(url)).text))


async def test_a_withdrawal_is_confirmed_once_whatever_its_copies(service: Service) -> None:
    owner = Owner(3)
    first = await mailed(service, owner, owner.event("withdrawal_confirmation", 1))
    second = await mailed(service, owner, owner.event("withdrawal_confirmation", 2))
    old, new = link(first, "w"), link(second, "w")
    assert (await service.browser.get(old)).status_code == 410
    assert (await press(service, old, code=code(first))).status_code == 410
    answers = await outcomes(service, [old, new] * 10, code=code(second))
    assert answers[410] == 10
    assert await told(service, owner) == ["withdrawal.confirmed"]
    assert (await service.browser.get(link(first, "d"))).status_code == 200


async def test_another_withdrawal_supersedes_nothing(service: Service) -> None:
    owner = Owner(4)
    mails = [
        await mailed(service, owner, owner.event("withdrawal_confirmation", number, withdrawal_id=f"wd-4-{number}"))
        for number in (1, 2)
    ]
    for mail in mails:
        assert (await press(service, link(mail, "w"), code=code(mail))).status_code in (200, 202)
    assert await told(service, owner, 2) == ["withdrawal.confirmed"] * 2


async def test_the_page_asks_for_the_code_of_its_message(service: Service) -> None:
    owner = Owner(5)
    answer = await post(service, owner.event("new_device"))
    mail = await until(lambda: next(iter(service.mails(owner.email)), None))
    url, right = link(mail, "a"), code(mail)
    page = (await service.browser.get(url)).text
    assert 'autocomplete="one-time-code"' in page
    assert 'inputmode="numeric"' in page
    wrong = f"{(int(right) + 1) % 10**6:06}"

    for slip in ("", "12", "abcdef", "123456789012"):
        page = (answered := await press(service, url, code=slip)).text
        assert answered.status_code == 422
        assert "not a whole code" in page
    assert (await press(service, url)).status_code == 422
    for left in (4, 3, 2):
        answered = await press(service, url, code=wrong)
        assert answered.status_code == 422
        assert f"{left} attempts are left" in answered.text
        assert 'aria-invalid="true"' in answered.text
    assert service.actions(owner.account) == []

    spaced = f"{right[:3]} {right[3:]}"
    assert (await press(service, url, code=spaced)).status_code in (200, 202)
    assert await told(service, owner) == ["device.authorized"]
    # What opened the link opens nothing else.
    verdict = await service.api.post(f"/v1/codes/{answer['code_id']}/verify", json={"code": right})
    assert verdict.json()["reason"] == "used"


async def test_fifty_guesses_at_once_count_five_and_lock_the_link(service: Service) -> None:
    owner = Owner(6)
    mail = await mailed(service, owner, owner.event("new_device"))
    url, right = link(mail, "a"), code(mail)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    answers = await outcomes(service, [url] * 50, code=wrong)
    assert answers[422] == 4
    assert answers[410] == 46
    locked = await press(service, url, code=right)
    assert locked.status_code == 410
    assert "Too many wrong codes" in locked.text
    assert service.actions(owner.account) == []
    assert (await service.browser.get(link(mail, "d"))).status_code == 200


async def test_a_deactivation_kills_what_is_dangerous_and_reactivation_what_is_old(service: Service) -> None:
    owner = Owner(7)
    device = await mailed(service, owner, owner.event("new_device"))
    await press(service, link(device, "d"))
    await told(service, owner)
    await until(lambda: _says(service, link(device, "a"), "Your account is deactivated"))
    assert (await press(service, link(device, "a"), code=code(device))).status_code == 410

    # Asked for, within the first hours: too early; then by the code of the very message, in mail or in SMS.
    asked = await mailed(service, owner, owner.event("reactivation_requested"))
    sms = await until(lambda: next((t for t in service.texts(owner.phone) if "eactivation" in t and "#" in t), None))
    back = short_link(sms)
    await until(lambda: _says(service, back, 'name="code"'), DELAY_S + 10)
    assert (await press(service, back, purpose="reactivate", code=code(asked))).status_code == 422  # the mail's
    assert (await press(service, back, purpose="deactivate")).status_code == 200  # a page from before: nothing done
    assert len(service.actions(owner.account)) == 1
    assert (await press(service, back, purpose="reactivate", code=sms[-6:])).status_code in (200, 202)
    assert (await told(service, owner, 2))[1] == "account.reactivation_confirmed"
    await until(lambda: _says(service, link(device, "d"), "newer message has replaced"))
    for old in (link(asked, "r"), link(device, "d"), link(device, "r")):
        assert (await press(service, old, code=code(asked))).status_code == 410


async def test_links_are_revoked(service: Service) -> None:
    owner = Owner(8)
    mail = await mailed(service, owner, owner.event("login_succeeded"))
    wanted = {"account": owner.account, "purposes": ["deactivate"]}
    assert (await service.api.post("/v1/links/revoke", json=wanted)).status_code == 200
    assert (await press(service, link(mail, "d"))).status_code == 410
    later = await mailed(service, owner, owner.event("password_reset"))
    assert (await press(service, link(later, "d"))).status_code in (200, 202)
    bad = await service.api.post("/v1/links/revoke", json={"account": owner.account, "purposes": ["everything"]})
    assert bad.status_code == 422
    assert bad.json()["errors"][0]["pointer"] == "/purposes/0"


async def test_the_audit_tells_what_happened_and_nothing_secret(service: Service) -> None:
    owner = Owner(9)
    await post(service, owner.event("new_device"))
    assert (await service.api.get("/v1/audit", params={"account": owner.account})).json() == {"entries": []}
    answer = await post(service, owner.event("new_device", 2))
    id = answer["notifications"][0]["id"]
    mail = await until(lambda: next(iter(service.mails(owner.email, id)), None))
    for _ in range(20):
        await service.browser.get(link(mail, "d"))
    await press(service, link(mail, "a"), code="000000" if code(mail) != "000000" else "000001")
    await press(service, link(mail, "d"))
    await told(service, owner)
    await service.api.post("/v1/links/revoke", json={"account": owner.account, "purposes": ["activate_account"]})

    async def audit(**about: str) -> list[tuple[str, str, str | None]]:
        entries = (await service.api.get("/v1/audit", params=about)).json()["entries"]
        return [(entry["what"], entry["purpose"], entry["reason"]) for entry in entries]

    async def forwarded() -> list[tuple[str, str, str | None]] | None:
        entries = await audit(account=owner.account)
        return entries if len(entries) == 6 else None

    assert set(await until(forwarded)) == {
        ("superseded", "authorize_device", None),
        ("shown", "deactivate", "open"),
        ("not_done", "authorize_device", "wrong"),
        ("consumed", "deactivate", None),
        ("forwarded", "deactivate", "done"),
        ("revoked", "activate_account", None),
    }
    of_notification = await audit(notification=id)
    assert ("consumed", "deactivate", None) in of_notification
    assert ("revoked", "activate_account", "") not in of_notification
    text = (await service.api.get("/v1/audit", params={"account": owner.account})).text
    for secret in (code(mail), owner.email, urlsplit(link(mail, "d")).path[3:], owner.account):
        assert secret not in text


async def test_forged_hosts_and_forwarded_headers_change_nothing(service: Service) -> None:
    owner = Owner(10)
    mail = await mailed(service, owner, owner.event("login_succeeded"))
    forged = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}
    page = await service.browser.get(link(mail, "d"), headers=forged)
    assert page.status_code == 200
    assert "evil" not in page.text + str(page.headers)
    await service.browser.post(link(mail, "d"), headers=forged | {"x-forwarded-for": "198.51.100.9"})
    await told(service, owner)
    assert service.actions(owner.account)[0]["data"]["ip"] == "127.0.0.1"


@pytest.mark.parametrize("spoiled", ["{}.", "{})", "{}%20", "{}&amp;utm=1", "{}/", "{}=", "https-{}"])
async def test_a_link_that_was_changed_on_the_way_gets_a_page_that_helps(service: Service, spoiled: str) -> None:
    token = "dAAAAAAAAAAAAAAAAAAAAAA.AaID1HRb.sKvkPYbv8bBwip4-5vWfDaEzO-eRm66wf44DlFdx2Kc"
    for answer in (
        await service.browser.get("/l/" + spoiled.format(token), headers={"accept-language": "sv"}),
        await service.browser.post("/l/" + spoiled.format(token), headers={"accept-language": "sv"}),
    ):
        assert answer.status_code == 404
        assert '<html lang="sv"' in answer.text
        assert "<form" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_resend_repeats_the_code_and_keeps_its_distance(service: Service) -> None:
    owner = Owner(11)
    asked = {"account": owner.account, "purpose": "sign_in", "recipient": owner.recipient, "channels": ["email"]}
    first = (await service.api.post("/v1/codes", json=asked)).json()
    mail = await until(lambda: next(iter(service.mails(owner.email)), None))
    url = f"/v1/codes/{first['code_id']}/resend"
    refused = await service.api.post(url)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert (await service.api.post("/v1/codes", json=asked)).status_code == 429

    # The other channel is another address: the same code id, its own digits, the first expiry.
    again = await asyncio.gather(*(service.api.post(url, json={"channels": ["sms"]}) for _ in range(50)))
    assert Counter(answer.status_code for answer in again) == {202: 1, 429: 49}
    sent = next(answer.json() for answer in again if answer.status_code == 202)
    assert (sent["code_id"], sent["expires_at"]) == (first["code_id"], first["expires_at"])
    sms = await until(lambda: next(iter(service.texts(owner.phone)), None))
    check = f"/v1/codes/{first['code_id']}/verify"
    assert (await service.api.post(check, json={"code": sms[-6:], "channel": "sms"})).json() == {"valid": True}
    assert (await service.api.post(check, json={"code": code(mail), "purpose": "withdrawal"})).json()["valid"] is False
    assert (await service.api.post(check, json={"code": code(mail), "account": "acct-1"})).json()["valid"] is False
    right = {"code": code(mail), "account": owner.account, "purpose": "sign_in"}
    assert (await service.api.post(check, json=right)).json() == {"valid": True}
    assert (await service.api.post(url)).status_code == 409
    assert (await service.api.post("/v1/codes/unknown/resend")).status_code == 404


async def test_nothing_that_opens_anything_is_written_down(service: Service) -> None:
    """Every token and code of this run, in logs, in the append-only file and in a snapshot."""
    secrets = set()
    mailbox = [mail for number in range(1, 12) for mail in service.mails(Owner(number).email)]
    texts = [text for number in range(1, 12) for text in service.texts(Owner(number).phone)]
    for text in (*(body(mail) for mail in mailbox), *texts):
        secrets |= {token.encode() for token in re.findall(r"/l/([\w.-]+)", text)}
        secrets |= {f'"{digits}"'.encode() for digits in re.findall(r"\b\d{6}\b", text)}
    assert len(secrets) > 30
    process = await asyncio.create_subprocess_exec(*_save(service))
    await process.wait()
    written = {
        path: path.read_bytes()
        for directory in (service.logs, service.valkey.data_dir)
        for path in directory.rglob("*")
        if path.is_file()
    }
    assert any(path.suffix == ".aof" for path in written)
    assert any(path.suffix == ".rdb" for path in written)
    for path, content in written.items():
        found = [secret for secret in secrets if secret in content]
        assert not found, f"{path} has {len(found)} of them"


def _save(service: Service) -> list[str]:

    script = f"import redis; redis.Redis.from_url({service.valkey.url!r}).save()"
    return [sys.executable, "-c", script]
