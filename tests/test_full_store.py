"""A store without room: nothing new is accepted, and nothing half; what was accepted goes its way; then all goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from arq.connections import ArqRedis
from redis.exceptions import OutOfMemoryError

from notifier.store import connect
from tests.people import Owner, code, link, mailed, post
from tests.service import Service, running, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSING = (b"arq:", b"notifier:", b"limit", b"LIMITS")
CODE = {"account": "acct-9", "purpose": "sign_in", "recipient": {"email": "owner9@mail.example"}}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with running(tmp_path_factory.mktemp("full")) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def redis(service: Service) -> AsyncIterator[ArqRedis]:
    client = connect(service.valkey.url, patient=False)
    yield client
    await client.aclose(close_connection_pool=True)


@asynccontextmanager
async def full(redis: ArqRedis) -> AsyncIterator[None]:
    """Filled up to a limit that is small; with room again after."""
    used = (await redis.info("memory"))["used_memory"]
    await redis.config_set("maxmemory", used + 2_000_000)
    with pytest.raises(OutOfMemoryError):
        await fill(redis)
    # Well over it, as a store is that was filled by many at once: what one connection gives back makes no room.
    await redis.config_set("maxmemory", used + 1_500_000)
    try:
        yield
    finally:
        await redis.delete(*await redis.keys("ballast:*"))
        await redis.config_set("maxmemory", 0)
        await asyncio.sleep(1)  # as long as an API goes by what it saw


async def fill(redis: ArqRedis) -> None:
    for count in range(10_000):
        await redis.set(f"ballast:{count}", bytes(10_000))


async def kept(redis: ArqRedis) -> dict[bytes, bytes | None]:
    """Everything but bells and counts."""
    return {key: await redis.dump(key) for key in await redis.keys("*") if not key.startswith(PASSING)}


async def test_nothing_is_accepted_and_nothing_half(service: Service, redis: ArqRedis) -> None:
    owner = Owner(1)
    answer = await post(service, owner.event("login_succeeded"))
    await until(lambda: service.mails(owner.email) and service.texts(owner.phone))
    await until(lambda: stand(service, [made["id"] for made in answer["notifications"]], "sent", "delivered"))
    async with full(redis):
        before = await kept(redis)
        for notice in ("login_succeeded", "password_reset", "withdrawal_confirmation", "account_deactivated"):
            refused = await service.api.post("/v1/events", json=owner.event(notice, 1))
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) > 0
        assert (await service.api.post("/v1/codes", json=CODE)).status_code == 503
        ready = await service.browser.get("/readyz")
        assert (ready.status_code, ready.json()["problems"]) == (503, ["redis is out of memory"])
        assert await kept(redis) == before
    assert (await service.browser.get("/readyz")).status_code == 200
    for notice in ("login_succeeded", "password_reset", "withdrawal_confirmation"):
        assert await mailed(service, owner, owner.event(notice, 1))
    assert (await service.api.post("/v1/codes", json=CODE)).status_code == 202


async def test_what_was_accepted_is_sent_and_what_is_clicked_forwarded(service: Service, redis: ArqRedis) -> None:
    owner, challenged = Owner(2), Owner(3)
    mail = await mailed(service, owner, owner.event("login_succeeded"))
    asking = await mailed(service, challenged, challenged.event("new_device"))
    service.kill("worker")
    waiting = [
        (await post(service, owner.event(notice)))["notifications"][0]["id"]
        for notice in ("password_reset", "ip_verification")
    ]
    service.mailbox.refuse_rcpt.append("451 4.7.1 try again later")
    async with full(redis):
        service.start("worker", "worker")
        await until(lambda: stand(service, waiting, "retrying", "sent"), 30)
        assert (await service.browser.get(link(mail, "d"))).status_code == 200
        assert (await service.browser.post(link(mail, "d"))).status_code in (200, 202)
        done = await service.browser.post(link(asking, "a"), data={"code": code(asking)})
        assert done.status_code in (200, 202)
        await until(lambda: service.actions(owner.account) and service.actions(challenged.account))
        worker = service.processes["worker"]
        assert worker.poll() is None
    assert await mailed(service, owner, owner.event("login_succeeded", 2))
    assert service.processes["worker"] is worker
    assert worker.poll() is None


async def stand(service: Service, notifications: list[str], *statuses: str) -> bool:
    """Whether they have come to these statuses, whichever to which."""
    told = [(await service.api.get(f"/v1/notifications/{id}")).json()["status"] for id in notifications]
    return sorted(told) == sorted(statuses)
