"""How long a notice takes from its post to the relay's 250: at a third of our most; and a code behind bulk."""

import contextlib
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from bench import load, notices, stacks
from bench.processes import start, stop
from bench.sections import mail
from bench.sinks import NotingSink
from bench.table import Row, kept

NAME = "2. Latency, from post to the relay's 250"
SECONDS, BULK, CODES = 3, 10_000, 150


def run(rounds: int) -> list[Row]:
    """Rounds are fewer for those that cannot keep up: they say so in one."""
    rate = _third()
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, opened in (("ours", stacks.ours), ("celery", stacks.celery), ("arq", stacks.arq)):
            took = _at(opened, rate)
            found[f"{name} p50"].append(_percentile(took, 50))
            found[f"{name} p99"].append(_percentile(took, 99))
        behind = _behind_bulk()
        found["code p50"].append(_percentile(behind, 50))
        found["code p99"].append(_percentile(behind, 99))
    at = f"at {rate} a second"
    return [
        Row(NAME, f"notifier p50 {at}", "ms", found["ours p50"], "<= 10 ms", 10, "at most"),
        Row(NAME, f"notifier p99 {at}", "ms", found["ours p99"], "<= 60 ms", 60, "at most"),
        Row(NAME, f"(a) Celery p50 {at}", "ms", found["celery p50"]),
        Row(NAME, f"(a) Celery p99 {at}", "ms", found["celery p99"]),
        Row(NAME, f"(b) arq p50 {at}", "ms", found["arq p50"]),
        Row(NAME, f"(b) arq p99 {at}", "ms", found["arq p99"]),
        Row(NAME, f"notifier: a code, {BULK:,} bulk in front, p50", "ms", found["code p50"]),
        Row(NAME, f"notifier: a code, {BULK:,} bulk in front, p99", "ms", found["code p99"], "<= 1 s", 1000, "at most"),
    ]


def _third() -> int:
    """Of the throughput that was kept, or is found now."""
    rows = [row for row in kept(["mail"]) if row.what.startswith("notifier:")]
    most = rows[0].median if rows else mail.through(stacks.ours, mail.OURS)
    return round(most / 3)


def _at(opened: Callable[[int], AbstractContextManager[stacks.Stack]], rate: int) -> list[float]:
    sink = NotingSink()
    count = rate * SECONDS
    try:
        with opened(sink.port) as service:
            load.run(service.job(notices.bodies(100))).must_be(202)
            sink.wait(100, 60)
            told = load.run(service.job(notices.bodies(count, first=100), 64, rate)).must_be(202)
            taken = sink.wait(100 + count, 120)
            return [1000 * (taken[100 + number] - begun) for number, begun in enumerate(told.begun)]
    finally:
        sink.close()


def _behind_bulk() -> list[float]:
    sink = NotingSink()
    with contextlib.ExitStack() as stack:
        stack.callback(sink.close)
        service = stack.enter_context(stacks.ours(sink.port, workers=0))
        events = list(notices.mixed(BULK, ("withdrawal_appeal_received",), first=CODES))
        batches = [json.dumps(events[i : i + 100]).encode() for i in range(0, BULK, 100)]
        load.run(load.Job(service.port, load.posts("/v1/events/batch", batches), 2, None, service.headers)).must_be(200)
        worker: subprocess.Popen[bytes] = start([sys.executable, "-m", "notifier", "worker"], service.environment)
        stack.callback(stop, worker)
        sink.wait(BULK // 50, 60)
        codes = notices.bodies(CODES, ("verification_code",))
        told = load.run(service.job(codes, 16, 75)).must_be(202)
        taken = sink.wait(CODES + BULK, 120)
        return [1000 * (taken[number] - begun) for number, begun in enumerate(told.begun)]


def _percentile(values: Sequence[float], part: int) -> float:
    return statistics.quantiles(values, n=100)[part - 1]
