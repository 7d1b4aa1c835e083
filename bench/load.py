"""The load generator, a process of its own: requests come in on standard input (a `Job`), when each was sent and
answered goes out on standard output, as JSON.

Requests are written whole before the first is sent, and answers are scanned for their length alone, so that it costs
a few per cent of a core and not a part of what is measured.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import uvloop

from bench.processes import ROOT

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Job:
    """`requests` are (method, path, body) each sent once; `rate` is a second's, None as fast as `connections` do."""

    port: int
    requests: list[tuple[str, str, str]]
    connections: int = 16
    rate: float | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """By the steady clock, in seconds, when each request was to be sent and was answered; and the answers' statuses."""

    begun: list[float]
    ended: list[float]
    statuses: dict[str, int]

    @property
    def latencies(self) -> list[float]:
        """From when each was due to be sent: a server that stalls is not spared what would have come meanwhile."""
        return [end - begin for begin, end in zip(self.begun, self.ended, strict=True)]

    @property
    def per_second(self) -> float:
        return len(self.ended) / (max(self.ended) - min(self.begun))

    def must_be(self, status: int) -> "Told":
        """Raises where any answer had another status."""
        if set(self.statuses) != {str(status)}:
            raise RuntimeError(f"answers were {self.statuses}, not {status}")
        return self


def run(job: Job) -> Told:
    """In a process of its own."""
    return begin(job).wait()


class Running:
    """A load generator at work."""

    def __init__(self, job: Job) -> None:
        self._asked, self._told = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        json.dump(asdict(job), self._asked)
        self._asked.seek(0)
        command = [sys.executable, "-m", "bench.load"]
        self._process = subprocess.Popen(command, stdin=self._asked, stdout=self._told, cwd=ROOT)

    def wait(self) -> Told:
        """What it tells."""
        if self._process.wait(timeout=120):
            raise RuntimeError(f"the load generator ended with {self._process.returncode}")
        self._told.seek(0)
        with self._asked, self._told:
            return Told(**json.load(self._told))


def begin(job: Job) -> Running:
    """In a process of its own, which goes on meanwhile."""
    return Running(job)


def posts(path: str, bodies: Sequence[bytes]) -> list[tuple[str, str, str]]:
    """Requests of a job."""
    return [("POST", path, body.decode()) for body in bodies]


class _Client(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self, sending: "_Sending") -> None:
        self._sending = sending
        self._number = -1
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._sending.idle(self)

    def send(self, number: int, request: bytes) -> None:
        assert self._transport
        self._number = number
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data
        head = buffer.find(b"\r\n\r\n")
        length = _LENGTH.search(buffer, 0, head) if head >= 0 else None
        if head < 0 or (length and len(buffer) < head + 4 + int(length[1])):
            self._buffer = buffer
            return
        self._buffer = b""
        status = _STATUS.match(buffer)
        self._sending.answered(self._number, status[1].decode() if status else "?")
        self._sending.idle(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._sending.done.done():
            self._sending.done.set_exception(ConnectionError("the server closed a connection"))


class _Sending:
    def __init__(self, job: Job) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in job.headers.items())
        host = f"HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\n{head}"
        self._requests = [
            f"{method} {path} {host}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()
            for method, path, body in job.requests
        ]
        count = len(self._requests)
        self.begun, self.ended = [0.0] * count, [0.0] * count
        self.statuses: Counter[str] = Counter()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle: list[_Client] = []
        # What is due and waits for a connection; without a rate, all.
        self._due = 0 if job.rate else count
        self._next = 0
        self._rate = job.rate
        self._open = False

    def idle(self, client: _Client) -> None:
        if self._open and self._next < self._due:
            self._send(client)
        else:
            self._idle.append(client)

    def answered(self, number: int, status: str) -> None:
        self.ended[number] = time.monotonic()
        self.statuses[status] += 1
        if self.statuses.total() == len(self._requests):
            self.done.set_result(None)

    async def go(self) -> None:
        self._open = True
        if self._rate is None:
            while self._idle and self._next < self._due:
                self._send(self._idle.pop())
        else:
            start = time.monotonic()
            while self._due < len(self._requests):
                wanted = min(len(self._requests), int((time.monotonic() - start) * self._rate) + 1)
                for number in range(self._due, wanted):
                    self.begun[number] = start + number / self._rate
                self._due = wanted
                while self._idle and self._next < self._due:
                    self._send(self._idle.pop())
                await asyncio.sleep(max(0, start + self._due / self._rate - time.monotonic()))
        await self.done

    def _send(self, client: _Client) -> None:
        number, self._next = self._next, self._next + 1
        if self._rate is None:
            self.begun[number] = time.monotonic()
        client.send(number, self._requests[number])


async def _main(job: Job) -> dict[str, Any]:
    sending = _Sending(job)
    loop = asyncio.get_running_loop()
    for _ in range(job.connections):
        await loop.create_connection(lambda: _Client(sending), "127.0.0.1", job.port)
    await sending.go()
    return asdict(Told(sending.begun, sending.ended, dict(sending.statuses)))


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_main(Job(**json.load(sys.stdin))))))  # noqa: T201
