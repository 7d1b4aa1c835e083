"""What stands around every request: bounds on its path and headers, an answer for any fault of ours, and the headers of
every answer, errors too. Nothing is stored, framed, guessed at or told to another site, unless a handler says so.
"""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notifier.api.signatures import SIGNATURE_HEADERS
from notifier.errors import HeadersTooLarge, Malformed, NotFound

HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-robots-tag": "noindex",
}
MOST_HEADER_BYTES = 8 * 1024
# Of no path of ours, and of no id in one. Decoded: a route's pattern ends in `$`, which lets a last newline pass.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# In a request's state: what its key has left, for the headers of any answer to it.
ALLOWANCE = "allowance"
# Two of these say two things, of which two programs may believe one each.
_ONCE = {
    b"authorization",
    b"content-type",
    b"content-encoding",
    b"content-length",
    b"host",
    b"idempotency-key",
} | SIGNATURE_HEADERS


def style_source(page: str) -> str:
    """The Content-Security-Policy source of a page's one style element: its hash (CSP 3, section 8.4)."""
    return _source("style", page)


def script_source(page: str) -> str:
    """The same of its one script element."""
    return _source("script", page)


def _source(element: str, page: str) -> str:
    inside = re.search(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
    assert inside, f"the page has a {element} element"
    return f"'sha256-{base64.b64encode(hashlib.sha256(inside.group(1).encode()).digest()).decode()}'"


class Edge:
    """ASGI middleware. `page` is any page for owners: all have the same style element. `answer` answers an error."""

    def __init__(self, app: ASGIApp, page: str, answer: Callable[[Request, Exception], Awaitable[Response]]) -> None:
        self._app = app
        self._answer = answer
        self._headers = HEADERS | {
            "content-security-policy": (
                f"default-src 'none'; style-src {style_source(page)}; form-action 'self'; "
                "base-uri 'none'; frame-ancestors 'none'"
            )
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
                    headers.setdefault(name, value)
                allowance = scope.get("state", {}).get(ALLOWANCE)
                if allowance:
                    headers.update(allowance.headers)
            await send(message)

        try:
            _check(scope)
            await self._app(scope, receive, with_headers)
        except Exception as error:
            # Answered here and not by Starlette's outermost layer, whose answers would lack the headers.
            if started:
                raise
            response = await self._answer(Request(scope), error)
            await response(scope, receive, with_headers)


def _check(scope: Scope) -> None:
    """Raises NotFound, HeadersTooLarge or Malformed."""
    if _CONTROL.search(scope["path"]):
        raise NotFound("there is nothing at this path")
    # An owner's browser may have many cookies of this domain's other hosts. Their link works all the same.
    if scope["path"].startswith("/l/"):
        return
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if sum(len(name) + len(value) for name, value in headers) > MOST_HEADER_BYTES:
        raise HeadersTooLarge(f"all headers together must be at most {MOST_HEADER_BYTES} bytes")
    names = [name for name, _ in headers if name in _ONCE]
    if len(set(names)) != len(names):
        raise Malformed("a header that may be there once is there twice")
