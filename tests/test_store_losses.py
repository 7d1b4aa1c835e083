"""The store forgets its scripts, all its data or the end of its file, or is silent for longer than a worker waits: the
service goes on, and what the disk had confirmed is there.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from arq.connections import ArqRedis

from notifier.sandbox.valkey import EmbeddedValkey
from notifier.store import connect
from tests.people import Owner, link, mailed, post
from tests.service import Service, running, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("store"), fsync="always") as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(store: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    directory = tmp_path_factory.mktemp("losses")
    async with running(directory, NOTIFIER_REDIS_URL=store.url, NOTIFIER_ACKNOWLEDGE="disk") as service:
        yield service
        assert all(process.poll() is None for process in service.processes.values())


@pytest_asyncio.fixture(loop_scope="module")
async def redis(store: EmbeddedValkey) -> AsyncIterator[ArqRedis]:
    client = connect(store.url, patient=True)
    yield client
    await client.aclose(close_connection_pool=True)


async def whole_way(service: Service, owner: Owner, number: int) -> None:
    """An event in, its mail, its link, its action."""
    mail = await mailed(service, owner, owner.event("login_succeeded", number))
    assert (await service.browser.post(link(mail, "d"))).status_code in (200, 202)
    await until(lambda: service.actions(owner.account))


async def test_scripts_that_are_forgotten_are_brought_again(service: Service, redis: ArqRedis) -> None:
    await whole_way(service, Owner(1), 0)
    await redis.script_flush()
    await whole_way(service, Owner(2), 0)


async def test_a_store_that_was_emptied_is_filled_again(service: Service, redis: ArqRedis) -> None:
    owner = Owner(3)
    mail = await mailed(service, owner, owner.event("login_succeeded"))
    lost = (await post(service, owner.event("login_succeeded", 1)))["notifications"][0]["id"]
    await redis.flushall()
    # Lost is lost, and told so; what comes now is served.
    assert (await service.api.get(f"/v1/notifications/{lost}")).status_code == 404
    assert (await service.browser.post(link(mail, "d"))).status_code == 410
    await whole_way(service, owner, 2)


async def test_what_the_disk_confirmed_outlives_the_cut_end_of_the_file(
    service: Service, store: EmbeddedValkey, redis: ArqRedis
) -> None:
    service.kill("worker")
    owners = [Owner(number) for number in range(10, 20)]
    await asyncio.gather(*(post(service, owner.event("password_reset")) for owner in owners))
    await redis.set("last", bytes(1000))
    store.kill()
    (file,) = (store.data_dir / "appendonlydir").glob("*.incr.aof")
    os.truncate(file, file.stat().st_size - 500)
    store.start()
    assert not await redis.exists("last")
    service.start("worker", "worker")
    await until(lambda: all(service.mails(owner.email) for owner in owners))


async def test_a_silence_that_outlasts_the_worker_s_patience(service: Service, store: EmbeddedValkey) -> None:
    owner, worker = Owner(20), service.processes["worker"]
    await mailed(service, owner, owner.event("login_succeeded"))
    os.kill(store.pid, signal.SIGSTOP)
    try:
        # It waits five seconds for one answer, and then asks again.
        await asyncio.sleep(7)
        assert (await service.api.post("/v1/events", json=owner.event("login_succeeded", 1))).status_code == 503
    finally:
        os.kill(store.pid, signal.SIGCONT)
    await whole_way(service, owner, 1)
    assert service.processes["worker"] is worker
