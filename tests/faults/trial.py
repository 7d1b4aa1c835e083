"""The real service under one fault: producers, workers and relays to harm come in; a `Tally` of what became of every
notification goes out.
"""

import asyncio
import contextlib
import itertools
import random
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import httpx

from notifier.events import Channel
from notifier.notices import Lane
from notifier.sandbox.serving import serving
from tests.faults.relay import Relay, relaying
from tests.faults.tally import Tally
from tests.faults.unruly import Unruly
from tests.people import Owner
from tests.ports import HOST
from tests.service import Service, running, until

PRODUCERS = 16
# A relay's URL, without its port.
RELAY = f"smtp://{HOST}:{{}}"
# What a worker holds at a time.
IN_HAND = 96
# What a producer asks again after; anything else that is no 202 is a bug.
_AGAIN = (429, 503)
_ON_ITS_WAY = ("accepted", "retrying")
# What a worker calls it when it gives up a notification, or an action.
_ENDS = ("failed", "expired", "action_dead")
# A person's limits are not what is tried here: thousands of texts to one block of numbers, clicks from one address.
_LIMITS = "sms_block=1000000/hour visitor=1000000/minute code_producer=1000000/minute"


class Store(Protocol):
    """Servers that a fault may harm."""

    @property
    def url(self) -> str: ...


@dataclass(frozen=True)
class Fault:
    """A row: what goes wrong, and how many notifications are posted in the short and in the full form (0: not there).

    `store` is where notifications are kept, none: in an embedded server; `settings` are changed ones of the service.
    `count` says what became of them; all of it must be over within `seconds`.
    """

    name: str
    make: Callable[["Trial"], Awaitable[None]]
    short: int
    full: int
    workers: int = 2
    relays: int = 1
    store: Callable[[Path], AbstractAsyncContextManager[Store]] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 110
    count: Callable[["Trial"], Awaitable[Tally]] = field(default=lambda trial: trial.messages())


@dataclass
class Posted:
    """What a producer knows of one notification: whose it is, when it was first posted, when last asked for (Unix)."""

    owner: Owner
    began: float
    asked: float
    shown: dict[str, Any] = field(default_factory=dict)


@dataclass
class Trial:
    """`size` is how many notifications to post.

    What a fault may leave behind its function says: `may_double`, `may_stray`; and `dead` and `expired`, both exact.
    """

    fault: Fault
    size: int
    service: Service
    relays: list[Relay]
    taken: dict[str, list[float]]
    platform: Unruly
    store: Store | None
    seed: int
    ports: dict[int, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    accepted: dict[str, Posted] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    kills: int = 0
    may_double: int = 0
    may_stray: int = 0
    dead: int = 0
    expired: int = 0
    turned_away: int = 0
    chance: random.Random = field(init=False)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    # What a fault's function does.

    @property
    def relay(self) -> Relay:
        """The one that is preferred."""
        return self.relays[0]

    @property
    def workers(self) -> list[str]:
        """Their names."""
        return list(dict.fromkeys(self.ports.values()))

    async def post(self, notice: str = "login_succeeded", channel: Channel = "email") -> str:
        """One notification, posted again until there is a 202, as a producer does; its id."""
        owner = Owner(next(self._numbers))
        event = owner.event(notice)
        event["data"]["channels"] = [channel]
        began = time.monotonic()
        answer, asked = await self._answered("POST", "/v1/events", event)
        assert answer.status_code == 202, answer.text
        (made,) = answer.json()["notifications"]
        self.accepted[made["id"]] = Posted(owner, began, asked)
        return str(made["id"])

    async def burst(
        self, count: int, notice: str = "login_succeeded", channel: Channel = "email", at_once: int = PRODUCERS
    ) -> list[str]:
        """So many, by so many producers at a time."""
        left, ids = iter(range(count)), list[str]()

        async def producer() -> None:
            for _ in left:
                ids.append(await self.post(notice, channel))

        await asyncio.gather(*(producer() for _ in range(at_once)))
        return ids

    async def arrived(self, *ids: str, seconds: float = 60) -> float:
        """When (monotonic seconds) the last of these mails was taken, once all were."""
        await until(lambda: all(id in self.taken for id in ids), seconds)
        return max(self.taken[id][0] for id in ids)

    async def warm(self) -> None:
        """Until every worker has spoken to the relay, and has nothing more in its hands."""
        while {self.ports[port] for port in self.relay.connected} != set(self.workers):
            await self.post()
            await asyncio.sleep(0.1)
        await self.settle()

    def kill(self, name: str) -> None:
        """kill -9; a worker's death may double the mail that it has in doubt."""
        self.service.kill(name)
        self.kills += 1
        if name in self.workers:
            self.may_double += 1

    # What became of it.

    async def settle(self) -> int:
        """Wait until everything is; how many were not when this fault's time was over."""
        waiting = list(self.accepted)
        while waiting:
            for id, shown in await self.show(waiting):
                self.accepted[id].shown = shown
            waiting = [id for id in waiting if self.accepted[id].shown["status"] in _ON_ITS_WAY]
            if time.monotonic() > self.began + self.fault.seconds:
                break
            await asyncio.sleep(min(1, len(waiting) / 100))
        return len(waiting)

    async def show(self, ids: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
        """Each of these with what the API shows of it."""
        left, shown = iter(ids), list[tuple[str, dict[str, Any]]]()

        async def look() -> None:
            for id in left:
                answer, _ = await self._answered("GET", f"/v1/notifications/{id}")
                assert answer.status_code == 200, answer.text
                shown.append((id, answer.json()))

        await asyncio.gather(*(look() for _ in range(8)))
        return shown

    async def messages(self) -> Tally:
        """What became of every notification, once all are settled."""
        waiting = await self.settle()
        arrivals = Counter({id: len(times) for id, times in self.taken.items()})
        by_phone = {posted.owner.phone: id for id, posted in self.accepted.items()}
        arrivals.update(by_phone.get(text.to, text.to) for text in self.service.phone.messages)
        delivered = arrivals.keys() & self.accepted.keys()
        ended = Counter(posted.shown["status"] for id, posted in self.accepted.items() if id not in delivered)
        return self.tally(
            accepted=len(self.accepted),
            delivered=len(delivered),
            duplicates=arrivals.total() - len(arrivals),
            dead=ended["failed"],
            expired=ended["expired"],
            strays=len(arrivals) - len(delivered),
            waiting=waiting,
        )

    def check(self, tally: Tally) -> None:
        """That no more was doubled, given up or made up than this fault may cost, and an alarm raised for each."""
        assert (tally.dead, tally.expired) == (self.dead, self.expired), tally
        assert self._alarms() >= tally.dead + tally.expired, tally
        assert tally.duplicates <= self.may_double, tally
        assert tally.strays <= self.may_stray, tally
        assert tally.accepted >= self.size > 0, tally

    async def unaccounted(self) -> int:
        """How many the service's own account of it leaves open, once it has nothing in hand."""
        with contextlib.suppress(TimeoutError):
            await until(self._at_rest)
        told = await self._queues()
        accepted = told["counts"].pop("accepted")
        return int(accepted - sum(told["counts"].values()) - _in_lanes(told))

    def tally(self, **counts: int) -> Tally:
        """With what this trial knows besides."""
        seconds = time.monotonic() - self.began
        unsent = [posted.shown for posted in self.accepted.values() if posted.shown.get("status") != "sent"]
        return Tally(self.fault.name, **counts, kills=self.kills, seconds=seconds, notes=self.notes, unsent=unsent[:3])

    def written_unanswered(self) -> int:
        """How many were in the store before the post that brought the 202: the one before had died in between."""
        return sum(
            datetime.fromisoformat(posted.shown["accepted_at"]).timestamp() < posted.asked - 0.002
            for posted in self.accepted.values()
        )

    def _alarms(self) -> int:
        """How many times a worker's log says, as an error, that something was given up."""
        logs = (self.service.logs / f"{worker}.log" for worker in self.workers)
        lines = (line for log in logs for line in log.read_text(errors="replace").splitlines())
        return sum('"level": "error"' in line and any(f'"event": "{end}"' in line for end in _ENDS) for line in lines)

    async def _at_rest(self) -> bool:
        """What waits and what has ended is not read in one step: a mail that is settled in between would be both."""
        return not _in_lanes(await self._queues())

    async def _queues(self) -> Any:
        answer, _ = await self._answered("GET", "/v1/queues")
        return answer.json()

    async def _answered(self, method: str, path: str, json: Any = None) -> tuple[httpx.Response, float]:
        """The service's answer, once it has one, and when that was asked for."""
        while True:
            asked = time.time()
            try:
                answer = await self.service.api.request(method, path, json=json)
                if answer.status_code not in _AGAIN:
                    return answer, asked
                self.turned_away += 1
            except httpx.HTTPError:
                pass  # it is being killed
            await asyncio.sleep(self.chance.uniform(0.05, 0.2))


def _in_lanes(told: Any) -> int:
    return sum(told["waiting"][lane]["count"] for lane in Lane)


@asynccontextmanager
async def staged(fault: Fault, size: int, directory: Path, seed: int) -> AsyncIterator[Trial]:
    """The service with everything around it, for this fault; the workers are up soon."""
    taken: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        relays = [await stack.enter_async_context(relaying(taken)) for _ in range(fault.relays)]
        platform = Unruly()
        port = await stack.enter_async_context(serving(platform, HOST, 0, ""))
        url = f"http://{HOST}:{port}/webhooks"
        changed: dict[str, Any] = {"NOTIFIER_PLATFORM_URL": url, "NOTIFIER_LIMITS": _LIMITS, **fault.settings}
        store = await stack.enter_async_context(fault.store(directory)) if fault.store else None
        if store:
            changed["NOTIFIER_REDIS_URL"] = store.url
        service = await stack.enter_async_context(running(directory, workers=0, **changed))
        platform.app = service.platform.app
        trial = Trial(fault, size, service, relays, taken, platform, store, seed)
        for number in range(1, fault.workers + 1):
            await start_worker(trial, f"worker-{number}")
        yield trial


async def start_worker(
    trial: Trial,
    name: str,
    *launcher: str,
    preferred: str = RELAY,
    tls: ssl.SSLContext | None = None,
    **changed: str,
) -> None:
    """A worker with a port of its own at every relay, so that a relay knows whom it speaks with.

    `preferred` is the URL of the first relay, which speaks TLS if it is given one; `changed` is of the environment.
    """
    first, *others = trial.relays
    ports = [await first.listen(tls=tls), *[await relay.listen() for relay in others]]
    trial.ports |= dict.fromkeys(ports, name)
    urls = " ".join((RELAY if i else preferred).format(port) for i, port in enumerate(ports))
    trial.service.start(name, "worker", via=launcher, NOTIFIER_SMTP_URLS=urls, **changed)
