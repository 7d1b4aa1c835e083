"""Each fault of a store is named by `/readyz`, and by the log of a process that starts; all of them made for real."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGSTOP

import httpx
import pytest

from links.durability import Acknowledge
from notifier.readiness import faults
from notifier.sandbox.processes import start_child
from notifier.store import connect
from tests.ports import HOST
from tests.service import environment, until
from tests.stores import Node, Replicated

AWAY = "redis://127.0.0.1:1"
KEPT = ("--appendonly", "yes", "--save", "")


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    node = Node(tmp_path / "store", *KEPT)
    node.start()
    await until(lambda: node.ask("PING"))
    yield node
    node.end()


async def told(url: str, acknowledge: Acknowledge = "memory") -> list[str]:
    redis = connect(url, patient=False)
    try:
        return await faults(redis, acknowledge)
    finally:
        await redis.aclose(close_connection_pool=True)


async def test_a_store_without_faults(node: Node) -> None:
    node.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    node.ask("CONFIG", "SET", "maxmemory", "1gb")
    assert await told(node.url) == []
    node.ask("CONFIG", "SET", "appendfsync", "always")
    assert await told(node.url, "disk") == []


@pytest.mark.parametrize(
    ("changed", "acknowledge", "fault"),
    [
        (("appendonly", "no"), "memory", "appendonly yes"),
        (("maxmemory-policy", "allkeys-lru"), "memory", "noeviction"),
        (("maxmemory", "1mb"), "memory", "out of memory"),
        (("appendfsync", "everysec"), "disk", "appendfsync always"),
        (("appendfsync", "no"), "disk", "does not confirm"),
        (("appendfsync", "always"), "replica", "no replica that is online"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
async def test_a_setting_that_may_lose_records(
    node: Node, changed: tuple[str, str], acknowledge: Acknowledge, fault: str
) -> None:
    assert node.ask("CONFIG", "SET", *changed)
    (line,) = await told(node.url, acknowledge)
    assert fault in line


async def test_a_store_that_is_away_or_refuses(node: Node) -> None:
    assert await told(AWAY) == ["redis does not answer"]
    assert "no Sentinel answers" in (await told("redis+sentinel://127.0.0.1:1,127.0.0.1:2/bank"))[0]
    node.ask("ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all", "-info")
    node.ask("ACL", "SETUSER", "managed", "on", ">secret", "~*", "+@all", "-config")
    assert "refuses this user or password" in (await told(f"redis://app:wrong@{HOST}:{node.port}"))[0]
    assert "permits this user too little" in (await told(f"redis://app:secret@{HOST}:{node.port}"))[0]
    # As managed services do: then this one thing is not known.
    assert await told(f"redis://managed:secret@{HOST}:{node.port}", "disk") == []
    node.signal(SIGSTOP)
    assert await told(node.url) == ["redis does not answer"]


async def test_a_store_that_loads(node: Node) -> None:
    redis = connect(node.url, patient=False)
    async with redis.pipeline(transaction=False) as pipe:
        for count in range(20_000):
            pipe.set(f"key-{count}", "")
        await pipe.execute()
    await redis.aclose(close_connection_pool=True)
    node.end()
    slow = Node(node.directory, *KEPT, "--key-load-delay", "500")
    slow.start()
    try:
        assert await until(lambda: told_something(slow), 10) == ["redis is loading its data"]
    finally:
        slow.end()


async def told_something(node: Node) -> list[str]:
    found = await told(node.url)
    return [] if found == ["redis does not answer"] else found


async def test_a_store_whose_disk_is_full(node: Node) -> None:
    # The file that it will write next is a disk without room.
    (node.directory / "appendonlydir" / "appendonly.aof.2.incr.aof").symlink_to("/dev/full")
    node.ask("BGREWRITEAOF")

    async def says_so() -> bool:
        node.ask("SET", "key", "value")
        return await told(node.url) == ["redis cannot write its append-only file"]

    await until(says_so)


async def test_a_replica_where_the_primary_should_be_and_one_that_confirms_nothing(tmp_path: Path) -> None:
    async with Replicated(tmp_path) as store:
        assert "read-only replica" in (await told(store.replica.url))[0]
        assert await told(store.primary.url, "replica") == []
        store.replica.signal(SIGSTOP)
        assert "NOTIFIER_ACKNOWLEDGE=replica" in (await told(store.primary.url, "replica"))[0]


@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize(
    ("faulty", "fault"), [("evicting", "set maxmemory-policy noeviction"), ("away", "redis does not answer")]
)
async def test_a_process_says_so_as_it_starts_and_starts_all_the_same(
    node: Node, tmp_path: Path, port: int, faulty: str, fault: str, command: str
) -> None:
    node.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    arguments = ["--port", str(port)] if command == "serve" else []
    env = environment(NOTIFIER_REDIS_URL=AWAY if faulty == "away" else node.url)
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = start_child([sys.executable, "-m", "notifier", command, *arguments], output=output, env=env)
    try:
        line = await until(lambda: next(iter(said(log)), None), 30)
        assert (line["level"], fault in line["fault"]) == ("error", True)
        if command == "serve":
            await until(lambda: alive(port))
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def said(log: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in log.read_text().splitlines() if '"store_not_ready"' in line]


async def alive(port: int) -> bool:
    async with httpx.AsyncClient() as browser:
        try:
            return (await browser.get(f"http://{HOST}:{port}/healthz")).is_success
        except httpx.HTTPError:
            return False
