"""Relays that are away, silent, mad or breaking: the next one takes the mail within five seconds, and never both."""

import asyncio
import random
import socket
import ssl
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any

import pytest
from structlog.testing import capture_logs

from notifier.setting_types import SmtpRelay
from notifier.transports.base import Ambiguous, Deferred, Permanent, Receipt, Transient, TransportError
from notifier.transports.dialing import first_to_answer
from notifier.transports.smtp import SmtpTransport
from tests.ports import HOST
from tests.service import until
from tests.transports.conftest import Crook, Start, To
from tests.transports.test_smtp import CONTENT, mail

BAD_NAME = "relay.invalid"


async def seconds(work: Awaitable[Any]) -> float:
    """How long it took."""
    began = asyncio.get_running_loop().time()
    await work
    return asyncio.get_running_loop().time() - began


@pytest.fixture
async def full() -> AsyncIterator[SmtpRelay]:
    """A relay that does not even take connections: its queue of them is full."""
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((HOST, 0))
        listener.listen(0)
        listener.setblocking(False)
        for _ in range(8):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        await asyncio.sleep(0.1)
        yield SmtpRelay(HOST, listener.getsockname()[1], "none", None, None)


# Step and fault, and the reason that is then told of the relay.
FAULTS: list[tuple[str, str | bytes, str]] = [
    ("greeting", "silent", "silent"),
    ("greeting", "drip", "silent"),
    ("greeting", "drop", "SMTPServerDisconnected"),
    ("greeting", b"554 5.7.1 no service for you\r\n", "smtp_554"),
    ("greeting", b"421 4.3.2 too busy\r\n", "smtp_421"),
    ("greeting", b"HTTP/1.1 400 Bad Request\r\n\r\n", "smtp_-1"),
    ("greeting", b"220 " + b"x" * 100_000, "smtp_-1"),
    ("greeting", b"220-x\r\n" * 50_000, "smtp_-1"),
    ("EHLO", "silent", "silent"),
    ("EHLO", "drip", "silent"),
    ("EHLO", "drop", "SMTPServerDisconnected"),
    ("EHLO", b"550 5.7.1 who are you\r\n", "smtp_550"),
    ("EHLO", b"421 bye\r\n", "smtp_421"),
    ("EHLO", b"\xff\xfe\x00\r\n", "smtp_-1"),
    ("MAIL", "silent", "silent"),
    ("MAIL", "drip", "silent"),
    ("MAIL", b"530 5.7.0 Authentication required\r\n", ""),
    ("MAIL", b"354 what\r\n", ""),
    ("RCPT", "silent", "silent"),
    ("RCPT", "drip", "silent"),
    ("RCPT", "drop", ""),
    ("RCPT", b"421 4.7.0 too many errors\r\n", ""),
    ("RCPT", b"999 what\r\n", ""),
    ("RCPT", b"not a number\r\n", ""),
    ("RCPT", b"250 " + b"x" * 100_000 + b"\r\n", ""),
    ("DATA", "silent", "silent"),
    ("DATA", "drop", ""),
    ("DATA", b"250 no need\r\n", ""),
    ("DATA", b"421 bye\r\n", ""),
    ("dot", b"421 4.3.0 not taken\r\n", ""),
]


async def test_every_fault_before_the_mail_is_taken_costs_five_seconds_at_most(
    start: Start, crook: Crook, full: SmtpRelay, refusing: SmtpRelay, trusting: ssl.SSLContext
) -> None:
    other = await start()

    async def tried(relay: SmtpRelay, reason: str) -> None:
        # As patient as it is in earnest.
        transport = SmtpTransport([relay, other.at()], tls_context=trusting)
        took = await seconds(transport.send(mail()))
        assert took < 5, reason
        health = transport.health()[0]
        assert (health.state, health.reason) == (("open", reason) if reason else ("closed", None)), reason
        await transport.close()

    crooked = [await crook({step: fault}) for step, fault, _ in FAULTS]
    nowhere = SmtpRelay(BAD_NAME, 25, "none", None, None)
    await asyncio.gather(
        *(tried(relay.at(), reason) for relay, (_, _, reason) in zip(crooked, FAULTS, strict=True)),
        tried(full, "silent"),
        tried(refusing, "ConnectionRefusedError"),
        tried(nowhere, "gaierror"),
        tried(nowhere._replace(host="relay..example"), "UnicodeError"),
    )
    assert len(other.mails) == len(FAULTS) + 4
    assert [relay.mails for relay in crooked if relay.mails] == [[CONTENT]]


LOGIN_FAULTS: list[tuple[str, bytes]] = [
    ("AUTH CRAM-MD5", b"334 not base64!\r\n"),
    ("AUTH CRAM-MD5", "334 é\r\n".encode()),
    ("AUTH CRAM-MD5", b"334 \xff\r\n"),
    ("AUTH PLAIN", b"535 5.7.8 wrong\r\n"),
    ("AUTH PLAIN", b"454 4.7.0 temporary failure\r\n"),
    ("AUTH PLAIN", b"334 go on\r\n"),
    ("AUTH LOGIN", b"334 \r\n"),
    ("AUTH LOGIN", b"421 bye\r\n"),
    ("AUTH GSSAPI", b"250 OK\r\n"),
]


@pytest.mark.parametrize(("extension", "answer"), LOGIN_FAULTS)
async def test_a_login_that_goes_wrong_is_the_relay_s_trouble(
    start: Start, crook: Crook, to: To, extension: str, answer: bytes
) -> None:
    relay, other = await crook({"AUTH": answer}, extension), await start()
    transport = to(relay.at(login=True), other.at())
    await transport.send(mail())
    assert other.mails == [CONTENT]
    assert transport.health()[0].state == "open"
    assert relay.mails == []


@pytest.mark.parametrize("fault", ["drop", "silent"])
async def test_a_mail_that_is_cut_off_before_its_dot_goes_to_the_next_relay(crook: Crook, to: To, fault: str) -> None:
    # More than the sockets' buffers hold: the relay cannot have had the end.
    content = (b"x" * 70 + b"\r\n") * 120_000
    relay, other = await crook({"content": fault}), await crook()
    await to(relay.at(), other.at()).send(mail(content))
    assert (relay.mails, other.mails) == ([], [content])


async def test_a_mail_that_was_given_up_does_not_go_later(crook: Crook, to: To) -> None:
    content = (b"x" * 70 + b"\r\n") * 120_000
    relay, other = await crook({"content": "silent"}), await crook()
    await to(relay.at(), other.at()).send(mail(content))
    relay.woken.set()
    async with asyncio.timeout(5):
        await relay.gone.wait()
    assert relay.late < len(content) - 1


async def test_a_relay_that_hangs_up_when_it_should_listen_has_not_got_it(start: Start, crook: Crook, to: To) -> None:
    relay, other = await crook({"354": "drop"}), await start()
    await to(relay.at(), other.at()).send(mail())
    assert other.mails == [CONTENT]


@pytest.mark.parametrize("fault", ["drop", "hang"])
async def test_lost_after_the_last_dot_nobody_else_is_given_it(start: Start, to: To, fault: str) -> None:
    relay, other = await start(), await start()
    relay.at_data.append(fault)
    transport = to(relay.at(), other.at(), answer=1, pause=0.5)
    with pytest.raises(Ambiguous, match=r"^ambiguous$"):
        await transport.send(mail())
    assert (relay.mails, other.mails) == ([CONTENT], [])
    # A relay that is silent is one to stay away from; one that dropped a connection may be well.
    assert transport.health()[0].state == ("open" if fault == "hang" else "closed")
    await asyncio.sleep(0.5)
    await transport.send(mail())
    assert (len(relay.mails), other.mails) == (2, [])


@pytest.mark.parametrize("answer", [b"what\r\n", b"354 more\r\n", b"999 x\r\n", b"250", b"250 " + b"x" * 100_000])
async def test_an_answer_to_the_dot_that_nobody_understands_is_ambiguous(
    start: Start, crook: Crook, to: To, answer: bytes
) -> None:
    relay, other = await crook({"dot": answer}), await start()
    with pytest.raises(Ambiguous):
        await to(relay.at(), other.at(), answer=1).send(mail())
    assert other.mails == []


@pytest.mark.parametrize("where", ["at_mail", "at_rcpt", "at_data"])
@pytest.mark.parametrize("kept", [False, True])
async def test_a_421_is_no_answer_about_the_mail(start: Start, to: To, where: str, kept: bool) -> None:
    relay, other = await start(), await start()
    transport = to(relay.at(), other.at())
    if kept:
        await transport.send(mail())
    getattr(relay, where).append("421 4.7.0 too many mails on this connection")
    await transport.send(mail())
    # A connection that had served before is made anew, once; a new one that does so is the relay's trouble.
    assert (len(relay.mails), len(other.mails)) == ((2, 0) if kept else (0, 1))
    assert len(relay.connections) == (2 if kept else 1)


async def test_a_relay_that_says_421_to_everything_is_left(start: Start, to: To) -> None:
    relay, other = await start(), await start()
    relay.at_rcpt += ["421 4.7.0 later"] * 100
    transport = to(relay.at(), other.at())
    for _ in range(10):
        await transport.send(mail())
    assert len(other.mails) == 10
    assert len(relay.connections) == 3
    assert transport.health()[0].reason == "smtp_421"


@pytest.mark.parametrize("step", ["greeting", "EHLO", "RCPT"])
async def test_a_burst_waits_once_for_a_relay_that_is_silent(start: Start, crook: Crook, to: To, step: str) -> None:
    relay, other = await crook({step: "silent"}), await start()
    transport = to(relay.at(connections=2), other.at())
    took = await seconds(asyncio.gather(*(transport.send(mail()) for _ in range(100))))
    assert len(other.mails) == 100
    assert took < 8  # and not a hundred
    assert relay.connections == 2


async def test_a_burst_at_a_relay_that_hangs_after_the_dot(start: Start, crook: Crook, to: To) -> None:
    relay, other = await crook({"dot": "silent"}), await start()
    transport = to(relay.at(connections=4), other.at())
    outcomes = await asyncio.gather(*(transport.send(mail()) for _ in range(40)), return_exceptions=True)
    # Four were there, and nobody knows; the others were not, and went to the next.
    assert sum(isinstance(outcome, Ambiguous) for outcome in outcomes) == 4
    assert (len(relay.mails), len(other.mails)) == (4, 36)


async def test_a_burst_does_not_wait_for_its_rate_at_a_relay_that_is_away(start: Start, crook: Crook, to: To) -> None:
    relay, other = await crook({"RCPT": "silent"}), await start()
    transport = to(relay.at()._replace(rate=1), other.at(), pause=60)
    took = await seconds(asyncio.gather(*(transport.send(mail()) for _ in range(50))))
    assert len(other.mails) == 50
    assert took < 10  # and not fifty
    # Nor do those who come later.
    assert await seconds(asyncio.gather(*(transport.send(mail()) for _ in range(20)))) < 5


async def test_in_a_storm_no_mail_is_lost_or_doubled(start: Start, to: To) -> None:
    weather = random.Random(20260309)
    relays = [await start(), await start(), await start()]
    for relay in relays:
        for where, faults in {
            "at_mail": ["421 bye", "450 later", "drop"],
            "at_rcpt": ["421 bye", "450 later", "550 no", "drop", "hang"],
            "at_data": ["421 bye", "450 later", "550 no", "drop", "hang"],
        }.items():
            getattr(relay, where).extend(weather.choices(faults, k=25))
    transport = to(*(relay.at() for relay in relays), patience=1, answer=0.5, pause=0.05)
    contents = [b"Subject: %d\r\n\r\nHello\r\n" % number for number in range(600)]

    async def sent(content: bytes) -> Receipt | TransportError:
        while True:
            await asyncio.sleep(weather.uniform(0, 2))
            try:
                return await transport.send(mail(content, urgency=weather.randrange(3)))
            except TransportError as error:
                if type(error) is not Transient:
                    return error

    outcomes = await asyncio.gather(*map(sent, contents))
    taken = Counter(content for relay in relays for content in relay.mails)
    for content, outcome in zip(contents, outcomes, strict=True):
        if isinstance(outcome, Receipt):
            assert taken[content] == 1
        elif isinstance(outcome, Ambiguous):
            assert taken[content] <= 1
        else:
            assert taken[content] == 0
    assert {type(outcome) for outcome in outcomes} >= {Receipt, Ambiguous, Deferred, Permanent}


async def test_with_no_relay_left_it_is_not_now(to: To, refusing: SmtpRelay) -> None:
    transport = to(refusing, refusing)
    for _ in range(2):
        with pytest.raises(Transient, match=r"^no_relay_reachable$") as caught:
            await transport.send(mail())
        assert type(caught.value) is Transient


async def test_a_relay_that_recovers_is_used_again(start: Start, to: To, refusing: SmtpRelay) -> None:
    other = await start()
    transport = to(refusing, other.at(), pause=2)
    with capture_logs() as logs:
        for _ in range(5):
            await transport.send(mail())
        away = transport.health()[0]
        assert (away.name, away.state) == (f"{HOST}:{refusing.port}", "open")
        assert transport.health()[1].state == "closed"
        relay = await start(port=refusing.port)
        await asyncio.sleep(2.1)
        await asyncio.gather(*(transport.send(mail()) for _ in range(5)))
    # One probed, and the others did not wait for what it found.
    assert len(relay.mails) == 1
    assert len(other.mails) == 9
    await transport.send(mail())
    assert len(relay.mails) == 2
    back = transport.health()[0]
    assert (back.state, back.reason) == ("closed", None)
    name = f"{HOST}:{refusing.port}"
    assert logs == [
        {
            "event": "relay_away",
            "log_level": "warning",
            "relay": name,
            "reason": "ConnectionRefusedError",
            "again_in_s": 2,
        },
        {"event": "relay_back", "log_level": "info", "relay": name},
    ]


async def test_a_probe_that_is_given_up_lets_another_try(crook: Crook, to: To) -> None:
    relay = await crook({"greeting": "silent"})
    transport = to(relay.at(), patience=1, pause=0.1)
    with pytest.raises(Transient):
        await transport.send(mail())
    await asyncio.sleep(0.1)
    probe = asyncio.create_task(transport.send(mail()))
    await until(lambda: transport.health()[0].state == "probing")
    with pytest.raises(Transient):
        await transport.send(mail())
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    relay.faults.clear()
    await transport.send(mail())
    assert transport.health()[0].state == "closed"


async def test_a_mail_that_breaks_connections_closes_the_door_for_no_other(start: Start, to: To) -> None:
    relay = await start()
    transport = to(relay.at())
    for count in range(10):
        await transport.send(mail())
        # On the kept connection, and again on a new one.
        relay.at_rcpt += ["drop", "drop"]
        with pytest.raises(Transient):
            await transport.send(mail())
        assert (len(relay.mails), relay.at_rcpt) == (count + 1, [])
    assert transport.health()[0].state == "closed"


async def test_greylisting_stays_with_its_relay(start: Start, to: To) -> None:
    relay, other = await start(), await start()
    relay.at_rcpt += ["450 4.2.0 greylisted"] * 3
    transport = to(relay.at(), other.at())
    for _ in range(3):
        with pytest.raises(Deferred):
            await transport.send(mail())
    await transport.send(mail())
    assert (relay.mails, other.mails) == ([CONTENT], [])


async def test_an_address_that_is_silent_leaves_time_for_the_next(start: Start, full: SmtpRelay) -> None:
    relay = await start()
    addresses = [
        (socket.AF_INET, socket.SOCK_STREAM, 0, "", (HOST, port)) for port in (full.port, full.port, relay.port)
    ]
    async with asyncio.timeout(4):
        (await first_to_answer(addresses)).close()
    await until(lambda: len(relay.connections) == 1)


class Counting(ThreadPoolExecutor):
    """Where names are looked up."""

    submitted = 0

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        self.submitted += 1
        return super().submit(*args, **kwargs)


async def test_a_resolver_that_hangs_takes_one_thread(start: Start, to: To) -> None:
    relay, threads, answer = await start(), Counting(max_workers=1), threading.Event()
    asyncio.get_running_loop().set_default_executor(threads)
    hanging = asyncio.get_running_loop().run_in_executor(None, answer.wait)
    try:
        transport = to(relay.at(host="localhost"), patience=1, pause=0)
        for _ in range(5):
            outcomes = await asyncio.gather(*(transport.send(mail()) for _ in range(4)), return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [Transient] * 4
        assert threads.submitted == 2
    finally:
        answer.set()
    await hanging
    await transport.send(mail())
    assert relay.mails == [CONTENT]
