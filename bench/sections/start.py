"""How long each process takes until it does its work."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

import redis

from bench import stacks
from bench.processes import HOST, free_port, start, stop
from bench.table import Row
from notifier.bells import HEARD

NAME = "7. Starting"


def run(rounds: int) -> list[Row]:
    """From the command to the first answer."""
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        found["serve"].append(_serve())
        found["worker"].append(_worker())
        found["demo"].append(_demo())
        found["help"].append(_help())
    return [
        Row(NAME, "`notifier serve`, until /readyz answers 200", "s", found["serve"], "<= 1.5 s", 1.5, "at most"),
        Row(NAME, "`notifier worker`, until it is heard", "s", found["worker"], "<= 1.5 s", 1.5, "at most"),
        Row(NAME, "`notifier demo`, until its tour can be looked at", "s", found["demo"], "<= 3 s", 3, "at most"),
        Row(NAME, "`notifier --help`", "s", found["help"], "<= 0.3 s", 0.3, "at most"),
    ]


def _serve() -> float:
    with stacks.store() as store:
        port = free_port()
        begun = time.monotonic()
        process = start(
            [sys.executable, "-m", "notifier", "serve", "--port", str(port)], stacks.settings(store.url, 1, port)
        )
        try:
            return _answers(port, begun)
        finally:
            stop(process)


def _answers(port: int, begun: float) -> float:
    while time.monotonic() < begun + 60:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{HOST}:{port}/readyz") as answer:
            if answer.status == 200:
                return time.monotonic() - begun
        time.sleep(0.005)
    raise RuntimeError("it is not ready")


def _worker() -> float:
    with stacks.store() as store, redis.Redis.from_url(store.url) as client:
        begun = time.monotonic()
        process = start([sys.executable, "-m", "notifier", "worker"], stacks.settings(store.url, 1, 1))
        try:
            while not client.exists(HEARD):
                time.sleep(0.005)
            return time.monotonic() - begun
        finally:
            stop(process)


def _demo() -> float:
    with tempfile.TemporaryDirectory() as directory, (Path(directory) / "told").open("w+b") as told:
        names = ("API", "SMTP", "MAILBOX", "PHONE", "PLATFORM")
        ports = {f"NOTIFIER_DEMO_{name}_PORT": str(free_port()) for name in names}
        environment = {"PATH": os.environ["PATH"], "NOTIFIER_DATA_DIR": directory, **ports}
        begun = time.monotonic()
        process = start([sys.executable, "-m", "notifier", "demo"], environment, told)
        try:
            # It tells where to look once all of it runs.
            while ports["NOTIFIER_DEMO_MAILBOX_PORT"].encode() not in Path(told.name).read_bytes():
                if process.poll() is not None or time.monotonic() > begun + 60:
                    raise RuntimeError(Path(told.name).read_text("utf-8"))
                time.sleep(0.005)
            return time.monotonic() - begun
        finally:
            stop(process)


def _help() -> float:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-m", "notifier", "--help"], check=True, capture_output=True)
    return time.monotonic() - begun
