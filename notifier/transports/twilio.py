"""SMS by Twilio's own client: an `Sms` comes in, a message of the Programmable Messaging API (2010-04-01) goes out."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from notifier.transports.base import Permanent, Receipt, Sms, Transient

# Twilio takes a validity period of 1 second to 10 hours.
_LONGEST_VALIDITY = 36_000
# All that a wire can do to us. The last two: an answer that is no JSON object, as proxies in front of an API give when
# it is down.
_WIRE = (TwilioException, aiohttp.ClientError, OSError, TimeoutError, ValueError, AttributeError)


class TwilioTransport:
    """Sends as `sender` (a number) or by `messaging_service`; `base_url` is another endpoint than Twilio's own."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        sender: str | None = None,
        messaging_service: str | None = None,
        base_url: str | None = None,
        timeout: float = 15,
    ) -> None:
        self._http = _HttpClient(base_url)
        self._client = Client(account_sid, auth_token, http_client=self._http)
        self._from: dict[str, str] = (
            {"messaging_service_sid": messaging_service} if messaging_service else {"from_": sender or ""}
        )
        self._timeout = timeout

    async def send(self, message: Sms) -> Receipt:
        """Raises Transient or Permanent."""
        try:
            # The client ignores its own timeout.
            async with asyncio.timeout(self._timeout):
                sent = await self._client.messages.create_async(
                    to=message.recipient,
                    body=message.text,
                    validity_period=max(1, min(message.valid_for, _LONGEST_VALIDITY)),
                    **self._from,
                )
        except TwilioRestException as error:
            reason = f"twilio_{error.code or error.status}"
            # 401 and 403: the operator's token is wrong or was rotated, which is mended here and not by the owner.
            if error.status in (401, 403, 429) or error.status >= 500:
                raise Transient(reason) from None
            raise Permanent(reason) from None
        except _WIRE:
            raise Transient("twilio_unreachable") from None
        if not sent.sid:
            raise Transient("twilio_unreachable")
        return Receipt("twilio", str(sent.sid))

    async def close(self) -> None:
        """Closes the HTTP session."""
        await self._http.close()


class _HttpClient(AsyncTwilioHttpClient):  # type: ignore[misc]  # twilio ships no types
    """Twilio's client with the scheme and host of every request replaced by `base_url`'s."""

    def __init__(self, base_url: str | None) -> None:
        super().__init__()
        self._base = urlsplit(base_url) if base_url else None

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        if self._base:
            parts = urlsplit(url)
            path = self._base.path.rstrip("/") + parts.path
            url = parts._replace(scheme=self._base.scheme, netloc=self._base.netloc, path=path).geturl()
        return await super().request(method, url, *args, **kwargs)
