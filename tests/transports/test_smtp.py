"""Mail over real SMTP: to relays that take it, refuse it, fail in the middle, or are not whom they say."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Literal

import pytest

from notifier.setting_types import SmtpRelay
from notifier.transports.base import Mail, Permanent, Transient
from notifier.transports.smtp import SmtpTransport
from tests.transports.conftest import HOST, Relay, Start

CONTENT = b"From: a@x.example\r\nSubject: s\r\n\r\nHello\r\n"
To = Callable[..., SmtpTransport]


@pytest.fixture
async def to(trusting: ssl.SSLContext) -> AsyncIterator[To]:
    """A transport over relays, closed with the test."""
    async with AsyncExitStack() as stack:

        def made(*relays: SmtpRelay, timeout: float = 5, connections: int = 8) -> SmtpTransport:
            transport = SmtpTransport(relays, connections=connections, timeout=timeout, tls_context=trusting)
            stack.push_async_callback(transport.close)
            return transport

        yield made


def mail(content: bytes = CONTENT) -> Mail:
    return Mail("security@northbank.example", "arta@mail.example", "<1@northbank.example>", content)


@pytest.mark.parametrize("tls", ["none", "starttls", "tls"])
async def test_a_mail_is_taken_over(start: Start, to: To, tls: Literal["none", "starttls", "tls"]) -> None:
    relay = await start(tls)
    receipt = await to(relay.at(tls)).send(mail())
    assert (receipt.by, receipt.reference) == (HOST, "2.0.0 Ok: queued as 1")
    assert relay.mails == [CONTENT]
    assert relay.senders == ["security@northbank.example"]
    assert relay.recipients == ["arta@mail.example"]
    assert relay.encrypted == [tls != "none"]


@pytest.mark.parametrize(
    "content", [b"a\r\n.\r\nb\r\n", b".hidden\r\n..\r\n", b".\r\n", b"\r\n.\r\n", b"x" * 900 + b"\r\n"]
)
async def test_dots_at_the_start_of_a_line_arrive(start: Start, to: To, content: bytes) -> None:
    relay = await start()
    await to(relay.at()).send(mail(content))
    assert relay.mails == [content]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_to_an_impostor_nothing_is_said(start: Start, to: To, tls: Literal["starttls", "tls"]) -> None:
    relay = await start(tls, name="mail.elsewhere.example")
    with pytest.raises(Transient, match="no_relay_reachable"):
        await to(relay.at(tls)).send(mail())
    assert (relay.mails, relay.senders) == ([], [])


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_by_an_authority_that_is_not_known_neither(start: Start, tls: Literal["starttls", "tls"]) -> None:
    relay = await start(tls)
    transport = SmtpTransport([relay.at(tls)], timeout=5)
    with pytest.raises(Transient, match="no_relay_reachable"):
        await transport.send(mail())
    assert (relay.mails, relay.senders) == ([], [])


@pytest.mark.parametrize("tls", ["starttls", "tls"])
@pytest.mark.parametrize("login", [True, False])
async def test_a_relay_without_tls_is_never_spoken_to_in_clear(
    start: Start, to: To, tls: Literal["starttls", "tls"], login: bool
) -> None:
    relay = await start("none")
    with pytest.raises(Transient, match="no_relay_reachable"):
        await to(relay.at(tls, login=login), timeout=1).send(mail())
    assert (relay.mails, relay.senders) == ([], [])


@pytest.mark.parametrize("tls", ["none", "starttls"])
async def test_a_login(start: Start, to: To, tls: Literal["none", "starttls"]) -> None:
    relay = await start(tls, login=tls == "starttls")
    await to(relay.at(tls, login=tls == "starttls")).send(mail())
    assert relay.mails == [CONTENT]


async def test_with_a_wrong_password_another_relay_is_tried(start: Start, to: To) -> None:
    strict, other = await start("starttls", login=True), await start()
    wrong = strict.at("starttls", login=True)._replace(password="wrong")
    with pytest.raises(Transient, match="no_relay_reachable"):
        await to(wrong).send(mail())
    await to(wrong, other.at()).send(mail())
    assert (strict.mails, other.mails) == ([], [CONTENT])


@pytest.mark.parametrize("connections", [1, 4])
async def test_connections_are_few_and_kept(start: Start, to: To, connections: int) -> None:
    relay = await start()
    transport = to(relay.at(), connections=connections)
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


@pytest.mark.parametrize("code", [421, 450, 451, 452, 454])
@pytest.mark.parametrize("where", ["at_rcpt", "at_data"])
async def test_not_now(start: Start, to: To, code: int, where: str) -> None:
    relay, other = await start(), await start()
    getattr(relay, where).append(f"{code} 4.3.0 arta@mail.example: later")
    transport = to(relay.at(), other.at())
    with pytest.raises(Transient) as caught:
        await transport.send(mail())
    assert (caught.value.reason, str(caught.value)) == (f"smtp_{code}", f"smtp_{code}")
    # It was spoken to, and its word holds; the next attempt finds it again.
    assert (relay.mails, other.mails) == ([], [])
    await transport.send(mail())
    assert relay.mails == [CONTENT]


@pytest.mark.parametrize("code", [500, 550, 552, 553, 554])
@pytest.mark.parametrize("where", ["at_rcpt", "at_data"])
async def test_never(start: Start, to: To, code: int, where: str) -> None:
    relay, other = await start(), await start()
    getattr(relay, where).append(f"{code} 5.1.1 arta@mail.example: no")
    transport = to(relay.at(), other.at())
    with pytest.raises(Permanent) as caught:
        await transport.send(mail())
    assert (caught.value.reason, str(caught.value)) == (f"smtp_{code}", f"smtp_{code}")
    assert other.connections == []
    # The refusal was of this mail alone, so the connection serves the next.
    await transport.send(mail())
    assert (relay.mails, len(relay.connections)) == ([CONTENT], 1)


@pytest.mark.parametrize("fault", ["drop", "hang"])
async def test_lost_before_the_mail_has_gone_the_next_relay_takes_it(start: Start, to: To, fault: str) -> None:
    relay, other = await start(), await start()
    relay.at_rcpt.append(fault)
    await to(relay.at(), other.at(), timeout=0.5).send(mail())
    assert (relay.mails, other.mails) == ([], [CONTENT])


@pytest.mark.parametrize("fault", ["drop", "hang"])
async def test_lost_after_the_last_dot_nobody_else_is_given_it(start: Start, to: To, fault: str) -> None:
    relay, other = await start(), await start()
    relay.at_data.append(fault)
    transport = to(relay.at(), other.at(), timeout=0.5)
    with pytest.raises(Transient, match="ambiguous"):
        await transport.send(mail())
    assert (relay.mails, other.mails) == ([CONTENT], [])
    await transport.send(mail())
    assert relay.mails == [CONTENT] * 2


async def test_a_relay_that_is_down_is_passed_over(start: Start, to: To, refusing: SmtpRelay) -> None:
    other = await start()
    began = time.monotonic()
    await to(refusing, other.at()).send(mail())
    assert time.monotonic() - began < 1
    assert other.mails == [CONTENT]


async def test_with_no_relay_left_it_is_not_now(to: To, refusing: SmtpRelay) -> None:
    with pytest.raises(Transient, match="no_relay_reachable"):
        await to(refusing, refusing).send(mail())


async def test_a_sending_that_is_given_up_leaves_no_connection_behind(start: Start, to: To) -> None:
    # Half a conversation is no state to begin the next one in.
    relay = await start()
    relay.at_rcpt.append("hang")
    transport = to(relay.at())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await transport.send(mail())
    await transport.send(mail())
    assert (len(relay.mails), len(relay.connections)) == (1, 2)


async def test_silence_at_the_door_costs_five_seconds_at_most(start: Start, silent: SmtpRelay) -> None:
    other = await start()
    transport = SmtpTransport([silent, other.at()])
    began = time.monotonic()
    await transport.send(mail())
    await transport.close()
    assert time.monotonic() - began < 5
    assert other.mails == [CONTENT]


async def test_a_burst_waits_once_for_a_relay_that_is_silent(start: Start, to: To, silent: SmtpRelay) -> None:
    other = await start()
    transport = to(silent, other.at(), timeout=0.2, connections=1)
    began = time.monotonic()
    await asyncio.gather(*(transport.send(mail()) for _ in range(10)))
    assert len(other.mails) == 10
    assert time.monotonic() - began < 1


def test_a_relay_s_password_is_never_shown() -> None:
    relay: SmtpRelay = Relay().at(login=True)
    assert relay.password is not None
    assert relay.password not in repr(relay)
