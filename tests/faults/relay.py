"""An SMTP server (RFC 5321) that misbehaves on command: conversations come in, which mails it took, and when, go out.

What it does wrong is its `fault`, a function that is called at each step of a conversation: it may return a reply to
give instead of the usual one, wait, or raise `Dropped`. The steps, in order:

    connect  EHLO  MAIL  RCPT  DATA  content (its first line is in)  mail (all of it is in, nothing is kept yet)
    kept (it is taken, the 250 is not said)  answered (the 250 is said)
"""

import asyncio
import re
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Literal

from notifier.ports import bind
from tests.ports import HOST, reserved

Step = Literal["connect", "EHLO", "MAIL", "RCPT", "DATA", "content", "mail", "kept", "answered"]
# Which step, on which port: each worker has a port of its own.
Fault = Callable[[Step, int], Awaitable[str | None]]
Act = Callable[[], Awaitable[str | None]]

_LONGEST_MAIL = 1 << 20
_MESSAGE_ID = re.compile(rb"^message-id:\s*<([^@>]+)@", re.IGNORECASE | re.MULTILINE)
_REPLIES: dict[str, tuple[Step, str]] = {
    "EHLO": ("EHLO", "250-relay.example\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES"),
    "MAIL": ("MAIL", "250 2.1.0 Ok"),
    "RCPT": ("RCPT", "250 2.1.5 Ok"),
}


class Dropped(Exception):
    """The connection breaks here, without a word."""


async def well(step: Step, port: int) -> None:
    """Nothing is wrong."""


def at(step: Step, act: Act, times: int = sys.maxsize) -> Fault:
    """`act` at this step, so many times."""

    async def fault(now: Step, port: int) -> str | None:
        nonlocal times
        if now != step or times <= 0:
            return None
        times -= 1
        return await act()

    return fault


def reply(*lines: str) -> Act:
    """Each line in turn instead of the usual reply; after a 421 the connection is closed (section 3.8)."""
    turn = 0

    async def act() -> str:
        nonlocal turn
        turn += 1
        return lines[(turn - 1) % len(lines)]

    return act


async def hang() -> None:
    """Nothing more is said, for as long as the other side waits."""
    await asyncio.Event().wait()


async def drop() -> None:
    """The connection breaks."""
    raise Dropped


def late(seconds: float) -> Act:
    """The usual reply, so much later."""

    async def act() -> None:
        await asyncio.sleep(seconds)

    return act


class Relay:
    """Counts what it takes in `taken`: for each Message-ID's local part, when (monotonic seconds), once a time.

    `pace` is how many seconds it takes over each byte that it says. `contents` are kept only where somebody reads them.
    """

    def __init__(self, taken: dict[str, list[float]]) -> None:
        self.fault: Fault = well
        self.pace = 0.0
        self.taken = taken
        self.contents: dict[str, bytes] | None = None
        self.connected: set[int] = set()
        # To come back on.
        self._reserved = ExitStack()
        self._servers: dict[int, asyncio.Server] = {}
        self._conversations: set[asyncio.Task[None]] = set()

    async def listen(self, port: int | None = None, tls: ssl.SSLContext | None = None) -> int:
        """Listen on one more port, from the first byte in TLS if that is given; which, when any will do."""
        bound = self._reserved.enter_context(reserved()) if port is None else port
        listener = bind(HOST, bound, "")

        async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._conversation(reader, writer, bound)

        self._servers[bound] = await asyncio.start_server(conversation, sock=listener, limit=_LONGEST_MAIL, ssl=tls)
        return bound

    async def down(self) -> list[int]:
        """Break off and listen no more, as a host that is gone; the ports, for it to come back on."""
        ports = list(self._servers)
        for server in self._servers.values():
            server.close()
        for task in list(self._conversations):
            task.cancel()
        await asyncio.gather(*self._conversations)
        self._servers.clear()
        return ports

    async def close(self) -> None:
        """Go down for good."""
        await self.down()
        self._reserved.close()

    async def _conversation(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        task = asyncio.current_task()
        assert task
        self._conversations.add(task)
        self.connected.add(port)
        try:
            await _Conversation(self, reader, writer, port).hold()
        except (Dropped, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side is gone, or this one is to be
        finally:
            self._conversations.discard(task)
            writer.transport.abort()


class _Conversation:
    def __init__(self, relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        self._relay = relay
        self._reader = reader
        self._writer = writer
        self._port = port

    async def hold(self) -> None:
        await self._say(await self._at("connect") or "220 relay.example ESMTP")
        while line := await self._reader.readline():
            verb = line[:4].decode("ascii", "replace").upper()
            if verb == "QUIT":
                await self._say("221 2.0.0 Bye")
                return
            if verb == "DATA":
                await self._data()
            else:
                step, usual = _REPLIES.get(verb, (None, "250 2.0.0 Ok"))
                await self._say((step and await self._at(step)) or usual)

    async def _data(self) -> None:
        refused = await self._at("DATA")
        await self._say(refused or "354 End data with <CR><LF>.<CR><LF>")
        if refused:
            return
        content = await self._reader.readline()
        await self._at("content")
        content += await self._reader.readuntil(b"\r\n.\r\n")
        refused = await self._at("mail")
        if refused:
            await self._say(refused)
            return
        self._keep(content)
        await self._say(await self._at("kept") or "250 2.0.0 Ok: queued")
        await self._at("answered")

    def _keep(self, content: bytes) -> None:
        found = _MESSAGE_ID.search(content)
        id = found.group(1).decode() if found else "no Message-ID"
        self._relay.taken.setdefault(id, []).append(time.monotonic())
        if self._relay.contents is not None:
            self._relay.contents[id] = content.replace(b"\r\n..", b"\r\n.")

    async def _at(self, step: Step) -> str | None:
        return await self._relay.fault(step, self._port)

    async def _say(self, reply: str) -> None:
        said = reply.encode() + b"\r\n"
        for piece in [said[i : i + 1] for i in range(len(said))] if self._relay.pace else [said]:
            await asyncio.sleep(self._relay.pace)
            self._writer.write(piece)
            await self._writer.drain()
        if reply.startswith("421"):
            raise Dropped


@asynccontextmanager
async def relaying(taken: dict[str, list[float]]) -> AsyncIterator[Relay]:
    """A relay that goes down with the block."""
    relay = Relay(taken)
    try:
        yield relay
    finally:
        await relay.close()
