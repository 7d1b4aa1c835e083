"""A connection to a relay, greeted and logged in by aiosmtplib, comes in; commands go out over it and replies come
back, several at once where the relay takes them so (RFC 2920).
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import aiosmtplib

# A reply's line, and all its lines together (RFC 5321 section 4.5.3.1.5 has 512 for one).
_LONGEST_LINE = 8_192
_LONGEST_REPLY = 4 * _LONGEST_LINE


class Reply(NamedTuple):
    """What the relay answered to one command; of several lines the codes are those of the last."""

    code: int
    text: str


class Broken(Exception):
    """The connection is no more."""


class Malformed(Exception):
    """What came is no reply."""


class Line(asyncio.Protocol):
    """`client` is connected; from here on its connection is this one's."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self._client = client
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._awaited: deque[asyncio.Future[Reply]] = deque()
        self.transport = cast(asyncio.Transport, client.transport)
        self.transport.set_protocol(self)
        self.at_once = self.supports("pipelining")

    @property
    def is_connected(self) -> bool:
        """As far as it is known here."""
        return not self.transport.is_closing()

    def supports(self, extension: str) -> bool:
        """Whether the relay announced this extension, in lower case."""
        return self._client.supports_extension(extension)

    @property
    def certificate(self) -> dict[str, Any] | None:
        """The relay's, where the connection is encrypted."""
        secured: ssl.SSLObject | None = self.transport.get_extra_info("ssl_object")
        return None if secured is None else self.transport.get_extra_info("peercert") or {}

    def say(self, *commands: bytes) -> Sequence[asyncio.Future[Reply]]:
        """Sends them in one piece; the reply to each, or Broken or Malformed, will be in its future."""
        replies = [asyncio.get_running_loop().create_future() for _ in commands]
        if not self.is_connected:
            _break(replies, Broken())
            return replies
        self._awaited += replies
        self.transport.write(b"".join(command + b"\r\n" for command in commands))
        return replies

    def write(self, content: bytes) -> None:
        """Sends what has no reply yet."""
        self.transport.write(content)

    def abort(self) -> None:
        """Not close(), which goes on sending what is still to be sent: a mail that was given up must not go later."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Replies, in the order of the commands."""
        if not self._awaited:
            # Nobody has asked: it must not be taken for the answer to what is asked next.
            return
        self._buffer += data
        while self._awaited and (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._lines.append(line)
            if line[3:4] != b"-":
                self._reply()
        if not self._awaited:
            self._buffer.clear()
        if len(self._buffer) > _LONGEST_LINE or sum(map(len, self._lines)) > _LONGEST_REPLY:
            self._fail(Malformed())

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits is told."""
        self._fail(Broken())

    def _reply(self) -> None:
        lines, self._lines = self._lines, []
        code = lines[-1][:3]
        if not code.isdigit() or len(code) != 3:
            self._fail(Malformed())
            return
        text = b"\n".join(line[4:].strip() for line in lines).decode("utf-8", "surrogateescape")
        reply = self._awaited.popleft()
        if not reply.done():
            reply.set_result(Reply(int(code), text))

    def _fail(self, error: Exception) -> None:
        awaited, self._awaited = self._awaited, deque()
        self._buffer.clear()
        _break(awaited, error)


def _break(replies: Sequence[asyncio.Future[Reply]] | deque[asyncio.Future[Reply]], error: Exception) -> None:
    for reply in replies:
        if not reply.done():
            reply.set_exception(error)
            # Whoever waits for an earlier one may never look at this.
            reply.exception()
