"""One relay: a `Mail` comes in and goes out over a kept connection, when it is its turn and the relay is not away.

TLS is verified and never given up for plain text.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import cast

import aiosmtplib
import structlog

from notifier.setting_types import SmtpRelay
from notifier.transports.base import Ambiguous, Deferred, Mail, Permanent, Receipt, Step, TransportError
from notifier.transports.breaker import Attempt, Breaker, Refused, State
from notifier.transports.conversation import Hung, Stale, Unfit, finish, offer
from notifier.transports.dialing import Dialer
from notifier.transports.gate import Gate, TurnedAway
from notifier.transports.line import Broken, Line, Malformed
from notifier.transports.replies import Trouble

log = structlog.get_logger()

# All that a wire can do to us: aiosmtplib's own errors, and the sockets', TLS's and the resolver's, which are OSErrors.
_WIRE = (aiosmtplib.SMTPException, OSError)
# How long the goodbyes may take together. s
_GOODBYE = 2


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: `patience` for all that comes before a mail's last dot, connecting included; `answer` for the answer to
    the dot; `pause` to stay away from a relay that failed, doubling up to `longest_pause` while it does.
    """

    patience: float = 3
    answer: float = 10
    pause: float = 2
    longest_pause: float = 60


@dataclass(frozen=True, slots=True)
class RelayHealth:
    """How a relay is, named `host:port`; `reason` is a short code where it is away."""

    name: str
    state: State
    reason: str | None


@dataclass(frozen=True, slots=True)
class Greeting:
    """A relay took the connection, the TLS and the login that mails come by; `certified_until` in s since 1970."""

    secured: bool
    international: bool
    certified_until: float | None


class Relay:
    """`name` is what we call ourselves in EHLO."""

    def __init__(self, relay: SmtpRelay, name: str, tls_context: ssl.SSLContext, timing: Timing) -> None:
        self._relay, self._name, self._tls_context, self._timing = relay, name, tls_context, timing
        self._gate = Gate(relay.connections, relay.rate)
        self._breaker = Breaker(timing.pause, timing.longest_pause, self._changed)
        self._dialer = Dialer(relay.host, relay.port)
        self._idle: list[Line] = []

    @property
    def health(self) -> RelayHealth:
        """As of now."""
        state = self._breaker.state
        reason = None if state == "closed" else self._breaker.reason
        return RelayHealth(f"{self._relay.host}:{self._relay.port}", state, reason)

    @property
    def rest(self) -> float:
        """For how many seconds no mail is taken, since it is away; 0 when it is not."""
        return self._breaker.rest

    async def send(self, mail: Mail, turn: Step) -> Receipt:
        """Raises Permanent, Deferred or Ambiguous; Trouble or Unfit where another relay may have the mail. `turn` is
        awaited before the last dot.
        """
        if self._breaker.refuses:
            raise Trouble("away")
        try:
            async with self._gate.slot(mail.urgency):
                with self._breaker.attempt() as attempt:
                    return await self._attempt(attempt, mail, turn)
        except TransportError as error:
            error.by = self._relay.host
            raise
        except (TurnedAway, Refused):
            raise Trouble("away") from None

    async def greet(self) -> Greeting:
        """Connects as for a mail, and leaves; raises Trouble."""
        line = await self._connect(asyncio.get_running_loop().time() + self._timing.patience)
        try:
            certificate = line.certificate
            ends = (certificate or {}).get("notAfter")
            until = ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else None
            return Greeting(certificate is not None, line.supports("smtputf8"), until)
        finally:
            await _leave(line)

    async def close(self) -> None:
        """Says QUIT on every kept connection."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*map(_leave, idle))

    async def _attempt(self, attempt: Attempt, mail: Mail, turn: Step) -> Receipt:
        try:
            receipt = await self._converse(mail, turn)
        except Trouble as trouble:
            attempt.failed(trouble.reason, at_once=trouble.at_once)
            raise
        except Hung:
            attempt.failed("silent", at_once=True)
            raise
        except Ambiguous:
            # One mail may be strange; a relay that breaks off after every dot would double them all.
            attempt.failed("dropped", at_once=False)
            raise
        except (Permanent, Deferred, Unfit):
            attempt.succeeded()
            raise
        attempt.succeeded()
        return receipt

    async def _converse(self, mail: Mail, turn: Step) -> Receipt:
        deadline = asyncio.get_running_loop().time() + self._timing.patience
        while self._idle:
            try:
                return await self._hand_over(self._idle.pop(), mail, turn, deadline, kept=True)
            except Stale as stale:
                # As silent as this one are all that lead the same way.
                while stale.silent and self._idle:
                    self._idle.pop().abort()
            except Trouble as trouble:
                if trouble.at_once or asyncio.get_running_loop().time() > deadline:
                    raise
                # Relays end a connection for reasons of their own (its age, its count of mails): a new one may do.
                break
        return await self._hand_over(await self._connect(deadline), mail, turn, deadline)

    async def _hand_over(self, line: Line, mail: Mail, turn: Step, deadline: float, *, kept: bool = False) -> Receipt:
        try:
            async with _until(deadline):
                await offer(line, mail, kept=kept)
            await turn()
            if not line.is_connected:
                raise Trouble("dropped")
            receipt = await finish(line, self._relay.host, self._timing.answer)
        except (Permanent, Deferred, Unfit):
            # The answer was about this mail; the connection serves the next.
            self._keep(line)
            raise
        except BaseException:
            line.abort()
            raise
        self._keep(line)
        return receipt

    async def _connect(self, deadline: float) -> Line:
        relay = self._relay
        with ExitStack() as undo:
            try:
                async with _until(deadline):
                    client = aiosmtplib.SMTP(
                        sock=await self._dialer.dial(),
                        hostname=relay.host,
                        username=relay.username,
                        password=relay.password,
                        use_tls=relay.tls == "tls",
                        start_tls=relay.tls == "starttls",
                        tls_context=self._tls_context,
                        local_hostname=self._name,
                        timeout=None,
                    )
                    undo.callback(_hang_up, client)
                    await client.connect()
                    if client.is_ehlo_or_helo_needed:
                        await client.ehlo()
                    line = Line(client)
            except (*_WIRE, ValueError) as error:  # a host that is no name, a challenge that is no base64
                raise Trouble(_cause(error), at_once=True) from None
            undo.pop_all()
        return line

    def _keep(self, line: Line) -> None:
        if line.is_connected:
            self._idle.append(line)

    def _changed(self, breaker: Breaker) -> None:
        relay = self.health
        if relay.state == "open":
            log.warning("relay_away", relay=relay.name, reason=relay.reason, again_in_s=breaker.pause)
            # Whoever waits here would find out one by one what is known already.
            self._gate.turn_away()
        else:
            log.info("relay_back", relay=relay.name)


@asynccontextmanager
async def _until(deadline: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        raise Trouble("silent", at_once=True) from None


def _cause(error: Exception) -> str:
    """A short code; never a relay's words, which may repeat what it was told."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"smtp_{error.code}"
    return type(error.__cause__ or error).__name__


async def _leave(line: Line) -> None:
    with contextlib.suppress(Broken, Malformed, TimeoutError):
        async with asyncio.timeout(_GOODBYE):
            await line.say(b"QUIT")[0]
    line.abort()


def _hang_up(client: aiosmtplib.SMTP) -> None:
    # As Line.abort.
    if client.transport is not None:
        cast(asyncio.WriteTransport, client.transport).abort()
    client.close()
