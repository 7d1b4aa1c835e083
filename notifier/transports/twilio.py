"""SMS by Twilio: an `Sms` comes in and goes out by the first account that takes it.

An account that has surely not taken it leaves it to the next one, at once. One that may have taken it does not.
"""

import asyncio
from collections.abc import Callable, Sequence

import aiohttp

from notifier.setting_types import TwilioAccount
from notifier.transports.base import Receipt, Sms, Step, Transient, TransportError, at_once
from notifier.transports.twilio_account import Account, Elsewhere
from notifier.transports.twilio_http import new_session

# With less time left than this no other account is asked: its answer might come too late to be known.
_LEAST = 4


class TwilioTransport:
    """`accounts`, first preferred. In seconds: `patience` bounds a sending, on however many of them; one that failed
    is left alone for `rest`. `session` makes the HTTP session of each.
    """

    def __init__(
        self,
        accounts: Sequence[TwilioAccount],
        public_url: str,
        *,
        patience: float = 14,
        rest: float = 5,
        session: Callable[[], aiohttp.ClientSession] = new_session,
    ) -> None:
        self._accounts = [Account(account, public_url, rest=rest, session=session) for account in accounts]
        self._patience = patience

    @property
    def rest(self) -> float:
        """It may always be tried: the last account is asked whatever it said."""
        return 0

    async def send(self, message: Sms, turn: Step = at_once) -> Receipt:
        """Raises TransportError."""
        loop = asyncio.get_running_loop()
        deadline, expires = loop.time() + self._patience, loop.time() + message.valid_for
        failures: list[Transient] = []
        for account in self._accounts:
            if failures and deadline - loop.time() < _LEAST:
                break
            try:
                last = account is self._accounts[-1]
                return await account.send(message, expires, deadline=deadline, last=last, turn=turn)
            except TransportError as error:
                error.by = account.name
                raise
            except Elsewhere as failure:
                failures.append(failure.error)
        # Whichever account may be well again first.
        raise min(failures, key=lambda failure: failure.retry_after or 0)

    async def standing(self) -> list[tuple[str, str]]:
        """The name of each account, and how it is: `active`, or why not; sends nothing."""
        told = await asyncio.gather(*(account.standing() for account in self._accounts))
        return [(account.name, one) for account, one in zip(self._accounts, told, strict=True)]

    async def close(self) -> None:
        """Closes the connections."""
        for account in self._accounts:
            await account.close()
