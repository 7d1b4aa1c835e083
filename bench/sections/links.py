"""Links: their page and their button beside a bare endpoint; a token minted and read beside bare itsdangerous."""

import base64
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from urllib.parse import quote

import redis
from itsdangerous import TimestampSigner

from bench import load, notices, stacks
from bench.processes import free_port, start, stop
from bench.sinks import SmtpSink
from bench.table import Row, ratio
from links.purposes import purposes
from links.tokens import Tokens
from notifier import ids

NAME = "4. Links"
# Of these links the first warm up (templates compiled, connections made), the next are used one after the other, and
# the rest by 64 at once.
WARM, ALONE, LINKS, TOKENS = 100, 200, 1_000, 5_000


def run(rounds: int) -> list[Row]:
    """One API process, one worker that forwards what was clicked, and a platform that takes it."""
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name in ("ours", "floor"):
            with service(name, WARM + ALONE + LINKS) as (running, tokens):
                for method in ("GET", "POST"):
                    load.run(job(running, method, tokens[:WARM])).must_be(200)
                alone = load.run(job(running, "POST", tokens[WARM : WARM + ALONE], 1)).must_be(200)
                found[f"{name} alone"].append(1000 * statistics.median(alone.latencies))
                for method in ("GET", "POST"):
                    _keep(
                        found, f"{name} {method}", load.run(job(running, method, tokens[WARM + ALONE :])).must_be(200)
                    )
        _tokens(found)
    rows = []
    for method, what in (("GET", "page, GET"), ("POST", "button, POST")):
        ours, floor = found[f"ours {method}"], found[f"floor {method}"]
        rows += [
            Row(NAME, f"notifier: {what}", "/s", ours),
            Row(NAME, f"notifier: {what}, p99", "ms", found[f"ours {method} p99"]),
            Row(NAME, f"bare FastAPI + Redis: {what}", "/s", floor),
            Row(NAME, f"bare FastAPI + Redis: {what}, p99", "ms", found[f"floor {method} p99"]),
            ratio(NAME, f"notifier / bare: {what}", ours, floor, 0.7),
        ]
    rows += [
        Row(NAME, f"{told}: a press alone, p50", "ms", found[f"{name} alone"])
        for name, told in (("ours", "notifier"), ("floor", "bare FastAPI + Redis"))
    ]
    for what in ("mint", "read"):
        values = [a / b for a, b in zip(found[what], found[f"bare {what}"], strict=True)]
        rows.append(Row(NAME, f"{what} a token", "us", found[what]))
        rows.append(Row(NAME, f"{what} a token, bare itsdangerous", "us", found[f"bare {what}"]))
        rows.append(Row(NAME, f"{what}: time of bare itsdangerous", "x", values, "<= 1.5 x", 1.5, "at most"))
    return rows


def job(service: stacks.Stack, method: str, tokens: list[str], connections: int = 64) -> load.Job:
    """Each link once."""
    body = "purpose=deactivate" if method == "POST" else ""
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
    return load.Job(
        service.port, [(method, f"/l/{quote(token)}", body) for token in tokens], connections, None, headers
    )


def _keep(found: dict[str, list[float]], name: str, told: load.Told) -> None:
    found[name].append(told.per_second)
    found[f"{name} p99"].append(1000 * statistics.quantiles(told.latencies, n=100)[98])


@contextlib.contextmanager
def service(name: str, count: int) -> Iterator[tuple[stacks.Stack, list[str]]]:
    """One that runs, and tokens of links that nobody has used."""
    if name == "floor":
        with stacks.alone(name, "bench.peers.floor") as floor:
            yield floor, [base64.urlsafe_b64encode(os.urandom(48)).decode() for _ in range(count)]
        return
    platform_port = free_port()
    with contextlib.ExitStack() as stack:
        environment = {"PATH": os.environ["PATH"]}
        command = [sys.executable, "-m", "bench.peers.platform", str(platform_port)]
        platform = start(command, environment, None, platform_port)
        stack.callback(stop, platform)
        sink = SmtpSink()
        stack.callback(sink.close)
        ours = stack.enter_context(stacks.ours(sink.port, workers=0, platform=platform_port))
        load.run(ours.job(notices.bodies(count, ("login_succeeded",)))).must_be(202)
        tokens = tokens_of(ours)
        worker: subprocess.Popen[bytes] = start([sys.executable, "-m", "notifier", "worker"], ours.environment)
        stack.callback(stop, worker)
        sink.wait(count, 60)
        yield ours, tokens


def tokens_of(service: stacks.Stack) -> list[str]:
    """The links to deactivate in all that was accepted."""
    keys = [base64.urlsafe_b64decode(service.environment["NOTIFIER_LINK_KEYS"])]
    minting, deactivate = Tokens(keys, purposes(), lambda: 0), purposes()["deactivate"]
    with redis.Redis.from_url(service.store.url) as client:
        names = [name.decode() for name in client.scan_iter("ntf:*", 1000) if b":timeline" not in name]
        accepted = [int(client.hget(name, "accepted") or 0) for name in names]
    references = [ids.to_reference(name.removeprefix("ntf:")) for name in names]
    return [minting.mint(deactivate, reference, at) for reference, at in zip(references, accepted, strict=True)]


def _tokens(found: dict[str, list[float]]) -> None:
    key, table = os.urandom(32), purposes()
    now = time.time_ns() // 1_000_000
    ours, bare = Tokens([key], table, lambda: now), TimestampSigner(key, salt="links.deactivate")
    reference, purpose = os.urandom(16), table["deactivate"]
    value = f"d{base64.urlsafe_b64encode(reference).decode().rstrip('=')}"
    token, plain = ours.mint(purpose, reference, now), bare.sign(value)
    found["mint"].append(_each(lambda: ours.mint(purpose, reference, now)))
    found["bare mint"].append(_each(lambda: bare.sign(value)))
    found["read"].append(_each(lambda: ours.read(token)))
    found["bare read"].append(_each(lambda: bare.unsign(plain, max_age=600)))


def _each(work: Callable[[], object]) -> float:
    """Microseconds."""
    begun = time.perf_counter()
    for _ in range(TOKENS):
        work()
    return (time.perf_counter() - begun) / TOKENS * 1e6
