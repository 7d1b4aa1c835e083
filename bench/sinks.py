"""Where mail ends: Postfix's `smtp-sink`, which counts it; and, for latencies, one that notes when it answered 250."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, cast

import uvloop

from bench.processes import ROOT, free_port, start, stop

_POSTFIX = ROOT / "build" / "postfix"
_COUNT = re.compile(rb"mesg=(\d+)")
_RECIPIENT = re.compile(rb"RCPT TO:<r(\d+)@", re.IGNORECASE)


def postfix(program: str) -> tuple[Path, dict[str, str]]:
    """Postfix's `smtp-sink` or `smtp-source`, and its environment; fetched where it is not installed (Debian)."""
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if found:
        return Path(found), dict(os.environ)
    unpacked = _POSTFIX / "usr" / "sbin" / program
    if not unpacked.exists():
        _POSTFIX.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["apt-get", "download", "--quiet", "postfix"], cwd=_POSTFIX, check=True, capture_output=True)
            for package in _POSTFIX.glob("postfix_*.deb"):
                subprocess.run(["dpkg", "-x", package, _POSTFIX], check=True)
        except (OSError, subprocess.CalledProcessError):
            sys.exit(f"{program} is needed: install Postfix, or put {program} on the PATH")
    return unpacked, {**os.environ, "LD_LIBRARY_PATH": str(_POSTFIX / "usr" / "lib" / "postfix")}


class SmtpSink:
    """`smtp-sink`, counting."""

    def __init__(self) -> None:
        program, environment = postfix("smtp-sink")
        self.port = free_port()
        self._counter: IO[bytes] = tempfile.TemporaryFile()
        user = ["-u", "root"] if os.getuid() == 0 else []
        command: list[str | Path] = [program, "-c", *user, f"127.0.0.1:{self.port}", "1024"]
        self._process = start(command, environment, self._counter, self.port)

    @property
    def count(self) -> int:
        """Mails taken up to now."""
        size = self._counter.seek(0, os.SEEK_END)
        self._counter.seek(max(0, size - 200))
        told = _COUNT.findall(self._counter.read())
        return int(told[-1]) if told else 0

    def wait(self, count: int, seconds: float) -> float:
        """Waits for so many mails; gives when they were there, by the steady clock."""
        deadline = time.monotonic() + seconds
        while self.count < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.count} of {count} mails came in {seconds} s")
            time.sleep(0.005)
        return time.monotonic()

    def close(self) -> None:
        """Ends it."""
        stop(self._process)
        self._counter.close()


class NotingSink:
    """A process that takes mail as fast as it comes and notes when it answered each last dot."""

    def __init__(self) -> None:
        self.port = free_port()
        self._notes = tempfile.NamedTemporaryFile("rb")
        command = [sys.executable, "-m", "bench.sinks", str(self.port), self._notes.name]
        self._process = start(command, {**os.environ}, None, self.port)

    def wait(self, count: int, seconds: float) -> dict[int, float]:
        """When the mail to each recipient (by its number) was first taken."""
        deadline = time.monotonic() + seconds
        while True:
            self._notes.seek(0)
            lines = [json.loads(line) for line in self._notes.read().splitlines()]
            taken: dict[int, float] = {}
            for number, at in lines:
                taken.setdefault(number, at)
            if len(taken) >= count:
                return taken
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(taken)} of {count} mails came in {seconds} s")
            time.sleep(0.1)

    def close(self) -> None:
        """Ends it."""
        stop(self._process)
        self._notes.close()


class _Session(asyncio.Protocol):
    """As much of SMTP as a client that is known needs; commands may be pipelined."""

    def __init__(self, notes: IO[str]) -> None:
        self._notes = notes
        self._buffer = b""
        self._in_data = False
        self._to = -1
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        assert self._transport
        self._buffer += data
        answers = b""
        while True:
            if self._in_data:
                end = self._buffer.find(b"\r\n.\r\n")
                if end < 0:
                    break
                self._buffer = self._buffer[end + 5 :]
                self._in_data = False
                self._notes.write(f"[{self._to}, {time.monotonic()}]\n")
                answers += b"250 2.0.0 Ok: queued as 0123456789\r\n"
                continue
            line, found, rest = self._buffer.partition(b"\r\n")
            if not found:
                break
            self._buffer = rest
            answers += self._answer(line)
        if answers:
            self._transport.write(answers)
            self._notes.flush()

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
        if verb == b"DATA":
            self._in_data = True
            return b"354 End data with <CR><LF>.<CR><LF>\r\n"
        if verb == b"QUIT":
            return b"221 2.0.0 Bye\r\n"
        if found := _RECIPIENT.match(line):
            self._to = int(found[1])
        return b"250 2.0.0 Ok\r\n"


async def _serve(port: int, notes: str) -> None:
    with Path(notes).open("a") as file:  # noqa: ASYNC230  # before anything is served
        server = await asyncio.get_running_loop().create_server(lambda: _Session(file), "127.0.0.1", port, backlog=1024)
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2]))
