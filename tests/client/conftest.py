"""Both clients, on the served API, and behind a network that fails as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from notifier.client import AsyncNotifier, Event, Notifier, Patience, Recipient, notices
from tests.api.conftest import served as served
from tests.ports import HOST
from tests.service import API_KEY

Client = Notifier | AsyncNotifier
OWNER = Recipient(email="anna@example.com", phone="+355691234567", locale="sq")
AT = datetime(2026, 3, 9, 14, 5, tzinfo=UTC)


def event(id: str, account: str = "acc-1") -> Event:
    told = notices.LoginSucceeded(occurred_at=AT, ip="192.0.2.7", device="Firefox on Windows")
    return Event(source="https://tests.example", id=id, account=account, recipient=OWNER, notice=told)


class Network:
    """Does with each connection what `faults` says next, and lets the others through to the service.

    A fault is a whole answer in bytes, or: refused (closed at once), hung (never answered), lost (the service answers,
    and nobody hears it).
    """

    def __init__(self, upstream: int) -> None:
        self.faults: list[bytes | str] = []
        self.requests: list[bytes] = []
        self.lost: list[bytes] = []
        self._upstream = upstream

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self.faults.pop(0) if self.faults else "none"
        try:
            if fault != "refused":
                await self._answer(fault, await _request(reader), writer)
        except asyncio.IncompleteReadError:
            pass  # the client gave up
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, fault: bytes | str, request: bytes, writer: asyncio.StreamWriter) -> None:
        self.requests.append(request)
        if isinstance(fault, bytes):
            writer.write(fault)
        elif fault == "hung":
            await asyncio.sleep(60)
        else:
            answer = await self._asked(request)
            if fault == "lost":
                self.lost.append(answer)
            else:
                writer.write(answer)

    async def _asked(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(HOST, self._upstream)
        writer.write(request)
        try:
            return await _request(reader)
        finally:
            writer.close()
            await writer.wait_closed()


async def _request(reader: asyncio.StreamReader) -> bytes:
    """A whole request, or answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + await reader.readexactly(int(lengths[0].partition(b":")[2]) if lengths else 0)


@asynccontextmanager
async def network(upstream: int) -> AsyncIterator[tuple[Network, str]]:
    """And the URL under which it takes connections."""
    between = Network(upstream)
    tasks: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(between.connected(reader, writer)))

    server = await asyncio.start_server(begin, HOST, 0)
    try:
        yield between, f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(params=[Notifier, AsyncNotifier], ids=["blocking", "asyncio"])
def kind(request: pytest.FixtureRequest) -> type[Client]:
    kind: type[Client] = request.param
    return kind


@asynccontextmanager
async def opened(kind: type[Client], url: str, key: str = API_KEY, **patience: float) -> AsyncIterator[Client]:
    client = kind(url, key, patience=Patience(**{"first": 0.01} | patience))
    if isinstance(client, AsyncNotifier):
        async with client:
            yield client
    else:
        with client:
            yield client


async def ask(client: Client, call: str, *arguments: Any, **named: Any) -> Any:
    """Either client's method; the blocking one's in a thread of its own."""
    method = getattr(client, call)
    if isinstance(client, AsyncNotifier):
        return await method(*arguments, **named)
    return await asyncio.to_thread(method, *arguments, **named)
