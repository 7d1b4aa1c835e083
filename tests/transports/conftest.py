"""Relays to speak to: real SMTP servers with real certificates, and with the faults that relays have."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Literal

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from notifier.ports import bind
from notifier.setting_types import SmtpRelay

HOST = "127.0.0.1"
USER, PASSWORD = "notifier", "s3cret: with @ and /"
Fault = Literal["drop", "hang"]


@dataclass
class Relay:
    """An SMTP server that keeps what it takes.

    `at_rcpt` and `at_data` are made to happen once each, in order: a reply line, or "drop" or "hang". What is dropped
    or hangs at DATA has been taken all the same: that is what makes it ambiguous.
    """

    mails: list[bytes] = field(default_factory=list)
    senders: list[str | None] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    connections: list[SMTP] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    at_rcpt: list[str] = field(default_factory=list)
    at_data: list[str] = field(default_factory=list)
    port: int = 0

    def at(
        self, tls: Literal["tls", "starttls", "none"] = "none", *, host: str = HOST, login: bool = False
    ) -> SmtpRelay:
        """As the settings name it."""
        return SmtpRelay(host, self.port, tls, USER if login else None, PASSWORD if login else None)

    def disconnect(self) -> None:
        """Close every connection, as relays do with idle ones."""
        for connection in self.connections:
            if connection.transport is not None:
                connection.transport.close()

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.senders.append(address)
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
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
            tls: Literal["tls", "starttls", "none"] = "none", *, name: str = HOST, login: bool = False
        ) -> Relay:
            relay = Relay()
            context = None
            if tls != "none":
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                authority.issue_cert(name).configure_cert(context)

            def connection() -> SMTP:
                server = SMTP(
                    relay,
                    hostname="relay.example",
                    tls_context=context if tls == "starttls" else None,
                    auth_required=login,
                    auth_require_tls=tls == "starttls",
                    authenticator=_authenticate if login else None,
                    loop=asyncio.get_running_loop(),
                )
                relay.connections.append(server)
                return server

            loop, listener = asyncio.get_running_loop(), bind(HOST, 0, "")
            server = await loop.create_server(connection, sock=listener, ssl=context if tls == "tls" else None)
            relay.port = listener.getsockname()[1]

            async def stopped() -> None:
                server.close()
                relay.disconnect()
                await server.wait_closed()

            stack.push_async_callback(stopped)
            return relay

        yield started


@pytest.fixture
async def silent() -> AsyncIterator[SmtpRelay]:
    """A relay that takes connections and says nothing."""
    listener = bind(HOST, 0, "")
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), sock=listener)
    yield SmtpRelay(HOST, listener.getsockname()[1], "none", None, None)
    server.close()
    for writer in writers:
        writer.close()
    await server.wait_closed()


@pytest.fixture
def refusing() -> SmtpRelay:
    """A relay that is down: nobody listens there."""
    listener = bind(HOST, 0, "")
    port = listener.getsockname()[1]
    listener.close()
    return SmtpRelay(HOST, port, "none", None, None)
