"""The client: where a URL leads, how long it waits, and how it finds the primary again."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from urllib.parse import quote

import pytest
from arq.connections import ArqRedis
from redis.asyncio.connection import SSLConnection
from redis.exceptions import ConnectionError, RedisError

from notifier.bells import QUEUE, Bells
from notifier.clock import system_clock
from notifier.notices import Lane
from notifier.store import connect
from notifier.store_url import Sentinels, check, sentinels
from notifier.throttle import DEFAULTS, Throttle
from tests.ports import HOST
from tests.service import PROMPTLY_S, until
from tests.stores import SERVICE, FailingOver, Node, Replicated

SECRET = "hunter2hunter2"


@pytest.fixture
async def failing_over(tmp_path: Path) -> AsyncIterator[FailingOver]:
    async with FailingOver(tmp_path) as store:
        yield store


@pytest.fixture
async def replicated(tmp_path: Path) -> AsyncIterator[Replicated]:
    async with Replicated(tmp_path) as store:
        yield store


async def written_to(client: ArqRedis) -> int:
    """The port of the server that takes the client's writes."""
    await client.set("written", 1)
    return int((await client.info("server"))["tcp_port"])


def test_a_url_of_sentinels_is_read() -> None:
    read = sentinels("redis+sentinel://app:p%40ss@a.example:1,b.example,[::1]:3/bank-1/2?sentinel_password=s%26s")
    assert read == Sentinels(
        hosts=(("a.example", 1), ("b.example", 26379), ("::1", 3)),
        service="bank-1",
        store={"db": 2, "username": "app", "password": "p@ss"},
        own={"password": "s&s"},
    )
    assert "p@ss" not in repr(read)
    assert sentinels("redis+sentinel://:only@a/bank") == Sentinels(
        (("a", 26379),), "bank", {"db": 0, "password": "only"}, {}
    )
    assert sentinels("redis://a/0") is None


@pytest.mark.parametrize(
    "url",
    [
        f"redis+sentinel://:{SECRET}@a:1",
        f"redis+sentinel://:{SECRET}@a:1/",
        f"redis+sentinel://:{SECRET}@/bank",
        f"redis+sentinel://:{SECRET}@a:1,,b:2/bank",
        f"redis+sentinel://:{SECRET}@a:99999/bank",
        f"redis+sentinel://:a:{SECRET}/bank",
        f"redis+sentinel://a/bank/{SECRET}",
        f"redis+sentinel://a/bank?password={SECRET}",
        f"redis+sentinel://a/bank?{SECRET}",
        f"sentinel://:{SECRET}@a:1/bank",
        f"redis://:{SECRET}@a:{SECRET}",
        f"redis://a?{SECRET}=1",
        f"redis://a?db={SECRET}",
        f"http://{SECRET}",
        SECRET,
    ],
)
def test_a_wrong_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"^must be redis://.*redis\+sentinel://") as error:
        check(url)
    assert SECRET not in str(error.value)
    assert error.value.__suppress_context__


def test_tls_is_spoken_with_the_store_and_with_its_sentinels() -> None:
    client = connect("rediss+sentinel://a:1/bank?ssl_ca_certs=ca.pem", patient=False)
    connection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    assert isinstance(connection, SSLConnection)
    assert connection.ca_certs == "ca.pem"
    (sentinel,) = client.connection_pool.sentinel_manager.sentinels  # type: ignore[attr-defined]
    own = sentinel.connection_pool.make_connection()
    assert isinstance(own, SSLConnection)
    assert own.ca_certs == "ca.pem"


async def test_both_passwords_are_given_to_whom_they_are_for(tmp_path: Path) -> None:
    password, own = "p@ss:w/d", "s%&?"
    node = Node(tmp_path / "store", "--requirepass", password)
    conf = tmp_path / "sentinel.conf"
    conf.write_text(
        f"sentinel monitor {SERVICE} {HOST} {node.port} 1\nsentinel auth-pass {SERVICE} {password}\nrequirepass {own}\n"
    )
    sentinel = Node(tmp_path / "sentinel", conf, "--sentinel")
    url = (
        f"redis+sentinel://:{quote(password, '')}@{HOST}:{sentinel.port}/{SERVICE}/3?sentinel_password={quote(own, '')}"
    )
    client = connect(url, patient=True)
    try:
        for each in (node, sentinel):
            each.start()
        assert await asyncio.wait_for(written_to(client), 10) == node.port
        assert (await client.info("keyspace"))["db3"]["keys"] == 1
    finally:
        await client.aclose(close_connection_pool=True)
        for each in (node, sentinel):
            each.end()


async def test_bells_and_limits_go_where_the_sentinels_say(failing_over: FailingOver) -> None:
    client = connect(failing_over.url, patient=False)
    assert await written_to(client) == failing_over.primary.port
    await Bells(client, system_clock).deliver(Lane.ALERT)
    (job,) = await client.queued_jobs()
    assert (job.function, *job.args) == ("deliver", "alert")
    assert await client.zcard(QUEUE) == 1
    await Throttle(client, DEFAULTS).take(visitor="a")
    # A Sentinel that is gone or silent is passed over.
    failing_over.sentinels[0].signal(SIGKILL)
    failing_over.sentinels[1].signal(SIGSTOP)
    again = connect(failing_over.url, patient=False)
    began = time.monotonic()
    assert await written_to(again) == failing_over.primary.port
    assert time.monotonic() - began < PROMPTLY_S
    await client.aclose(close_connection_pool=True)
    await again.aclose(close_connection_pool=True)


async def test_whoever_waits_for_a_dead_primary_is_served_by_the_next(failing_over: FailingOver) -> None:
    client = connect(failing_over.url, patient=True)
    assert await written_to(client) == failing_over.primary.port
    failing_over.primary.signal(SIGKILL)
    # The Sentinels still name the dead one as this starts to wait.
    assert await asyncio.wait_for(written_to(client), 20) == failing_over.replica.port
    await client.aclose(close_connection_pool=True)


async def test_a_connection_in_use_does_not_lead_back_to_the_primary_before(failing_over: FailingOver) -> None:
    client = connect(failing_over.url, patient=True)
    pool = client.connection_pool
    in_use = await pool.get_connection("GET")
    failing_over.primary.signal(SIGSTOP)
    assert await asyncio.wait_for(written_to(client), 20) == failing_over.replica.port
    await pool.release(in_use)
    again = await pool.get_connection("GET")
    assert (again.host, again.port) == (HOST, failing_over.replica.port)
    await client.aclose(close_connection_pool=True)


async def test_a_primary_that_is_demoted_under_its_clients_is_left(failing_over: FailingOver) -> None:
    """Nobody dies here: the old primary goes on answering, and only says READONLY."""
    clients = [connect(failing_over.url, patient=patient) for patient in (True, False)]
    throttle = Throttle(clients[1], DEFAULTS)
    for client in clients:
        assert await written_to(client) == failing_over.primary.port
    await throttle.take(visitor="a")
    assert failing_over.sentinels[0].ask("SENTINEL", "FAILOVER", SERVICE) == b"OK"
    await until(lambda: (failing_over.primary.ask("ROLE") or [b""])[0] == b"slave", 20)
    # It waits as long as it takes.
    await asyncio.wait_for(clients[0].set("mine", 1), 20)

    async def taken() -> bool:
        try:
            await throttle.take(visitor="b")
        except (RedisError, OSError):
            return False
        return True

    await until(taken, 20)
    assert [await written_to(client) for client in clients] == [failing_over.replica.port] * 2
    for client in clients:
        await client.aclose(close_connection_pool=True)


async def test_a_demoted_primary_is_left_where_a_name_leads_to_it_too(replicated: Replicated) -> None:
    """DNS or a proxy may lead the next connection to another server; an old one must not hold on to this."""
    client = connect(replicated.primary.url, patient=False)
    await client.set("mine", 1)
    (connection,) = client.connection_pool._available_connections
    await client.replicaof(HOST, str(replicated.replica.port))
    with pytest.raises(ConnectionError, match="read-only replica"):
        await client.set("mine", 2)
    assert not connection.is_connected
    await client.replicaof("NO", "ONE")
    await client.set("mine", 3)
    await client.aclose(close_connection_pool=True)


async def test_a_store_that_hangs_is_given_up_by_all_at_once(tmp_path: Path) -> None:
    """redis-py would have each caller wait for those before it to time out."""
    node = Node(tmp_path)
    node.start()
    client = connect(node.url, patient=False)
    await until(lambda: node.ask("PING"))
    node.signal(SIGSTOP)
    try:
        began = time.monotonic()
        answers = await asyncio.gather(*(client.get("mine") for _ in range(50)), return_exceptions=True)
        assert time.monotonic() - began < 5  # and not 50
        assert all(isinstance(answer, RedisError) for answer in answers)
        node.signal(SIGCONT)
        assert await client.set("mine", 1)
    finally:
        node.end()
        await client.aclose(close_connection_pool=True)
