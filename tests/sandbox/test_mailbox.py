"""The mailbox, spoken to by a real SMTP client and over its own web API."""

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest

from notifier.ports import PortInUse
from notifier.sandbox.mailbox import Mailbox
from tests.ports import HOST


def letter(to: str = "owner@example.com", subject: str = "Çaktivizo llogarinë") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Brand <no-reply@brand.example>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<one@brand.example>"
    message.set_content("Përshëndetje, https://brand.example/l/abc\n")
    message.add_alternative("<p>Përshëndetje, <b>Ana</b></p>", subtype="html")
    return message


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[Mailbox]:
    mailbox = Mailbox(tmp_path)
    yield mailbox
    await mailbox.stop()


@pytest.fixture
async def port(mailbox: Mailbox) -> int:
    return await mailbox.start_smtp(HOST, 0)


@pytest.fixture
async def web(mailbox: Mailbox) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(mailbox.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://mailbox") as web:
        yield web


async def send(message: EmailMessage, port: int, **options: object) -> None:
    await aiosmtplib.send(message, hostname=HOST, port=port, start_tls=False, **options)  # type: ignore[arg-type]


async def test_a_message_is_given_back_as_it_came(port: int, web: httpx.AsyncClient) -> None:
    await send(
        letter(),
        port,
        sender="bounces@brand.example",
        recipients=["a@x.example", "b@x.example"],
    )
    (mail,) = (await web.get("/api/messages")).json()
    assert mail["from"] == "Brand <no-reply@brand.example>"
    assert mail["envelope_from"] == "bounces@brand.example"
    assert mail["to"] == ["a@x.example", "b@x.example"]
    assert mail["subject"] == "Çaktivizo llogarinë"
    assert mail["message_id"] == "<one@brand.example>"
    assert mail["text"] == "Përshëndetje, https://brand.example/l/abc\n"
    assert mail["html"] == "<p>Përshëndetje, <b>Ana</b></p>\n"
    assert (await web.get(f"/api/messages/{mail['id']}")).json() == mail
    raw = await web.get(f"/api/messages/{mail['id']}/raw")
    assert raw.headers["content-type"] == "message/rfc822"
    assert raw.content.startswith(b"From: Brand <no-reply@brand.example>\r\n")


async def test_an_address_in_any_script_is_taken(port: int, web: httpx.AsyncClient) -> None:
    await send(letter(to="アナ@例え.example"), port)
    (mail,) = (await web.get("/api/messages")).json()
    assert mail["to"] == ["アナ@例え.example"]


async def test_the_newest_comes_first_and_one_address_can_be_asked_for(port: int, web: httpx.AsyncClient) -> None:
    for to, subject in (
        ("a@x.example", "1"),
        ("b@x.example", "2"),
        ("a@x.example", "3"),
    ):
        await send(letter(to, subject), port)
    everything = (await web.get("/api/messages")).json()
    assert [mail["subject"] for mail in everything] == ["3", "2", "1"]
    of_one = (await web.get("/api/messages", params={"to": "A@X.example"})).json()
    assert [mail["subject"] for mail in of_one] == ["3", "1"]


async def test_messages_outlive_the_process(port: int, web: httpx.AsyncClient, tmp_path: Path) -> None:
    for subject in ("1", "2"):
        await send(letter(subject=subject), port)
    before = (await web.get("/api/messages")).json()
    # A crash between the two files of a message leaves only the first.
    (tmp_path / "torn.eml").write_bytes(b"From: ")
    again = [mail.as_json() for mail in Mailbox(tmp_path).maildrop]
    assert again == before


async def test_messages_can_be_cleared(port: int, web: httpx.AsyncClient, tmp_path: Path) -> None:
    await send(letter(), port)
    assert (await web.delete("/api/messages")).status_code == 204
    assert (await web.get("/api/messages")).json() == []
    assert list(tmp_path.iterdir()) == []


async def test_without_a_directory_messages_are_held_in_memory() -> None:
    mailbox = Mailbox()
    await send(letter(), await mailbox.start_smtp(HOST, 0))
    await mailbox.stop()
    assert len(mailbox.maildrop) == 1


async def test_a_charset_nobody_knows_hides_nothing(port: int, web: httpx.AsyncClient) -> None:
    raw = b"Subject: odd\r\nContent-Type: text/plain; charset=x-klingon\r\n\r\nnuqneH\r\n"
    async with aiosmtplib.SMTP(hostname=HOST, port=port, start_tls=False) as smtp:
        await smtp.sendmail("a@x.example", "b@x.example", raw)
    (mail,) = (await web.get("/api/messages")).json()
    assert (mail["from"], mail["text"].strip()) == ("a@x.example", "nuqneH")
    assert (await web.get("/")).status_code == 200


async def test_each_refusal_is_used_once(port: int, mailbox: Mailbox) -> None:
    mailbox.refuse_rcpt = ["550 5.1.1 no such user"]
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await send(letter(), port)
    assert refused.value.recipients[0].code == 550
    mailbox.refuse_data = ["451 4.3.0 try later"]
    with pytest.raises(aiosmtplib.SMTPDataError) as deferred:
        await send(letter(), port)
    assert (deferred.value.code, deferred.value.message) == (451, "4.3.0 try later")
    await send(letter(), port)
    assert len(mailbox.maildrop) == 1


async def test_one_recipient_of_two_can_be_refused(port: int, mailbox: Mailbox) -> None:
    mailbox.refuse_rcpt = ["550 5.1.1 no such user"]
    await send(letter(), port, recipients=["a@x.example", "b@x.example"])
    (mail,) = mailbox.maildrop
    assert mail.recipients == ("b@x.example",)


async def test_held_data_is_kept_when_released(port: int, mailbox: Mailbox) -> None:
    mailbox.hold_data = asyncio.Event()
    sending = asyncio.create_task(send(letter(), port))
    await asyncio.sleep(0.2)
    assert not sending.done()
    assert len(mailbox.maildrop) == 0
    mailbox.hold_data.set()
    await sending
    assert len(mailbox.maildrop) == 1


async def test_a_client_that_gives_up_has_delivered_nothing(port: int, mailbox: Mailbox) -> None:
    mailbox.hold_data = asyncio.Event()
    with pytest.raises(aiosmtplib.SMTPTimeoutError):
        await send(letter(), port, timeout=0.3)
    await asyncio.sleep(0.1)
    mailbox.hold_data.set()
    await asyncio.sleep(0.1)
    assert len(mailbox.maildrop) == 0


async def test_a_stopped_server_drops_its_connections_and_can_return(port: int, mailbox: Mailbox) -> None:
    mailbox.hold_data = asyncio.Event()
    sending = asyncio.create_task(send(letter(), port))
    await asyncio.sleep(0.2)
    await mailbox.stop()
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await sending
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await send(letter(), port)
    mailbox.hold_data = None
    assert await mailbox.start_smtp(HOST, port) == port
    await send(letter(), port)
    assert len(mailbox.maildrop) == 1


async def test_a_taken_port_is_told(port: int) -> None:
    with pytest.raises(PortInUse, match="set NOTIFIER_DEMO_SMTP_PORT to another"):
        await Mailbox().start_smtp(HOST, port)


async def test_pages_show_messages_without_trusting_them(port: int, web: httpx.AsyncClient) -> None:
    assert "No mail yet" in (await web.get("/")).text
    message = letter(subject="<script>alert(1)</script>")
    html = message.get_body(("html",))
    assert html is not None
    html.set_content('<p>"><script>alert(2)</script></p>', subtype="html")
    await send(message, port)
    (mail,) = (await web.get("/api/messages")).json()
    listed = await web.get("/")
    shown = await web.get(f"/messages/{mail['id']}")
    for answer in (listed, shown):
        assert "&lt;script&gt;alert(1)" in answer.text
        assert "<script>alert" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox' in shown.text
    assert '<a href="https://brand.example/l/abc"' in shown.text


async def test_an_unknown_message_is_not_found(web: httpx.AsyncClient) -> None:
    for path in ("/messages/no", "/api/messages/no", "/api/messages/no/raw"):
        assert (await web.get(path)).status_code == 404
