"""Mail over real SMTP: to relays that take it, over connections that are verified, few and kept."""

import asyncio
import re
import ssl

import pytest
import trustme

from notifier.setting_types import SmtpRelay
from notifier.transports.base import Mail, Transient
from notifier.transports.smtp import SmtpTransport
from tests.ports import HOST
from tests.service import until
from tests.transports.conftest import Crook, Relay, Start, Tls, To

CONTENT = b"From: a@x.example\r\nSubject: s\r\n\r\nHello\r\n"


def mail(content: bytes = CONTENT, urgency: int = 0) -> Mail:
    return Mail("security@northbank.example", "arta@mail.example", "<1@northbank.example>", content, urgency)


@pytest.mark.parametrize("tls", ["none", "starttls", "tls"])
async def test_a_mail_is_taken_over(start: Start, to: To, tls: Tls) -> None:
    relay = await start(tls)
    receipt = await to(relay.at(tls)).send(mail())
    assert (receipt.by, receipt.reference) == (HOST, "2.0.0 Ok: queued as 1")
    assert relay.mails == [CONTENT]
    assert relay.senders == ["security@northbank.example"]
    assert relay.recipients == ["arta@mail.example"]
    assert relay.options == [[]]
    assert relay.encrypted == [tls != "none"]


@pytest.mark.parametrize(
    "content",
    [
        b"a\r\n.\r\nb\r\n",
        b".hidden\r\n..\r\n",
        b".\r\n",
        b"\r\n.\r\n",
        b"a\r\n.\r\n.\r\n.\r\n",
        b"x" * 900 + b"\r\n",
        (b"y" * 70 + b"\r\n.") * 3000 + b"\r\n",
    ],
)
@pytest.mark.parametrize("tls", ["none", "tls"])
async def test_dots_at_the_start_of_a_line_arrive(start: Start, to: To, tls: Tls, content: bytes) -> None:
    relay = await start(tls)
    await to(relay.at(tls)).send(mail(content))
    assert relay.mails == [content]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\n\r", b"\r\r\n"])
async def test_no_content_can_end_its_mail(crook: Crook, to: To, end: bytes) -> None:
    # Relays that take a bare LF or CR for the end of a line would read a second mail out of this one.
    relay = await crook()
    await to(relay.at()).send(mail(b"a" + end + b"." + end + b"MAIL FROM:<eve@x.example>" + end))
    (taken,) = relay.mails
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", taken)
    assert b"\r\n..\r\n" in taken
    assert relay.commands.count(b"DATA\r\n") == 1


async def test_a_content_that_ends_in_no_line_end_is_ended(start: Start, to: To) -> None:
    relay = await start()
    await to(relay.at()).send(mail(b"Subject: s\r\n\r\nHello"))
    assert relay.mails == [b"Subject: s\r\n\r\nHello\r\n"]


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("250 2.0.0 Ok: queued as 4ZkX", "2.0.0 Ok: queued as 4ZkX"),
        ("250 2.1.5 <arta@mail.example> Ok: queued as 4ZkX", "2.1.5 Ok: queued as 4ZkX"),
        ("250-2.0.0 first\r\n250 second", "2.0.0 first"),
        ("250 " + "x" * 200, "x" * 80),
        ("250 Ok \x1b[31m\x00 4Zk\u00e4 4ZkX", "Ok 4ZkX"),
        ("250", ""),
        ("251 Ok", "Ok"),
    ],
)
async def test_what_the_relay_calls_it_is_kept_and_no_address(
    crook: Crook, to: To, answer: str, reference: str
) -> None:
    relay = await crook({"dot": answer.encode("latin-1") + b"\r\n"})
    assert (await to(relay.at()).send(mail())).reference == reference


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_to_an_impostor_nothing_is_said(start: Start, to: To, tls: Tls) -> None:
    relay = await start(tls, name="mail.elsewhere.example")
    with pytest.raises(Transient, match="no_relay_reachable"):
        await to(relay.at(tls)).send(mail())
    assert (relay.mails, relay.senders) == ([], [])


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_with_an_expired_certificate_neither(start: Start, to: To, tls: Tls) -> None:
    relay = await start(tls, expired=True)
    transport = to(relay.at(tls))
    with pytest.raises(Transient, match="no_relay_reachable"):
        await transport.send(mail())
    assert (relay.mails, relay.senders) == ([], [])
    assert transport.health()[0].reason == "SSLCertVerificationError"


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_by_an_authority_that_is_not_known_neither(start: Start, tls: Tls) -> None:
    relay = await start(tls)
    transport = SmtpTransport([relay.at(tls)])
    with pytest.raises(Transient, match="no_relay_reachable"):
        await transport.send(mail())
    assert (relay.mails, relay.senders) == ([], [])


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_by_an_old_protocol_neither(start: Start, authority: trustme.CA, tls: Tls) -> None:
    old, lenient = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.configure_trust(lenient)
    for context in (old, lenient):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
    relay = await start(tls, context=old)
    transport = SmtpTransport([relay.at(tls)])
    with pytest.raises(Transient, match="no_relay_reachable"):
        await transport.send(mail())
    assert relay.senders == []
    # It did not come to its certificate.
    assert transport.health()[0].reason in ("SSLError", "ConnectionResetError")
    # Who allows it is served.
    transport = SmtpTransport([relay.at(tls)], tls_context=lenient)
    await transport.send(mail())
    await transport.close()
    assert relay.mails == [CONTENT]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
@pytest.mark.parametrize("login", [True, False])
async def test_a_relay_without_tls_is_never_spoken_to_in_clear(start: Start, to: To, tls: Tls, login: bool) -> None:
    relay = await start("none")
    with pytest.raises(Transient, match="no_relay_reachable"):
        await to(relay.at(tls, login=login)).send(mail())
    assert (relay.mails, relay.senders) == ([], [])


async def test_a_relay_that_takes_tls_back_hears_no_password(crook: Crook, to: To) -> None:
    relay = await crook({"STARTTLS": b"454 4.7.0 TLS not available\r\n"}, "STARTTLS", "AUTH PLAIN LOGIN")
    with pytest.raises(Transient, match="no_relay_reachable"):
        await to(relay.at("starttls", login=True)).send(mail())
    assert [command.split()[0] for command in relay.commands] == [b"EHLO", b"STARTTLS"]


async def test_a_relay_that_wants_a_login_takes_a_mail_after_it(start: Start, to: To) -> None:
    relay = await start("starttls", login=True)
    with pytest.raises(Transient):
        await to(relay.at("starttls")).send(mail())
    assert relay.mails == []
    await to(relay.at("starttls", login=True)).send(mail())
    assert relay.mails == [CONTENT]


async def test_with_a_wrong_password_another_relay_is_tried(start: Start, to: To) -> None:
    strict, other = await start("starttls", login=True), await start()
    wrong = strict.at("starttls", login=True)._replace(password="wrong")
    alone = to(wrong)
    with pytest.raises(Transient, match="no_relay_reachable"):
        await alone.send(mail())
    assert alone.health()[0].reason == "smtp_535"
    await to(wrong, other.at()).send(mail())
    assert (strict.mails, other.mails) == ([], [CONTENT])


@pytest.mark.parametrize("connections", [1, 4])
async def test_connections_are_few_and_kept(start: Start, to: To, connections: int) -> None:
    relay = await start()
    transport = to(relay.at(connections=connections))
    await asyncio.gather(*(transport.send(mail()) for _ in range(50)))
    assert len(relay.mails) == 50
    assert len(relay.connections) == connections
    await transport.close()
    assert relay.commands == ["QUIT"] * connections


async def test_a_connection_that_went_stale_costs_nobody_a_mail(start: Start, to: To) -> None:
    relay = await start()
    transport = to(relay.at())
    await asyncio.gather(*(transport.send(mail()) for _ in range(3)))
    relay.disconnect()
    await asyncio.gather(*(transport.send(mail()) for _ in range(3)))
    assert len(relay.mails) == 6
    assert len(relay.connections) == 6


async def test_connections_that_went_silent_cost_one_second(crook: Crook, to: To) -> None:
    relay = await crook({"RSET": "silent"})
    transport = to(relay.at())
    await asyncio.gather(*(transport.send(mail()) for _ in range(3)))
    began = asyncio.get_running_loop().time()
    await transport.send(mail())
    assert asyncio.get_running_loop().time() - began < 1.5
    assert len(relay.mails) == 4
    # All three were given up with the first of them.
    assert relay.commands.count(b"RSET\r\n") == 1


async def test_goodbyes_to_a_silent_relay_are_short(crook: Crook, to: To) -> None:
    relay = await crook({"QUIT": "silent"})
    transport = to(relay.at())
    await asyncio.gather(*(transport.send(mail()) for _ in range(4)))
    assert relay.connections == 4
    began = asyncio.get_running_loop().time()
    await transport.close()
    assert asyncio.get_running_loop().time() - began < 3


async def test_a_sending_that_is_given_up_leaves_no_connection_behind(start: Start, to: To) -> None:
    # Half a conversation is no state to begin the next one in.
    relay = await start()
    relay.at_rcpt.append("hang")
    transport = to(relay.at())
    given_up = asyncio.create_task(transport.send(mail()))
    await until(lambda: not relay.at_rcpt)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    await transport.send(mail())
    assert given_up.cancelled()
    assert (len(relay.mails), len(relay.connections)) == (1, 2)


async def test_a_relay_that_is_silent_keeps_no_more_urgent_mail_waiting(start: Start, to: To) -> None:
    relay = await start()
    relay.at_data += ["hang"] * 4
    transport = to(relay.at(connections=8), answer=20)
    bulk = [asyncio.create_task(transport.send(mail(urgency=2))) for _ in range(20)]
    while len(relay.mails) < 4:
        await asyncio.sleep(0.01)
    async with asyncio.timeout(4):
        await transport.send(mail(urgency=1))
        await transport.send(mail())
    assert len(relay.mails) >= 6
    for task in bulk:
        task.cancel()
    await asyncio.gather(*bulk, return_exceptions=True)


async def test_the_name_in_ehlo_is_ours(crook: Crook) -> None:
    relay = await crook()
    transport = SmtpTransport([relay.at()], name="notify.example.com")
    await transport.send(mail())
    await transport.close()
    assert relay.commands[0] == b"EHLO notify.example.com\r\n"


def test_a_relay_s_password_is_never_shown() -> None:
    relay: SmtpRelay = Relay().at(login=True)
    assert relay.password is not None
    assert relay.password not in repr(relay)
