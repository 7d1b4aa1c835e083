"""Writes count once they are where they were asked to be: told then, and until then refused, though not undone."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import get_args

import pytest
import pytest_asyncio
from arq.connections import ArqRedis
from redis.exceptions import ResponseError

from links.durability import Acknowledge, Unconfirmed, confirm, write_all
from links.ledger import Ledger
from links.purposes import Purpose
from links.store import write_if_absent
from notifier.store import connect
from tests.conftest import SetClock
from tests.links.conftest import MakeLink
from tests.service import PROMPTLY_S, until
from tests.stores import Node, Replicated

WRITES = [("SET", "event", "first"), ("SET", "beside", "it")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Replicated]:
    async with Replicated(tmp_path_factory.mktemp("replicated")) as store:
        yield store


@asynccontextmanager
async def client(node: Node) -> AsyncIterator[ArqRedis]:
    redis = connect(node.url, patient=False)
    try:
        yield redis
    finally:
        await redis.aclose(close_connection_pool=True)


@pytest.fixture
async def primary(store: Replicated) -> AsyncIterator[ArqRedis]:
    async with client(store.primary) as redis:
        await redis.flushall()
        yield redis
        store.replica.signal(SIGCONT)


@pytest.fixture
def strict(primary: ArqRedis, table: Mapping[str, Purpose]) -> Ledger:
    return Ledger(
        primary,
        table.values(),
        reactivation_delay=timedelta(hours=2),
        keep=timedelta(days=8),
        keep_audit=timedelta(days=90),
        acknowledge="replica",
    )


async def is_unconfirmed(redis: ArqRedis, acknowledge: Acknowledge = "replica") -> None:
    """Within a second."""
    began = time.monotonic()
    with pytest.raises(Unconfirmed, match="in time"):
        await confirm(redis, acknowledge)
    assert time.monotonic() - began < PROMPTLY_S


@pytest.mark.parametrize("acknowledge", get_args(Acknowledge))
async def test_what_is_written_is_told_alike(primary: ArqRedis, acknowledge: Acknowledge) -> None:
    assert await write_if_absent(primary, "event", WRITES, acknowledge) is None
    assert await write_if_absent(primary, "event", WRITES, acknowledge) == b"first"
    await write_all(primary, [("INCR", "count"), ("INCR", "count")], acknowledge)
    assert await primary.mget("event", "beside", "count") == [b"first", b"it", b"2"]
    await primary.set("event", "words")
    with pytest.raises(ResponseError, match="not an integer"):
        await write_all(primary, [("INCR", "count"), ("INCR", "event")], acknowledge)


async def test_what_a_replica_confirmed_is_there(store: Replicated, primary: ArqRedis) -> None:
    for count in range(20):
        await write_if_absent(primary, f"event-{count}", [("SET", f"event-{count}", "x")], "replica")
        # At this very moment.
        assert store.replica.ask("EXISTS", f"event-{count}") == 1


async def test_an_event_counts_once_it_is_confirmed_and_not_before(store: Replicated, primary: ArqRedis) -> None:
    store.replica.signal(SIGSTOP)
    began = time.monotonic()
    with pytest.raises(Unconfirmed):
        await write_if_absent(primary, "event", WRITES, "replica")
    assert time.monotonic() - began < PROMPTLY_S
    assert await primary.get("event") == b"first"
    # Known by now, and no more confirmed than before: on whichever connection somebody asks.
    async with client(store.primary) as another:
        with pytest.raises(Unconfirmed):
            await write_if_absent(another, "event", WRITES, "replica")
    assert await write_if_absent(primary, "event", WRITES, "disk") == b"first"
    store.replica.signal(SIGCONT)
    assert await write_if_absent(primary, "event", WRITES, "replica") == b"first"
    assert store.replica.ask("GET", "event") == b"first"


async def test_a_use_counts_once_it_is_confirmed_and_once(
    store: Replicated, strict: Ledger, link: MakeLink, clock: SetClock
) -> None:
    mine = link()
    store.replica.signal(SIGSTOP)
    with pytest.raises(Unconfirmed):
        await strict.consume(mine, clock(), "act-1", b"p", beside=[("INCR", "beside")])
    with pytest.raises(Unconfirmed):
        await strict.consume(mine, clock(), "act-2", b"p", beside=[("INCR", "beside")])
    # Looking waits for nobody.
    assert (await strict.look(mine, clock())).outcome == "pending"
    store.replica.signal(SIGCONT)
    again = await strict.consume(mine, clock(), "act-3", b"p")
    assert (again.outcome, again.action) == ("pending", "act-1")
    assert store.replica.ask("EXISTS", f"link:use:{mine.identity}") == 1
    # With all that belongs to it, though nobody was told that it counted.
    assert store.replica.ask("GET", "beside") == b"1"


async def test_a_revocation_and_an_accounts_state_count_once_they_are_confirmed(
    store: Replicated, strict: Ledger, link: MakeLink, table: Mapping[str, Purpose], clock: SetClock
) -> None:
    store.replica.signal(SIGSTOP)
    with pytest.raises(Unconfirmed):
        await strict.revoke("acc", [table["deactivate"]], clock())
    with pytest.raises(Unconfirmed):
        await strict.tell("acc", "deactivated", clock())
    store.replica.signal(SIGCONT)
    await strict.revoke("acc", [table["deactivate"]], clock())
    assert await strict.tell("acc", "deactivated", clock()) == clock()
    assert store.replica.ask("HGET", "link:account:acc", "deactivated") == str(clock()).encode()


async def test_a_server_without_waitaof_confirms_what_a_replica_has_received(tmp_path: Path) -> None:
    async with Replicated(tmp_path, "--rename-command", "WAITAOF", "none") as store, client(store.primary) as redis:
        assert await write_if_absent(redis, "event", WRITES, "replica") is None
        assert store.replica.ask("GET", "event") == b"first"
        with pytest.raises(Unconfirmed, match=r"7\.2"):
            await confirm(redis, "disk")
        store.replica.signal(SIGSTOP)
        await is_unconfirmed(redis)


async def test_a_server_that_writes_no_file_confirms_no_disk(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.start()
    try:
        await until(lambda: node.ask("PING"))
        async with client(node) as redis:
            with pytest.raises(ResponseError, match="appendonly is disabled"):
                await write_if_absent(redis, "event", WRITES, "disk")
            # Its own faults aside, it writes.
            assert await write_if_absent(redis, "event", WRITES) == b"first"
    finally:
        node.end()
