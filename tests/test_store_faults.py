"""The store goes away under the running service: callers are told at once, workers wait, nothing accepted is lost."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.people import Owner, link, mailed, post
from tests.service import PROMPTLY_S, Service, running, until
from tests.stores import alone

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with running(tmp_path_factory.mktemp("faults")) as service:
        yield service


async def test_a_store_that_is_killed_and_comes_back(service: Service) -> None:
    owner = Owner(1)
    mail = await mailed(service, owner, owner.event("login_succeeded"))
    service.mailbox.hold_data = asyncio.Event()
    waiting = (await post(service, owner.event("password_reset")))["notifications"][0]["id"]
    await asyncio.sleep(1.2)  # longer than the store may keep what it was given from its disk
    service.valkey.kill()

    began = time.monotonic()
    refused = await service.api.post("/v1/events", json=owner.event("new_device"))
    assert time.monotonic() - began < PROMPTLY_S
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["content-type"] == "application/problem+json"
    page = await service.browser.get(link(mail, "d"))
    assert page.status_code == 503
    assert "Your link still works" in page.text
    assert (await service.browser.get("/readyz")).status_code == 503
    assert (await service.browser.get("/healthz")).status_code == 200

    # Sent while the store is away; to be settled once it is back, and not to be sent again.
    service.mailbox.hold_data.set()
    await until(lambda: service.mails(owner.email, waiting))
    await asyncio.sleep(3)
    service.valkey.start()
    assert await mailed(service, owner, owner.event("new_device"))
    assert (await service.browser.post(link(mail, "d"))).status_code in (200, 202)
    await until(lambda: service.actions(owner.account))

    async def settled() -> bool:
        return bool((await service.api.get(f"/v1/notifications/{waiting}")).json()["status"] == "sent")

    await until(settled)
    assert len(service.mails(owner.email, waiting)) == 1
    # By the same processes.
    assert service.processes["worker"].poll() is None
    assert service.processes["api"].poll() is None


async def test_a_store_that_hangs_is_given_up_within_two_seconds(service: Service) -> None:
    owner = Owner(2)
    process = service.valkey.pid
    os.kill(process, signal.SIGSTOP)
    try:
        began = time.monotonic()
        refused = await service.api.post("/v1/events", json=owner.event("login_succeeded"))
        assert refused.status_code == 503
        assert time.monotonic() - began < PROMPTLY_S
    finally:
        os.kill(process, signal.SIGCONT)
    assert await mailed(service, owner, owner.event("login_succeeded", 2))


async def test_a_worker_ends_when_told_though_the_store_is_away(service: Service) -> None:
    service.valkey.kill()
    await asyncio.sleep(1)
    worker = service.processes["worker"]
    worker.terminate()
    await until(lambda: worker.poll() is not None, 25)
    assert worker.returncode == 0
    service.valkey.start()


async def test_a_user_of_the_store_who_may_not_publish_has_all_but_the_knocks(tmp_path: Path) -> None:
    """What a Redis 7 gives whoever is not told of channels."""
    async with alone(tmp_path) as node:
        assert node.ask("ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all", "resetchannels") == b"OK"
        url = node.url.replace("redis://", "redis://app:secret@")
        async with running(tmp_path, NOTIFIER_REDIS_URL=url) as service:
            owner = Owner(1)
            mail = await mailed(service, owner, owner.event("login_succeeded"))
            answered = await service.browser.post(link(mail, "d"))
            # A bell of arq's wakes the worker, within its second, and the page looks once its patience ends.
            assert answered.status_code in (200, 202)
            await until(lambda: service.actions(owner.account))
            # The owner is told, by what the worker accepted itself.
            await until(lambda: len(service.mails(owner.email)) == 2)

            async def all_sent() -> bool:
                counts = (await service.api.get("/v1/queues")).json()["counts"]
                return bool(counts["accepted"] == counts["sent"])

            await until(all_sent)
