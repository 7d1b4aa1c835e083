"""How Twilio's client speaks HTTP: a request of its comes in, the answer goes out, or `Refused` with what was said."""

import base64
import json
import logging
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from notifier.clock import retry_after, system_clock
from notifier.transports.twilio_errors import code_of

# Looking up, TCP and TLS together, in seconds. The whole of a request, and their number, are bounded by who makes them.
_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=3)
# For how many seconds an idle connection is kept: less than any server does (5 s are common). One that a server closes
# while a request is on its way looks like a text that may have been taken.
_IDLE = 2
# No request has been sent when one of these is raised.
NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
# The most seconds that a refusal may ask for: who is well again sooner must not be waited for for a day.
_LONGEST_REST = 600


def new_session() -> aiohttp.ClientSession:
    """Keeps connections, and is patient for no longer than it may."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=_IDLE), timeout=_TIMEOUT)


class Refused(Exception):
    """No success was answered: the HTTP status, Twilio's code if there is one, in how many seconds to come again."""

    def __init__(self, status: int, body: bytes, wait: str) -> None:
        super().__init__()
        self.status = status
        self.code = _code(body)
        self.retry_after = min(retry_after(wait, system_clock()), _LONGEST_REST) or None


class HttpClient(AsyncHttpClient):  # type: ignore[misc]  # twilio ships no types
    """What Twilio's client sends by; its own has no bounds, neither of time nor of connections, and hides the headers.

    `base_url` takes the place of the scheme and host of every request.
    """

    def __init__(self, session: aiohttp.ClientSession, base_url: str | None) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._session = session
        self._base = urlsplit(base_url) if base_url else None

    async def request(
        self, method: str, uri: str, *, data: Any, headers: dict[str, str], auth: tuple[str, str], **_: object
    ) -> Response:
        """Raises Refused, or what aiohttp raises."""
        if self._base:
            asked = urlsplit(uri)
            path = self._base.path.rstrip("/") + asked.path
            uri = asked._replace(scheme=self._base.scheme, netloc=self._base.netloc, path=path).geturl()
        headers = {**headers, "Authorization": f"Basic {base64.b64encode(':'.join(auth).encode()).decode()}"}
        async with self._session.request(method, uri, data=data, headers=headers, allow_redirects=False) as answer:
            body = await answer.read()
        if not 200 <= answer.status < 300:
            raise Refused(answer.status, body, answer.headers.get("retry-after", ""))
        return Response(answer.status, body.decode(errors="replace"), answer.headers)

    async def close(self) -> None:
        """Closes the connections."""
        await self._session.close()


def _code(body: bytes) -> int | None:
    """Twilio's, of either form of its errors, of which the later is RFC 9457."""
    try:
        return code_of(json.loads(body)["code"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
