"""Growth: whether what waits slows what comes, what the store keeps of each, and what more workers do."""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from redis import Redis

from bench import load, notices, stacks
from bench.processes import start, stop
from bench.sections import links as link_pages
from bench.sections import mail
from bench.sinks import SmtpSink
from bench.table import Row

NAME = "6. Growth"
WAITING, WARM, MEASURED, KEPT, CLICKED = (1_000, 100_000, 1_000_000), 300, 1_000, 3_000, 1_000
WORKERS = (1, 2, 4)
# Each copy is a record, its event's payload and a place in the queue and in its account's index, as if it was accepted.
_COPIES = """
local from, to = tonumber(ARGV[1]), tonumber(ARGV[2])
for i = from, to do
  redis.call('COPY', KEYS[1], 'ntf:bench' .. i)
  redis.call('COPY', KEYS[2], 'event:bench' .. i)
  redis.call('ZADD', KEYS[3], ARGV[3] + i, 'bench' .. i)
  redis.call('ZADD', 'account:bench' .. i, ARGV[3], 'ntf:bench' .. i, ARGV[3], 'event:bench' .. i)
end
"""


def run(rounds: int) -> list[Row]:
    """The first, at every size; the rest once, or each round."""
    found: dict[str, list[float]] = defaultdict(list)
    _waiting(rounds, found)
    rows = [Row(NAME, f"time a mail, {size:,} waiting", "us", found[f"{size}"]) for size in WAITING]
    for size in WAITING[1:]:
        told = f"time a mail, {size:,} waiting / {WAITING[0]:,}"
        rows.append(Row(NAME, told, "x", found[f"{size} / few"], "<= 1.15 x", 1.15, "at most"))
    rows += [
        Row(NAME, f"CPU time for a mail: {name.removesuffix(' 1')}", "us", found[f"CPU {name}"])
        for name in ("api", "worker 1", "Valkey")
    ]
    rows += _bytes()
    for _ in range(min(rounds, 3)):
        for workers in WORKERS:
            found[f"{workers} workers"].append(mail.through(partial(stacks.ours, workers=workers), 2_000))
    return rows + [
        Row(NAME, f"{workers} worker{'s' * (workers > 1)}, one API, end to end", "/s", found[f"{workers} workers"])
        for workers in WORKERS
    ]


@dataclass
class _Running:
    """A service of which `waits` records wait for tomorrow, and `sent` mails went out."""

    service: stacks.Stack
    client: Any
    sink: SmtpSink
    sample: tuple[str, str, str, int]
    waits: int = 0
    sent: int = 0

    def fill(self, size: int) -> None:
        _fill(self.client, self.sample, self.waits, size)
        self.waits = size

    def time(self) -> float:
        """Of a mail, in microseconds."""
        told = load.begin(self.service.job(notices.bodies(MEASURED)))
        self.sent += MEASURED
        ended = self.sink.wait(self.sent, 120)
        return (ended - min(told.wait().must_be(202).begun)) / MEASURED * 1e6


@contextmanager
def _running() -> Iterator[_Running]:
    with ExitStack() as stack:
        sink = SmtpSink()
        stack.callback(sink.close)
        service = stack.enter_context(stacks.ours(sink.port))
        client = stack.enter_context(Redis.from_url(service.store.url, socket_timeout=300))
        load.run(service.job(notices.bodies(WARM))).must_be(202)
        sink.wait(WARM, 60)
        yield _Running(service, client, sink, _scheduled(client, service), sent=WARM)


def _waiting(rounds: int, found: dict[str, list[float]]) -> None:
    """Two services in turns, one of which has few that wait: what the machine does meanwhile is done to both."""
    with _running() as few, _running() as many:
        few.fill(WAITING[0])
        for size in WAITING[1:]:
            many.fill(size)
            for _ in range(rounds):
                pids = {**few.service.pids, "Valkey": few.service.store.pid}
                spent = {name: -_spent(pid) for name, pid in pids.items()}
                small = few.time()
                for name, pid in pids.items():
                    found[f"CPU {name}"].append((spent[name] + _spent(pid)) / MEASURED * 1e6)
                found[f"{WAITING[0]}"].append(small)
                found[f"{size}"].append(many.time())
                found[f"{size} / few"].append(found[f"{size}"][-1] / small)


def _scheduled(client: Any, service: stacks.Stack) -> tuple[str, str, str, int]:
    """One that waits for tomorrow: its record, its event, its queue, and when it is due (ms)."""
    event = notices.event("verification_code", "de", "scheduled", 1)
    event["data"]["send_at"] = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    load.run(service.job([json.dumps(event).encode()])).must_be(202)
    ((id, due),) = client.zrange("due:critical", -1, -1, withscores=True)
    record = f"ntf:{id.decode()}"
    digest = (client.hget(record, "event") or b"").decode()
    return record, f"event:{digest}", "due:critical", int(due)


def _fill(client: Any, sample: tuple[str, str, str, int], begin: int, end: int) -> None:
    record, event, queue, due = sample
    for first in range(begin + 1, end + 1, 2_000):
        client.eval(_COPIES, 3, record, event, queue, first, min(end, first + 1_999), due)
    while client.info("persistence")["aof_rewrite_in_progress"]:
        time.sleep(0.2)
    time.sleep(2)


def _used(client: Any) -> int:
    """What the server holds, once its keys are at rest."""
    time.sleep(1)
    return int(client.info("memory")["used_memory_dataset"])


def _bytes() -> list[Row]:
    sink = SmtpSink()
    try:
        with stacks.ours(sink.port, workers=0) as service, Redis.from_url(service.store.url) as client:
            load.run(service.job(notices.bodies(300))).must_be(202)
            before, moved, written = _used(client), _moved(client), _written(client)
            load.run(service.job(notices.bodies(KEPT))).must_be(202)
            waiting = (_used(client) - before) / KEPT
            worker = start([sys.executable, "-m", "notifier", "worker"], service.environment)
            try:
                sink.wait(300 + KEPT, 60)
                sent = (_used(client) - before) / KEPT
                moved, written = _moved(client) - moved, _written(client) - written
                unclicked = sum(int(client.memory_usage(key) or 0) for key in client.scan_iter("link:use:*"))
            finally:
                stop(worker)
    finally:
        sink.close()
    with link_pages.service("ours", CLICKED) as (pages, tokens), Redis.from_url(pages.store.url) as client:
        before = _used(client)
        load.run(link_pages.job(pages, "POST", tokens)).must_be(200)
        click = (_used(client) - before) / CLICKED
        uses = [int(client.memory_usage(key) or 0) for key in client.scan_iter("link:use:*", 1000)]
    return [
        Row(NAME, "store, a waiting notification with its event", "bytes", [waiting], "<= 1,200", 1200, "at most"),
        Row(NAME, "store, a mail's link that nobody clicked", "bytes", [unclicked / KEPT], "0", 0, "at most"),
        Row(NAME, "store, the use of a link", "bytes", [sum(uses) / len(uses)], "<= 150", 150, "at most"),
        Row(NAME, "store, all that a click leaves: use, action, answer, audit, timeline, state", "bytes", [click]),
        Row(NAME, "store, a notification that was sent, with its event and timeline", "bytes", [sent]),
        Row(NAME, "store, traffic in and out for a mail, from its post to its end", "bytes", [moved / KEPT]),
        Row(NAME, "store, append-only file for a mail", "bytes", [written / KEPT]),
    ]


def _spent(pid: int) -> float:
    """Seconds of CPU."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _moved(client: Any) -> int:
    told = client.info("stats")
    return int(told["total_net_input_bytes"] + told["total_net_output_bytes"])


def _written(client: Any) -> int:
    return int(client.info("persistence")["aof_current_size"])
