"""Mail over SMTP (RFC 5321): a `Mail` comes in and goes to the first relay, in order of preference, that takes it.

What is the mail's own (refused for good, deferred, unknown whether taken) is told at once; what is a relay's trouble
sends the mail on to the next.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence

from notifier.setting_types import SmtpRelay
from notifier.transports.base import Mail, Permanent, Receipt, Step, Transient, at_once
from notifier.transports.conversation import Unfit
from notifier.transports.relay import Greeting, Relay, RelayHealth, Timing
from notifier.transports.replies import Trouble


class SmtpTransport:
    """`name` is what we call ourselves in EHLO; none: the machine's name."""

    def __init__(
        self,
        relays: Sequence[SmtpRelay],
        *,
        name: str | None = None,
        tls_context: ssl.SSLContext | None = None,
        timing: Timing = Timing(),  # noqa: B008  # frozen
    ) -> None:
        # Not the machine's full name, which may have to be asked from a DNS that does not answer.
        name = name or socket.gethostname()
        context = tls_context or _verifying()
        self._relays = [Relay(relay, name, context, timing) for relay in relays]

    async def send(self, message: Mail, turn: Step = at_once) -> Receipt:
        """Raises TransportError: Transient itself when no relay could be reached."""
        unfit = 0
        for relay in self._relays:
            try:
                return await relay.send(message, turn)
            except Trouble:
                continue
            except Unfit:
                unfit += 1
        if unfit == len(self._relays):
            raise Permanent("smtputf8_not_supported")
        raise Transient("no_relay_reachable")

    @property
    def rest(self) -> float:
        """For how many seconds every relay is away."""
        return min(relay.rest for relay in self._relays)

    async def greet(self) -> list[Greeting | Trouble]:
        """How each relay greets, or why it does not, in order of preference; sends nothing."""

        async def greeted(relay: Relay) -> Greeting | Trouble:
            try:
                return await relay.greet()
            except Trouble as trouble:
                return trouble

        return await asyncio.gather(*map(greeted, self._relays))

    def health(self) -> list[RelayHealth]:
        """Of each relay, in order of preference."""
        return [relay.health for relay in self._relays]

    async def close(self) -> None:
        """Lets go of every kept connection."""
        await asyncio.gather(*(relay.close() for relay in self._relays))


def _verifying() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
