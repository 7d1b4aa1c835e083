"""Whole services that take `POST /v1/events` and send mail: ours and its peers. Each has a store of its own (Valkey,
AOF each second), one API process, and as many workers as it is told.
"""

import base64
import contextlib
import hashlib
import os
import secrets
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import Job, posts
from bench.processes import HOST, free_port, start, stop
from notifier.sandbox.valkey import EmbeddedValkey

KEY = "bench-key"
_NO_LIMIT = "api_key=100000000/minute"


@dataclass
class Stack:
    """A service that runs. `pids` of its processes by what they do."""

    name: str
    port: int
    store: EmbeddedValkey
    environment: dict[str, str]
    headers: dict[str, str]
    pids: dict[str, int] = field(default_factory=dict)

    def job(self, bodies: list[bytes], connections: int = 16, rate: float | None = None) -> Job:
        """These events, posted one by one."""
        return Job(self.port, posts("/v1/events", bodies), connections, rate, self.headers)


def _secret() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def settings(store: str, smtp: int, port: int, platform: int = 1) -> dict[str, str]:
    """The environment of our service, as in production but for the addresses of its edges."""
    return {
        "PATH": os.environ["PATH"],
        "NOTIFIER_PUBLIC_URL": f"http://{HOST}:{port}",
        "NOTIFIER_BRAND": "Northbank",
        "NOTIFIER_FROM": "Northbank <security@northbank.example>",
        "NOTIFIER_SUPPORT_EMAIL": "help@northbank.example",
        "NOTIFIER_REDIS_URL": store,
        "NOTIFIER_SMTP_URLS": f"smtp://{HOST}:{smtp}?tls=none",
        "NOTIFIER_PLATFORM_URL": f"http://{HOST}:{platform}/webhooks",
        "NOTIFIER_PLATFORM_SECRETS": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "NOTIFIER_LINK_KEYS": _secret(),
        "NOTIFIER_CODE_KEYS": _secret(),
        "NOTIFIER_PAYLOAD_KEYS": _secret(),
        "NOTIFIER_API_KEYS": f"bench:{hashlib.sha256(KEY.encode()).hexdigest()}",
        "NOTIFIER_LIMITS": _NO_LIMIT,
    }


@contextmanager
def store() -> Iterator[EmbeddedValkey]:
    """Valkey as in production: append-only file, written to disk each second."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, EmbeddedValkey(Path(directory)) as valkey:
        yield valkey


@contextmanager
def ours(smtp: int, workers: int = 1, platform: int = 1, **changed: str) -> Iterator[Stack]:
    """The product, by its own commands; its settings `changed`."""
    with ExitStack() as stack:
        valkey, port = stack.enter_context(store()), free_port()
        environment = settings(valkey.url, smtp, port, platform) | changed
        service = Stack("notifier", port, valkey, environment, {"Authorization": f"Bearer {KEY}", **_JSON})
        serve = start([sys.executable, "-m", "notifier", "serve", "--port", str(port)], environment, None, port)
        stack.callback(stop, serve)
        service.pids["api"] = serve.pid
        for number in range(workers):
            worker = start([sys.executable, "-m", "notifier", "worker"], environment)
            stack.callback(stop, worker)
            service.pids[f"worker {number + 1}"] = worker.pid
        _until_ready(port, b"no worker" if workers else None)
        yield service


@contextmanager
def celery(smtp: int) -> Iterator[Stack]:
    """FastAPI, Celery (prefork, two), Django's templates and `send_mail`."""
    program = [sys.executable, "-m", "celery", "--app", "bench.peers.celery_mail", "--quiet", "worker"]
    options = [
        "--pool",
        "prefork",
        "--concurrency",
        "2",
        "--loglevel",
        "WARNING",
        "--without-mingle",
        "--without-gossip",
    ]
    with _peer("FastAPI + Celery + Django", "bench.peers.celery_api", [*program, *options], smtp) as service:
        yield service


@contextmanager
def arq(smtp: int) -> Iterator[Stack]:
    """FastAPI, one arq job a mail, Jinja2 with gettext, `aiosmtplib.send`."""
    worker = [sys.executable, "-m", "arq", "bench.peers.arq_mail.Worker"]
    with _peer("FastAPI + arq + Jinja2", "bench.peers.arq_api", worker, smtp) as service:
        yield service


_JSON = {"Content-Type": "application/json"}


@contextmanager
def web(name: str, module: str, valkey: EmbeddedValkey, environment: dict[str, str]) -> Iterator[Stack]:
    """An application of a peer or floor under uvicorn, as ours is."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", str(port), "--no-access-log"]
    process = start([*command, "--no-server-header", "--log-level", "warning"], environment, None, port)
    try:
        yield Stack(name, port, valkey, environment, _JSON, {"api": process.pid})
    finally:
        stop(process)


@contextmanager
def alone(name: str, module: str) -> Iterator[Stack]:
    """An application with a store and no worker."""
    with store() as valkey:
        environment = {"PATH": os.environ["PATH"], "PEER_SOCKET": valkey.url.removeprefix("unix://")}
        with web(name, module, valkey, environment) as service:
            yield service


@contextmanager
def _peer(name: str, module: str, worker: list[str], smtp: int) -> Iterator[Stack]:
    with ExitStack() as stack:
        valkey = stack.enter_context(store())
        socket = valkey.url.removeprefix("unix://")
        environment = {"PATH": os.environ["PATH"], "PEER_SOCKET": socket, "PEER_SMTP_PORT": str(smtp)}
        service = stack.enter_context(web(name, module, valkey, environment))
        process = start(worker, environment)
        stack.callback(stop, process)
        service.pids["worker"] = process.pid
        time.sleep(3)  # neither says when it listens
        yield service


def _until_ready(port: int, unless: bytes | None) -> None:
    """Until it is ready, and warns of nothing that says `unless`."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{HOST}:{port}/readyz") as answer:
            if answer.status == 200 and (unless is None or unless not in answer.read()):
                return
        time.sleep(0.05)
    raise RuntimeError("the service is not ready")
