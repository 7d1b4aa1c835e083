"""Relays to speak to: real SMTP servers with real certificates, and with the faults that relays have."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from notifier.ports import bind
from notifier.setting_types import SmtpRelay
from notifier.transports.relay import Timing
from notifier.transports.smtp import SmtpTransport
from tests.ports import HOST, reserved

USER, PASSWORD = "notifier", "s3cret: with @ and /"
Tls = Literal["tls", "starttls", "none"]


@dataclass
class Relay:
    """An SMTP server that keeps what it takes.

    `at_mail`, `at_rcpt` and `at_data` are made to happen once each, in order: a reply line, or "drop" or "hang". What
    is dropped or hangs at DATA has been taken all the same: that is what makes it ambiguous.
    """

    mails: list[bytes] = field(default_factory=list)
    senders: list[str | None] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    options: list[list[str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    connections: list[SMTP] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    at_mail: list[str] = field(default_factory=list)
    at_rcpt: list[str] = field(default_factory=list)
    at_data: list[str] = field(default_factory=list)
    port: int = 0

    def at(
        self,
        tls: Tls = "none",
        *,
        host: str = HOST,
        login: bool = False,
        connections: int = 8,
        rate: float | None = None,
    ) -> SmtpRelay:
        """As the settings name it."""
        user, password = (USER, PASSWORD) if login else (None, None)
        return SmtpRelay(host, self.port, tls, user, password, connections, rate)

    def disconnect(self) -> None:
        """Close every connection, as relays do with idle ones."""
        for connection in self.connections:
            if connection.transport is not None:
                connection.transport.close()

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.senders.append(address)
        self.options.append(options)
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        if self.at_mail:
            return await self._fault(self.at_mail.pop(0), server)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_rcpt:
            return await self._fault(self.at_rcpt.pop(0), server)
        self.recipients.append(address)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        fault = self.at_data.pop(0) if self.at_data else ""
        if not fault[:1].isdigit():
            assert isinstance(envelope.original_content, bytes)
            self.mails.append(envelope.original_content)
        return await self._fault(fault, server) if fault else f"250 2.0.0 Ok: queued as {len(self.mails)}"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.commands.append("QUIT")
        return "221 Bye"

    async def _fault(self, fault: str, server: SMTP) -> str:
        if fault == "drop":
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        if fault in ("drop", "hang"):
            await asyncio.Event().wait()  # until the connection is gone
        return fault


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=right)


Start = Callable[..., Awaitable[Relay]]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """What a client has whose machine trusts our authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
async def start(authority: trustme.CA) -> AsyncIterator[Start]:
    """Starts relays; they go down with the test."""
    async with AsyncExitStack() as stack:

        async def started(
            tls: Tls = "none",
            *,
            name: str = HOST,
            login: bool = False,
            utf8: bool = False,
            expired: bool = False,
            context: ssl.SSLContext | None = None,
            port: int = 0,
        ) -> Relay:
            relay = Relay()
            if tls != "none":
                context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                until = datetime(2020, 1, 1, tzinfo=UTC) if expired else None
                authority.issue_cert(name, not_after=until).configure_cert(context)

            def connection() -> SMTP:
                server = SMTP(
                    relay,
                    hostname="relay.example",
                    tls_context=context if tls == "starttls" else None,
                    auth_required=login,
                    auth_require_tls=tls == "starttls",
                    authenticator=_authenticate if login else None,
                    enable_SMTPUTF8=utf8,
                    loop=asyncio.get_running_loop(),
                )
                relay.connections.append(server)
                return server

            loop, listener = asyncio.get_running_loop(), bind(HOST, port, "")
            server = await loop.create_server(connection, sock=listener, ssl=context if tls == "tls" else None)
            relay.port = listener.getsockname()[1]

            async def stopped() -> None:
                server.close()
                relay.disconnect()
                await server.wait_closed()

            stack.push_async_callback(stopped)
            return relay

        yield started


@dataclass
class Crooked:
    """An SMTP server written by hand, which can do at any step what no library's would.

    `faults` are by step: "greeting", the first word of a command, "354" (right after that answer), "content" (when it
    has begun) or "dot" (when all of it is in). A fault is the bytes to answer, or "silent" (until it is `woken`, and
    then it counts what still comes), "drop", or "drip": the right answer, a byte a second.
    """

    faults: dict[str, str | bytes]
    port: int = 0
    connections: int = 0
    commands: list[bytes] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    extensions: tuple[str, ...] = ("8BITMIME",)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    late: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def at(self, tls: Tls = "none", *, login: bool = False, connections: int = 8) -> SmtpRelay:
        user, password = (USER, PASSWORD) if login else (None, None)
        return SmtpRelay(HOST, self.port, tls, user, password, connections)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        answers = {b"EHLO": b"".join(f"250-{name}\r\n".encode() for name in ("relay", *self.extensions)) + b"250 HELP"}
        answers |= {b"DATA": b"354 go on", b"QUIT": b"221 bye"}
        try:
            await self._answer(reader, writer, "greeting", b"220 relay")
            while line := await reader.readline():
                self.commands.append(line)
                verb = line.split()[0].split(b":")[0].upper()
                await self._answer(reader, writer, verb.decode(), answers.get(verb, b"250 OK"))
                if verb == b"DATA":
                    await self._take(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for step, begun in (("354", 0), ("content", 1)):
            if fault := self.faults.get(step):
                await reader.readexactly(begun)
                await self._do(fault, reader, writer, b"")
        content = await reader.readuntil(b"\r\n.\r\n")
        self.mails.append(content[:-3])
        await self._answer(reader, writer, "dot", b"250 OK")

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, step: str, right: bytes
    ) -> None:
        fault = self.faults.get(step)
        if fault is None:
            writer.write(right + b"\r\n")
        else:
            await self._do(fault, reader, writer, right)

    async def _do(
        self, fault: str | bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, right: bytes
    ) -> None:
        if isinstance(fault, bytes):
            writer.write(fault)
        elif fault == "drip":
            for byte in right:
                writer.write(bytes([byte]))
                await asyncio.sleep(1)
        elif fault == "silent":
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's, which can
            await self.woken.wait()
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            with contextlib.suppress(ConnectionError):
                while some := await reader.read(2**16):
                    self.late += len(some)
            self.gone.set()
        else:
            raise ConnectionAbortedError


Crook = Callable[..., Awaitable[Crooked]]


@pytest.fixture
async def crook() -> AsyncIterator[Crook]:
    """Starts crooked relays, with a fault for each step that is named."""
    async with AsyncExitStack() as stack:

        async def started(faults: dict[str, str | bytes] | None = None, *extensions: str) -> Crooked:
            relay = Crooked(faults or {}, extensions=extensions or ("8BITMIME",))
            talks: set[asyncio.Task[None]] = set()

            def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                talk = asyncio.create_task(relay.converse(reader, writer))
                talks.add(talk)

            listener = bind(HOST, 0, "")
            relay.port = listener.getsockname()[1]
            server = await asyncio.start_server(connected, sock=listener, limit=2**26)

            async def stopped() -> None:
                server.close()
                for talk in talks:
                    talk.cancel()
                await asyncio.gather(*talks, return_exceptions=True)
                await server.wait_closed()

            stack.push_async_callback(stopped)
            return relay

        yield started


@pytest.fixture
def refusing() -> Iterator[SmtpRelay]:
    """A relay that is down: nobody listens there."""
    with reserved() as port:
        yield SmtpRelay(HOST, port, "none", None, None)


To = Callable[..., SmtpTransport]


@pytest.fixture
async def to(trusting: ssl.SSLContext) -> AsyncIterator[To]:
    """A transport over relays, closed with the test; less patient than ours is."""
    async with AsyncExitStack() as stack:

        def made(*relays: SmtpRelay, patience: float = 2, answer: float = 2, pause: float = 2) -> SmtpTransport:
            transport = SmtpTransport(relays, tls_context=trusting, timing=Timing(patience, answer, pause))
            stack.push_async_callback(transport.close)
            return transport

        yield made
