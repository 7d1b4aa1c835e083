"""The primary fails under the running service: the same processes go on with the replica that Sentinels promote, and
where a replica's word is waited for, nothing that was accepted is lost.
"""

import asyncio
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGSTOP, Signals

import pytest

from tests.people import Owner
from tests.service import PROMPTLY_S, Service, running, until
from tests.stores import FailingOver

PRODUCERS = 4
_MESSAGE_ID = re.compile(rb"^Message-ID: <([^@]+)@", re.MULTILINE)


@dataclass
class Producers:
    """Post events all the time, each again until it is accepted."""

    service: Service
    # When each accepted event was first posted, and its mail's notification.
    accepted: list[tuple[float, str]] = field(default_factory=list)
    slowest: float = 0.0

    async def post(self, number: int) -> None:
        for count in range(10_000):
            event = Owner(number).event("login_succeeded", count)
            began = asked = time.monotonic()
            while (answer := await self.service.api.post("/v1/events", json=event)).status_code == 503:
                assert int(answer.headers["retry-after"]) > 0
                self.slowest = max(self.slowest, time.monotonic() - asked)
                await asyncio.sleep(0.1)
                asked = time.monotonic()
            assert answer.status_code == 202, answer.text
            self.accepted.append((began, answer.json()["notifications"][0]["id"]))
            await asyncio.sleep(0.05)

    def since(self, moment: float) -> set[str]:
        """The mails of what was posted after this moment and accepted."""
        return {id for began, id in self.accepted if began > moment}

    def sent(self) -> set[str]:
        heads = (_MESSAGE_ID.search(mail.raw) for mail in self.service.mailbox.maildrop)
        return {head.group(1).decode() for head in heads if head}


@pytest.mark.parametrize(
    ("acknowledge", "fault"), [("memory", SIGKILL), ("replica", SIGKILL), ("replica", SIGSTOP)], ids=str
)
async def test_the_service_goes_on_with_the_promoted_replica(tmp_path: Path, acknowledge: str, fault: Signals) -> None:
    async with (
        FailingOver(tmp_path) as store,
        running(tmp_path, NOTIFIER_REDIS_URL=store.url, NOTIFIER_ACKNOWLEDGE=acknowledge) as service,
    ):
        producers, processes = Producers(service), dict(service.processes)
        posting = [asyncio.create_task(producers.post(number)) for number in range(PRODUCERS)]
        await until(lambda: len(producers.accepted) >= 40)

        store.primary.signal(fault)
        failed = time.monotonic()
        await until(store.promoted, 20)
        if acknowledge == "replica":
            # It has no replica itself: nothing is accepted until the failed one is back, as one.
            await until(lambda: says_no_replica(service), 5)
            assert producers.since(failed) == set()
            store.primary.come_back()
        await until(lambda: len(producers.since(failed)) >= 40, 60)
        for task in posting:
            task.cancel()
        ended = await asyncio.gather(*posting, return_exceptions=True)
        assert {type(end) for end in ended} == {asyncio.CancelledError}

        due = producers.since(failed if acknowledge == "memory" else 0)
        await until(lambda: due <= producers.sent(), 40)
        assert producers.slowest < PROMPTLY_S
        assert service.processes == processes
        assert all(process.poll() is None for process in processes.values())


async def says_no_replica(service: Service) -> bool:
    return "no replica" in (await service.browser.get("/readyz")).text
