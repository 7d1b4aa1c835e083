"""How requests are read off the wire: uvicorn's protocol, bounded in size and time before there is a request.

Without it a head may grow and wait for ever: llhttp bounds neither, and a handler sees a request only after it.
"""

import asyncio
import json
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from notifier.api.edge import HEADERS
from notifier.api.problems import MEDIA_TYPE, Problems, kind
from notifier.errors import HeadersTooLarge, Malformed, NotifierError, TooSlow

# More than the 8 KiB of the API's own headers: the pages for owners take what a browser sends.
MOST_HEAD_BYTES = 64 * 1024
# What is still read of a body that was refused, so that the refusal arrives and the connection can be used again.
MOST_REST_BYTES = 2 * 1024 * 1024
PATIENCE_S = 10
# There is no page in a refusal: nothing of it may be loaded, or framed.
_HEADERS = HEADERS | {
    "content-type": MEDIA_TYPE,
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "connection": "close",
}


class Wire(HttpToolsProtocol):
    """One connection. A request's head must be whole within 10 s of its first byte, or of the connection; so must
    what is left of a body whose request was answered before it was whole.
    """

    problems: Problems
    _deadline: asyncio.TimerHandle | None = None
    _head = 0
    _in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The time begins."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counted, while they are a head's, or the rest of a body that was answered."""
        if self.transport.is_closing():
            return
        if self._deadline is None and self.cycle.response_complete:
            self._await_head()
        self._head += len(data)
        super().data_received(data)
        if self._deadline is None:
            return
        if self._in_body:
            if self._head > MOST_REST_BYTES:
                self.transport.close()
        elif self._head > MOST_HEAD_BYTES:
            self._refuse(HeadersTooLarge(f"all headers together must be at most {MOST_HEAD_BYTES} bytes"))

    def on_headers_complete(self) -> None:
        """From here on the body's own bounds hold."""
        self._end_head()
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """What comes next is another request's."""
        self._in_body = False
        if self._deadline:
            self._end_head()
            self._await_head()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """As every other answer of ours."""
        self._refuse(Malformed("this is no HTTP request that can be read"))

    def _await_head(self) -> None:
        self._head = 0
        self._deadline = self.loop.call_later(PATIENCE_S, self._too_slow)

    def _end_head(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if self._head and not self._in_body:
            self._refuse(TooSlow(f"the headers must be here within {PATIENCE_S} seconds"))
        else:
            self.transport.close()

    def _refuse(self, error: NotifierError) -> None:
        self._end_head()
        if self.transport.is_closing():
            return
        body = json.dumps(self.problems.document(error)).encode()
        status = HTTPStatus(kind(error).status)
        headers = _HEADERS | {"content-length": str(len(body))}
        lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        self.transport.write("\r\n".join((*lines, "", "")).encode() + body)
        self.transport.close()


def wire(problems: Problems) -> type[Wire]:
    """For `uvicorn.Config(http=…)`."""
    return type("BoundWire", (Wire,), {"problems": problems})
