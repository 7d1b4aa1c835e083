"""How the service stands: what waits in each queue, for how long, what was given up, whether a worker is heard of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from redis.asyncio import Redis

from links.actions import Actions
from notifier.archive import Archive
from notifier.bells import HEARD
from notifier.notices import Lane

FORWARD = "forward"
Kind = Literal["notification", "action"]

_LATE = {Lane.CRITICAL: timedelta(minutes=1), Lane.ALERT: timedelta(minutes=10), Lane.BULK: timedelta(hours=2)}
_LATE_FORWARD = timedelta(minutes=1)
_LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Queue:
    """How many wait, and for how long the first of them has been overdue (ms)."""

    waiting: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Standing:
    """`queues` are the lanes and `forward`; `dead` is how many were given up and are kept, `lately` within an hour."""

    queues: Mapping[str, Queue]
    dead: Mapping[Kind, int]
    lately: int
    worker: bool

    def warnings(self) -> list[str]:
        """What somebody should look at, a sentence for each; none of it keeps this process from its work."""
        late = {lane.value: span for lane, span in _LATE.items()} | {FORWARD: _LATE_FORWARD}
        found = [
            f"the queue {name} is overdue by {queue.overdue // 1000} s"
            for name, queue in self.queues.items()
            if queue.overdue > late[name].total_seconds() * 1000
        ]
        if not self.worker:
            found.append("no worker is heard of: start one with `notifier worker`")
        if self.lately:
            found.append(f"{self.lately} were given up in the last hour: see `notifier dead-letters list`")
        return found


@dataclass(frozen=True, slots=True)
class Lookout:
    """Reads it from the store."""

    redis: Redis
    archive: Archive
    actions: Actions

    async def look(self, now: int) -> Standing:
        """As of now (ms)."""
        waiting = {lane.value: await self.archive.waiting(lane) for lane in Lane}
        waiting[FORWARD] = await self.actions.waiting()
        since = now - round(_LATELY.total_seconds() * 1000)
        return Standing(
            queues={
                name: Queue(count, 0 if first is None else max(0, now - first))
                for name, (count, first) in waiting.items()
            },
            dead={"notification": await self.archive.given_up(0), "action": await self.actions.given_up(0)},
            lately=await self.archive.given_up(since) + await self.actions.given_up(since),
            worker=bool(await self.redis.exists(HEARD)),
        )
