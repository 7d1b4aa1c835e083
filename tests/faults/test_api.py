"""The API dies under producers who post again until they have their 202: nothing is lost, nothing accepted twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.client import Monitor

from tests.faults.conftest import Hold
from tests.faults.trial import Fault, Trial
from tests.ports import HOST
from tests.stores import Node, alone

# How many are posted around each kill.
_BURST = 20
# Seconds for which the store's answers are on their way: long enough to see a write and kill who waits for its answer.
_FAR = 0.03


@dataclass
class Far:
    """A store at some distance, and where it is itself."""

    node: Node
    url: str


@asynccontextmanager
async def far(directory: Path) -> AsyncIterator[Far]:
    async with contextlib.AsyncExitStack() as stack:
        node = await stack.enter_async_context(alone(directory))

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            answers, asks = await asyncio.open_connection(HOST, node.port)
            await asyncio.gather(_carry(reader, asks, 0), _carry(answers, writer, _FAR))

        server = await stack.enter_async_context(await asyncio.start_server(connected, HOST, 0))
        yield Far(node, f"redis://{HOST}:{server.sockets[0].getsockname()[1]}")
        server.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Everything, so much later, and the end of it."""
    with contextlib.suppress(ConnectionError), contextlib.closing(writer):
        while data := await reader.read(2**16):
            await asyncio.sleep(seconds)
            writer.write(data)
            await writer.drain()


async def killed_at_random(trial: Trial) -> None:
    """Before the write, in the middle of a request, after the 202, while it starts."""
    trial.notes.append(f"seed {trial.seed}")
    async with asyncio.TaskGroup() as load:
        posting = load.create_task(trial.burst(trial.size))
        while not posting.done():
            await asyncio.sleep(trial.chance.uniform(0.05, 0.4))
            _kill(trial)
            await trial.service.ready()
    assert trial.kills


async def killed_before_the_answer(trial: Trial) -> None:
    """As soon as the store has an event, which is before the 202: what it was is accepted, and posted again."""
    assert isinstance(trial.store, Far)
    for _ in range(trial.size // _BURST):
        redis = Redis.from_url(trial.store.node.url)
        async with contextlib.aclosing(redis), redis.monitor() as monitor, asyncio.TaskGroup() as load:
            load.create_task(trial.burst(_BURST))
            await _recorded(monitor)
            _kill(trial)
        await trial.service.ready()
    await trial.settle()
    unanswered = trial.written_unanswered()
    trial.notes.append(f"{unanswered} in the store without a 202")
    assert unanswered


async def _recorded(monitor: Monitor) -> None:
    """Until the store's script writes an event. That the script was called says less: the store may not know it yet."""
    async for command in monitor.listen():
        if command["client_type"] == "lua" and command["command"].startswith("SET event:"):
            return


def _kill(trial: Trial) -> None:
    trial.kill("api")
    trial.service.again("api")


FAULTS = (
    Fault("API killed again and again", killed_at_random, short=0, full=1000, seconds=200),
    Fault("API killed between the write and the 202", killed_before_the_answer, short=60, full=400, store=far),
)


async def test_nothing_is_lost(fault: Fault, hold: Hold) -> None:
    tally = await hold(fault)
    assert (tally.lost, tally.waiting, tally.unaccounted) == (0, 0, 0), tally
