"""Processes that a measurement needs come up, answer on their port, and are gone after it."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from notifier.sandbox.processes import start_child

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1"


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as asked:
        asked.bind((HOST, 0))
        port: int = asked.getsockname()[1]
        return port


def start(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    output: IO[bytes] | None = None,
    port: int | None = None,
) -> "subprocess.Popen[bytes]":
    """A child that ends with this process; with a port, it listens there when this returns."""
    # What is logged is still written, to nowhere.
    with Path(os.devnull).open("ab") as nowhere:
        process = start_child(command, output=output or nowhere, env={"PYTHONPATH": str(ROOT), **environment})
    if port is not None:
        wait_for(port, process)
    return process


def wait_for(port: int, process: "subprocess.Popen[bytes]", seconds: float = 30) -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as asked:
            if asked.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.01)
    stop(process)
    raise RuntimeError(f"{process.args!r} does not listen")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ends it, and its children with it."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            # Its group: some fork.
            os.killpg(process.pid, how)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            continue
        return
