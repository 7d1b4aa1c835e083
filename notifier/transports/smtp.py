"""Mail over SMTP (RFC 5321): a `Mail` comes in and goes out over a kept connection to the first relay that takes it.

Connections are reused, at most `connections` to a relay. TLS is verified and never given up for plain text.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiosmtplib

from notifier.setting_types import SmtpRelay
from notifier.transports.base import Mail, Permanent, Receipt, Transient

# All that a wire can do to us: aiosmtplib's own errors, TLS's (OSError's children), and our patience's end.
_WIRE = (aiosmtplib.SMTPException, OSError, asyncio.TimeoutError)
# Connecting, TLS and login together: a relay that is silent must not keep a mail from the next one.
_DOOR = 4
# How long a relay that could not be reached is passed over: a burst must not wait at its door one by one.
_AWAY = 5


class SmtpTransport:
    """`timeout` in seconds bounds each step of a conversation."""

    def __init__(
        self,
        relays: Sequence[SmtpRelay],
        *,
        connections: int = 8,
        timeout: float = 10,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self._pools = [_Pool(relay, connections, timeout, tls_context) for relay in relays]

    async def send(self, message: Mail) -> Receipt:
        """Raises Transient or Permanent; a relay that cannot be reached or logged in to is passed over."""
        for pool in self._pools:
            try:
                async with pool.connection() as client:
                    return await _converse(client, message, pool.relay.host)
            except _Unreachable:
                continue
        raise Transient("no_relay_reachable")

    async def close(self) -> None:
        """Says QUIT on every kept connection."""
        for pool in self._pools:
            await pool.close()


class _Unreachable(Exception):
    pass


class _Pool:
    def __init__(self, relay: SmtpRelay, connections: int, timeout: float, tls_context: ssl.SSLContext | None) -> None:
        self.relay = relay
        self._slots = asyncio.Semaphore(connections)
        self._idle: list[aiosmtplib.SMTP] = []
        self._away_until = 0.0
        self._timeout = timeout
        self._tls_context = tls_context

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection that has just answered; it is kept unless the conversation ends in an error."""
        async with self._slots:
            client = await self._fresh()
            try:
                yield client
            except Permanent:
                await self._keep(client)
                raise
            except BaseException:
                client.close()
                raise
            await self._keep(client)

    async def _fresh(self) -> aiosmtplib.SMTP:
        # A kept connection may have been closed by the relay meanwhile. RSET finds out before a mail is at stake.
        while self._idle:
            client = self._idle.pop()
            try:
                await client.rset()
                return client
            except _WIRE:
                client.close()
        if time.monotonic() < self._away_until:
            raise _Unreachable
        relay = self.relay
        client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            username=relay.username,
            password=relay.password,
            use_tls=relay.tls == "tls",
            start_tls=relay.tls == "starttls",
            tls_context=self._tls_context,
            timeout=self._timeout,
        )
        try:
            async with asyncio.timeout(_DOOR):
                await client.connect()
        except _WIRE as error:
            client.close()
            self._away_until = time.monotonic() + _AWAY
            raise _Unreachable from error
        return client

    async def _keep(self, client: aiosmtplib.SMTP) -> None:
        if client.is_connected:
            self._idle.append(client)

    async def close(self) -> None:
        while self._idle:
            client = self._idle.pop()
            with contextlib.suppress(*_WIRE):
                await client.quit()
            client.close()


async def _converse(client: aiosmtplib.SMTP, message: Mail, relay: str) -> Receipt:
    try:
        await client.mail(message.sender)
        await client.rcpt(message.recipient)
    except aiosmtplib.SMTPResponseException as error:
        raise _refused(error) from None
    except _WIRE:
        # Not a byte of the mail has gone: another relay may take it.
        raise _Unreachable from None
    try:
        _, answer = await client.data(message.content)
    except aiosmtplib.SMTPResponseException as error:
        raise _refused(error) from None
    except _WIRE:
        # The relay may have it and may not. The next attempt carries the same Message-ID, so a mailbox can tell.
        raise Transient("ambiguous") from None
    return Receipt(relay, _queue_id(answer))


def _refused(error: aiosmtplib.SMTPResponseException) -> Transient | Permanent:
    reason = f"smtp_{error.code}"
    return Permanent(reason) if 500 <= error.code < 600 else Transient(reason)


def _queue_id(answer: str) -> str:
    # Relays answer "2.0.0 Ok: queued as 4ZkX…" in many forms; only the first line's start is kept.
    return answer.splitlines()[0][:80] if answer else ""
