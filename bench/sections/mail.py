"""End to end: posted, accepted, rendered, sent; counted where mail ends. Ours, its peers, and two limits."""

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from bench import load, notices, stacks
from bench.peers import jinja_mail, posted
from bench.processes import HOST, ROOT
from bench.sinks import SmtpSink, postfix
from bench.table import Row, ratio

NAME = "1. End to end, mails a second"
_CONNECTIONS = 8
# So many that each takes seconds.
OURS, CELERY, ARQ, POOLED, CLIENT = 4_000, 600, 1_000, 5_000, 12_000


def run(rounds: int) -> list[Row]:
    """Each round runs all, one after the other, each with processes of its own."""
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        found["ours"].append(through(stacks.ours, OURS))
        found["celery"].append(through(stacks.celery, CELERY))
        found["arq"].append(through(stacks.arq, ARQ))
        with tempfile.NamedTemporaryFile() as ready:
            ready.write(_ready())
            ready.flush()
            found["pooled"].append(_pooled(ready))
        found["client"].append(_client(len(_ready())))
    return [
        Row(NAME, "notifier: API 1, worker 1, Valkey AOF everysec", "/s", found["ours"]),
        Row(NAME, "(a) FastAPI + Celery (prefork 2) + Django templates, `send_mail`", "/s", found["celery"]),
        Row(NAME, "(b) FastAPI + arq + aiosmtplib + Jinja2, gettext at run time", "/s", found["arq"]),
        Row(NAME, "(c) aiosmtplib, 8 kept connections, one ready mail", "/s", found["pooled"]),
        Row(NAME, "(d) `smtp-source`, 8 sessions", "/s", found["client"]),
        ratio(NAME, "notifier / (a)", found["ours"], found["celery"], 6),
        ratio(NAME, "notifier / (b)", found["ours"], found["arq"], 4),
        ratio(NAME, "notifier / (c)", found["ours"], found["pooled"], 0.35),
    ]


def through(opened: Callable[[int], AbstractContextManager[stacks.Stack]], count: int) -> float:
    """Mails a second from the first post to the last receipt."""
    sink = SmtpSink()
    try:
        with opened(sink.port) as service:
            # Templates compiled, connections made.
            load.run(service.job(notices.bodies(100))).must_be(202)
            sink.wait(100, 60)
            told = load.begin(service.job(notices.bodies(count)))
            ended = sink.wait(100 + count, 120)
            return count / (ended - min(told.wait().must_be(202).begun))
    finally:
        sink.close()


def _ready() -> bytes:
    """A mail as (b) makes it, of the middle size."""
    job = posted.job(posted.Posted.model_validate(notices.event("password_reset", "de", "ready", 1)), "ready")
    urls = dict.fromkeys(posted.LINKS["password_reset"], f"{posted.BASE_URL}/l/{'x' * 76}")
    return jinja_mail.mail(job, urls, "123456").as_bytes()


def _pooled(ready: "IO[bytes]") -> float:
    sink = SmtpSink()
    try:
        command = [sys.executable, "-m", "bench.peers.pooled_smtp", str(sink.port), str(POOLED), str(_CONNECTIONS)]
        told = subprocess.run([*command, ready.name], cwd=ROOT, check=True, capture_output=True)
        return POOLED / float(told.stdout)
    finally:
        sink.close()


def _client(size: int) -> float:
    program, environment = postfix("smtp-source")
    sink = SmtpSink()
    try:
        options = ["-s", str(_CONNECTIONS), "-m", str(CLIENT), "-l", str(size), "-d"]
        command: list[str | Path] = ["bash", "-c", 'time "$0" "$@"', program, *options]
        told = subprocess.run(
            [*command, f"{HOST}:{sink.port}"], env=environment, check=True, capture_output=True, text=True
        )
        minutes, seconds = re.findall(r"real\s+(\d+)m([\d.]+)s", told.stderr)[0]
        return CLIENT / (int(minutes) * 60 + float(seconds))
    finally:
        sink.close()
