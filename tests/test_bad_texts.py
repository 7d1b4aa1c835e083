"""Text that a stranger chose goes the whole way on the real service: harmless in mail, SMS, page, answer and log."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import pytest_asyncio

from tests.people import Owner, body, link, mailed, post
from tests.service import Service, running, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The product below as a template would reckon it: digits that no time, code or token has by chance.
RECKONED = str(7654321 * 1234567)
TEXTS = {
    "template syntax": "{{ 7654321*1234567 }}{% include 'x' %}${7654321*1234567}",
    "format syntax": "%(code)s %s %d {0} {code!r}",
    "tags": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "a bare domain": "evil.example/login",
    "a URL": "https://evil.example",
    "javascript": "javascript:alert(1)",
    "bidi overrides": "\u202egnp.exe\u202c\u2066x\u2069",
    "zero-width": "ev\u200bil\u200d\ufeff",
    "U+2028": "a\u2028b\u2029c",
    "NUL": "a\0b",
    "ESC": "\x1b]0;owned\x07\x1b[2J",
    "a header": "Chrome\r\nBcc: eve@evil.example\r\n\r\n<b>body</b>",
    "zalgo": "Z" + "\u0351\u0316" * 400,
    "a lone dot": "\r\n.\r\n",
    "a dot": ".",
    "1,024 characters": "W" * 1_024,
    "half an entity": "&lt;b&gt; &amp; &#x3c;",
}
# What an address may have, which is shown as it is.
ADDRESSES = {
    "tags": "<script>alert(1)</script><img/src=x>",
    "template syntax": "{{7654321*1234567}}{%include'x'%}${7654321*1234567}",
    "format syntax": "%(code)s%s%d{0}{code!r}",
    "half an entity": "&lt;b&gt;&amp;&#x3c;",
    "quotes": "\"onmouseover='alert(1)'x=\"",
}
PLAIN = "Chrome on Windows"
Messages = dict[str, tuple[EmailMessage, str, str]]
_HARMFUL = ("Cc", "Cf", "Zl", "Zp", "Cs", "Co")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with running(tmp_path_factory.mktemp("texts")) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def messages(service: Service) -> Messages:
    """A mail, an SMS and a page about each text, and about a plain one."""
    every = {"plain": PLAIN, **TEXTS}
    return dict(
        zip(every, await asyncio.gather(*(_about(service, *one) for one in enumerate(every.values()))), strict=True)
    )


async def _about(service: Service, number: int, text: str) -> tuple[EmailMessage, str, str]:
    owner = Owner(number)
    event = owner.event("new_device", device=text, location=text)
    event["data"]["recipient"] |= {"name": text, "antiphishing_phrase": text}
    event["data"]["reference"] = text
    id = (await post(service, event))["notifications"][0]["id"]
    mail = await until(lambda: next(iter(service.mails(owner.email, id)), None), 30)
    sms = await until(lambda: next(iter(service.texts(owner.phone)), None), 30)
    return mail, sms, (await service.browser.get(link(mail, "a"))).text


def _harmful(text: str) -> set[str]:
    """Characters that nothing readable has: controls other than line feeds, what hides or turns what follows."""
    return {char for char in text if char != "\n" and unicodedata.category(char) in _HARMFUL}


def _tags(html: str) -> list[str]:
    return re.findall(r"</?[a-z][a-z0-9]*", html)


@pytest.mark.parametrize("what", TEXTS)
async def test_a_mail_is_the_same_but_for_the_text(what: str, messages: Messages) -> None:
    (mail, _, _), (plain, _, _) = messages[what], messages["plain"]
    assert [name for name, _ in mail.items()] == [name for name, _ in plain.items()]
    assert mail["Subject"] == plain["Subject"]
    assert not mail.defects
    for kind in ("plain", "html"):
        shown, shape = body(mail, kind), body(plain, kind)
        # The pre-header of an HTML mail is padded with such characters of our own.
        assert _harmful(shown) <= _harmful(shape)
        assert not re.search(r"evil\.example", shown)
        assert RECKONED not in shown
        assert shown.count("\n.\n") == shape.count("\n.\n") == 0
    assert _tags(body(mail, "html")) == _tags(body(plain, "html"))


@pytest.mark.parametrize("what", TEXTS)
async def test_an_sms_keeps_its_lines_and_its_link(what: str, messages: Messages) -> None:
    (_, sms, _), (_, plain, _) = messages[what], messages["plain"]
    assert _harmful(sms) == set()
    assert sms.count("\n") == plain.count("\n")
    assert re.search(r"\n@127\.0\.0\.1 #\d{6}$", sms)
    assert len(re.findall(r"https?://", sms)) == 1
    assert "evil.example" not in sms


@pytest.mark.parametrize("what", TEXTS)
async def test_a_page_is_the_same_but_for_the_text(what: str, messages: Messages) -> None:
    (_, _, page), (_, _, plain) = messages[what], messages["plain"]
    assert "<form" in page
    assert _harmful(page) == set()
    assert _tags(page) == _tags(plain)
    assert RECKONED not in page


@pytest.mark.parametrize("what", ADDRESSES)
async def test_an_address_is_shown_as_it_is_and_harmless(what: str, service: Service) -> None:
    number = 100 + list(ADDRESSES).index(what)
    odd, plain = Owner(number), Owner(number + 100)
    address = ADDRESSES[what]
    mail, other = await asyncio.gather(
        mailed(service, odd, odd.event("withdrawal_confirmation", address=address, network=PLAIN)),
        mailed(service, plain, plain.event("withdrawal_confirmation", network=PLAIN)),
    )
    assert address in body(mail)
    assert [name for name, _ in mail.items()] == [name for name, _ in other.items()]
    assert _tags(body(mail, "html")) == _tags(body(other, "html"))
    pages = [(await service.browser.get(link(one, "w"))).text for one in (mail, other)]
    assert "<form" in pages[0]
    assert _tags(pages[0]) == _tags(pages[1])
    for shown in (*pages, body(mail, "html")):
        assert RECKONED not in shown
        assert "onmouseover='" not in shown


async def test_none_of_it_is_in_a_log(service: Service, messages: Messages) -> None:
    logs = "".join(Path(service.logs / f"{name}.log").read_text() for name in ("api", "worker"))
    assert logs.count('"sent"') >= len(messages)
    assert _harmful(logs) == set()
    for piece in ("evil", "alert", "owned", "include", "WWWW", "Chrome", "Traceback"):
        assert piece not in logs
