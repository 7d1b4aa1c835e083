"""What stands before the account platform and misbehaves: requests come in; they go on to the platform, or get another
answer, late, or none.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Misconduct = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]


class Unruly:
    """An ASGI application before another, its `app`; well-behaved until told to `misbehave`."""

    def __init__(self) -> None:
        self.app: ASGIApp = Response(status_code=503)
        self._misconduct: Misconduct = well
        self._times = 0

    def misbehave(self, misconduct: Misconduct, times: int = sys.maxsize) -> None:
        """To so many requests from now on."""
        self._misconduct, self._times = misconduct, times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._times > 0:
            self._times -= 1
            await self._misconduct(self.app, scope, receive, send)
        else:
            await self.app(scope, receive, send)


async def well(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """No misconduct: the platform answers."""
    await app(scope, receive, send)


def answer(status: int, content: Any = b"", **headers: str) -> Misconduct:
    """This instead of the platform's own answer."""

    async def misconduct(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        await Response(content, status, named)(scope, receive, send)

    return misconduct


async def hang(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """No answer, until the other side has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def take(then: Misconduct) -> Misconduct:
    """The platform takes it, but what it answers is not heard."""

    async def misconduct(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def unheard(message: Message) -> None:
            pass

        await app(scope, receive, unheard)
        await then(app, scope, receive, send)

    return misconduct
