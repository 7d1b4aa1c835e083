"""One Twilio account, by Twilio's own client: an `Sms` comes in, a message of the Programmable Messaging API
(2010-04-01) goes out. What comes back is a `Receipt`, or an error that tells whether another account may have it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import structlog
from twilio.rest import Client

from notifier.setting_types import LOOPBACK, TwilioAccount
from notifier.transports.base import Ambiguous, Deferred, Permanent, Receipt, Sms, Step, Transient, at_once
from notifier.transports.gate import Gate
from notifier.transports.twilio_errors import Meaning, meaning
from notifier.transports.twilio_http import NOT_SENT, HttpClient, Refused
from notifier.transports.twilio_receipts import callback_url

log = structlog.get_logger()

# Twilio takes a validity period of 1 second to 10 hours.
_LONGEST_VALIDITY = 36_000
_AT_ONCE = 32
# How long the account has to say how it is. s
_ASKED = 5
# Seconds that a message waits for its turn: less where another account has turns to give, too.
_QUEUE, _LAST_QUEUE = 4, 9


class Elsewhere(Exception):
    """This account has not taken the message, and another may; `error` is what to raise where there is none."""

    def __init__(self, error: Transient) -> None:
        super().__init__(error.reason)
        self.error = error


class Account:
    """Sends as the account's number or by its messaging service; has Twilio report to `public_url`, if it can.

    `rest` is for how many seconds it is left alone after it failed.
    """

    def __init__(
        self, account: TwilioAccount, public_url: str, *, rest: float, session: Callable[[], aiohttp.ClientSession]
    ) -> None:
        self.name = account.name
        self._rest = rest
        self._http = HttpClient(session(), account.base_url)
        self._client = Client(account.sid, account.token, http_client=self._http)
        self._from: dict[str, str | None] = (
            {"messaging_service_sid": account.messaging_service}
            if account.messaging_service
            else {"from_": account.sender}
        )
        # Twilio refuses a callback to a machine's own name. What stands at another base URL may be on that machine.
        reports = account.base_url is not None or urlsplit(public_url).hostname not in LOOPBACK
        self._reports_to = public_url if reports else None
        self._gate = Gate(_AT_ONCE)
        self._trouble: Transient | None = None
        self._rests_until = 0.0

    async def send(self, message: Sms, expires: float, *, deadline: float, last: bool, turn: Step = at_once) -> Receipt:
        """Raises Elsewhere, Deferred, Ambiguous or Permanent; `last` when there is no other account to go to. `turn` is
        awaited before the request.

        In the event loop's time, the message `expires`, and the sending is given up at its `deadline`.
        """
        self._pass_by(last)
        known, loop = self._trouble, asyncio.get_running_loop()
        async with self._turn(message.urgency, min(deadline, loop.time() + (_LAST_QUEUE if last else _QUEUE))):
            if self._trouble is not known:
                # Those before this one have found out.
                self._pass_by(last)
            await turn()
            try:
                async with asyncio.timeout_at(deadline):
                    sid = await self._create(message, round(expires - loop.time()))
            except Refused as refused:
                raise self._judged(refused) from None
            except NOT_SENT:
                raise self._failed(Transient("twilio_unreachable")) from None
            except Exception:  # noqa: BLE001  # whatever happened, the message may have been taken
                self._failed(Transient("twilio_unanswered"))
                raise Ambiguous("twilio_unanswered") from None
        self._trouble = None
        return Receipt(self.name, sid)

    async def standing(self) -> str:
        """`active`, or what else Twilio says of the account, or why it says nothing; sends nothing."""
        try:
            async with asyncio.timeout(_ASKED):
                told = await self._client.api.v2010.accounts(self._client.username).fetch_async()
        except Refused as refused:
            return f"twilio_{refused.code or refused.status}"
        except Exception:  # noqa: BLE001  # whatever it was, there is no answer
            return "twilio_unreachable"
        return str(told.status)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.close()

    async def _create(self, message: Sms, valid_for: int) -> str:
        sent = await self._client.messages.create_async(
            to=message.recipient,
            body=message.text,
            validity_period=max(1, min(valid_for, _LONGEST_VALIDITY)),
            **self._from,
            **self._callback(message),
        )
        if not sent.sid:
            raise ValueError("an answer without the name of a message")
        return str(sent.sid)

    def _callback(self, message: Sms) -> dict[str, str]:
        if not (self._reports_to and message.notification):
            return {}
        return {"status_callback": callback_url(self._reports_to, message.notification)}

    @asynccontextmanager
    async def _turn(self, urgency: int, until: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(until) as waiting, self._gate.slot(urgency):
                waiting.reschedule(None)
                yield
        except TimeoutError:
            raise Elsewhere(Transient("twilio_busy")) from None

    def _pass_by(self, last: bool) -> None:
        """Raises Elsewhere while the account rests: a burst must not find out one by one that it fails.

        The last account is asked all the same, unless it has said when to come back.
        """
        trouble, now = self._trouble, time.monotonic()
        if trouble is None or (last and trouble.retry_after is None):
            return
        if now < self._rests_until:
            raise Elsewhere(Transient(trouble.reason, retry_after=self._rests_until - now))
        if not last:
            # One message finds out for all; the others pass by until it has.
            self._rests_until = now + self._rest

    def _judged(self, refused: Refused) -> Exception:
        reason, after = f"twilio_{refused.code or refused.status}", refused.retry_after
        said = meaning(refused.code, refused.status)
        if said not in (Meaning.ACCOUNT, Meaning.UNCLEAR):
            self._trouble = None
        match said:
            case Meaning.DEAD:
                return Permanent(reason, dead_address=True)
            case Meaning.NEVER:
                return Permanent(reason)
            case Meaning.LATER:
                return Deferred(reason, retry_after=after)
            case Meaning.SENDER:
                log.warning("sms_account_failed", account=self.name, reason=reason)
                return Elsewhere(Transient(reason))
            case Meaning.ACCOUNT:
                return self._failed(Transient(reason, retry_after=after))
            case Meaning.UNCLEAR:
                self._failed(Transient(reason))
                return Ambiguous(reason)

    def _failed(self, trouble: Transient) -> Elsewhere:
        log.warning("sms_account_failed", account=self.name, reason=trouble.reason)
        self._trouble = trouble
        self._rests_until = time.monotonic() + (trouble.retry_after or self._rest)
        return Elsewhere(trouble)
