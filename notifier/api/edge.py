"""What stands around every request: an answer for any fault of ours, and the headers of every answer, errors too.

Nothing is stored, framed, guessed at or told to another site.
"""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def style_source(page: str) -> str:
    """The Content-Security-Policy source of a page's one style element: its hash (CSP 3, section 8.4)."""
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)
    assert style, "the page layout has a style element"
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()}'"


class Edge:
    """ASGI middleware. `page` is any page of ours: all have the same style element. `answer` answers an error."""

    def __init__(self, app: ASGIApp, page: str, answer: Callable[[Request, Exception], Awaitable[Response]]) -> None:
        self._app = app
        self._answer = answer
        self._headers = {
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "strict-transport-security": "max-age=63072000; includeSubDomains",
            "content-security-policy": (
                f"default-src 'none'; style-src {style_source(page)}; form-action 'self'; "
                "base-uri 'none'; frame-ancestors 'none'"
            ),
            "x-robots-tag": "noindex",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Adds the headers as an answer starts; an exception that nothing else took becomes an answer here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Exception as error:
            # Answered here and not by Starlette's outermost layer, whose answers would lack the headers.
            if started:
                raise
            response = await self._answer(Request(scope), error)
            await response(scope, receive, with_headers)
