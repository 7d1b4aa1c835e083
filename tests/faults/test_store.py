"""The store dies, hangs, is full, forgets its scripts or fails over under load: producers are told to come again, and
workers wait. What they are answered is on disk before.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from signal import SIGKILL, SIGSTOP, Signals

import redis

from tests.faults.conftest import Hold
from tests.faults.trial import IN_HAND, PRODUCERS, Fault, Trial
from tests.ports import HOST
from tests.service import until
from tests.stores import FailingOver, Node, alone

_STOP = 60
_LOAD = 500
# The first words of a command.
_HALF = b"*3\r\n$3\r\nSET\r\n$5\r\nhal"
# How many connections there are, and for how many seconds the service has none of them.
_CLIENTS = 60
_OUT = 8
# Longer than anybody waits for an answer on a connection to it.
_HANGS = 10


async def killed(trial: Trial) -> None:
    """kill -9, and started again on the same file, every few hundred notifications."""
    for _ in range(max(1, trial.size // _LOAD)):
        async with _load(trial, min(trial.size, _LOAD)):
            await _away(trial, SIGKILL, trial.chance.uniform(0, 2))
            trial.kills += 1


async def torn(trial: Trial) -> None:
    """kill -9 in the middle of a write to its file, as when the power fails."""
    async with _load(trial, trial.size):
        server = _server(trial)
        server.signal(SIGKILL)
        trial.kills += 1
        trial.may_double += len(trial.workers)
        (file,) = (server.directory / "appendonlydir").glob("*.incr.aof")
        with file.open("ab") as end:
            end.write(_HALF)
        server.come_back()


async def out_of_connections(trial: Trial) -> None:
    """Others hold all that it gives; those of the service break, and it gets no new ones for some time."""
    server = _server(trial)
    async with _load(trial, trial.size):
        trial.may_double += len(trial.workers)
        await asyncio.to_thread(_hold_all, server)


def _hold_all(server: Node) -> None:
    with contextlib.ExitStack() as held:
        ours = held.enter_context(redis.Redis(HOST, server.port, single_connection_client=True))
        ours.config_set("maxclients", _CLIENTS)
        end = time.monotonic() + _OUT
        while time.monotonic() < end:
            ours.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            # As fast as they can: the service wants them too.
            for _ in range(_CLIENTS):
                held.enter_context(socket.create_connection((HOST, server.port)))
            time.sleep(1)
        ours.config_set("maxclients", 10_000)


async def stopped(trial: Trial) -> None:
    """It hangs for a minute; connections stay open."""
    async with _load(trial, trial.size):
        await _away(trial, SIGSTOP, _STOP)


async def full(trial: Trial) -> None:
    """It has no room for some time: no event is accepted, and what was accepted before gets out all the same."""
    server = _server(trial)
    async with _load(trial, trial.size):
        server.ask("CONFIG", "SET", "maxmemory", "1")
        kept = _kept(server)
        turned_away = trial.turned_away
        await until(lambda: trial.turned_away > turned_away + PRODUCERS)
        await until(lambda: len(trial.accepted) == kept)  # the last 202s were on their way
        await trial.arrived(*trial.accepted)
        # Not one more: a 202 is never given for what was not kept.
        assert len(trial.accepted) == kept == _kept(server)
        server.ask("CONFIG", "SET", "maxmemory", "0")


def _kept(server: Node) -> int:
    """How many notifications the store was given."""
    return int(server.ask("HGET", "counts", "accepted"))


async def scripts_forgotten(trial: Trial) -> None:
    """SCRIPT FLUSH again and again, as a failover or an operator does."""
    server, times = _server(trial), 0
    async with asyncio.TaskGroup() as load:
        posting = load.create_task(trial.burst(trial.size))
        while not posting.done():
            server.ask("SCRIPT", "FLUSH")
            times += 1
            await asyncio.sleep(0.02)
    trial.notes.append(f"flushed {times} times")


async def primary_killed(trial: Trial) -> None:
    """Sentinels promote the replica; the primary comes back as its replica."""
    await _fail_over(trial, SIGKILL, 0)


async def primary_hangs(trial: Trial) -> None:
    """The same, but connections to it stay open."""
    await _fail_over(trial, SIGSTOP, _HANGS)


async def _fail_over(trial: Trial, number: Signals, seconds: float) -> None:
    assert isinstance(trial.store, FailingOver)
    await trial.warm()
    # What was marked as sent last, and what was recorded and not answered yet, the replica may not have been told.
    trial.may_double += IN_HAND * len(trial.workers)
    trial.may_stray += PRODUCERS
    async with asyncio.TaskGroup() as load:
        load.create_task(trial.burst(trial.size))
        await until(lambda: len(trial.accepted) > trial.size // 3)
        trial.store.primary.signal(number)
        await until(trial.store.promoted, 20)
        await asyncio.sleep(seconds)
        trial.store.primary.come_back()


@asynccontextmanager
async def _load(trial: Trial, count: int) -> AsyncIterator[None]:
    """The block, while notifications are posted; begun when some have been."""
    await trial.warm()
    before = len(trial.accepted)
    async with asyncio.TaskGroup() as load:
        load.create_task(trial.burst(count))
        await until(lambda: len(trial.accepted) > before + count // 5)
        yield
    trial.notes.append(f"{trial.turned_away} posts turned away")


async def _away(trial: Trial, number: Signals, seconds: float) -> None:
    """What workers have in doubt cannot be noted meanwhile."""
    trial.may_double += len(trial.workers)
    server = _server(trial)
    server.signal(number)
    await asyncio.sleep(seconds)
    server.come_back()


def _server(trial: Trial) -> Node:
    assert isinstance(trial.store, Node)
    return trial.store


REPLICA = {"NOTIFIER_ACKNOWLEDGE": "replica"}
FAULTS = (
    Fault("store killed under load", killed, short=150, full=2500, store=alone),
    Fault("store's file torn as it is killed", torn, short=0, full=500, store=alone),
    Fault("store out of connections", out_of_connections, short=0, full=500, store=alone),
    Fault("store stopped under load", stopped, short=0, full=1200, store=alone, seconds=200),
    Fault("store out of memory under load", full, short=100, full=1000, store=alone),
    Fault("store's scripts flushed under load", scripts_forgotten, short=0, full=1000, store=alone),
    Fault("primary killed, replica promoted", primary_killed, 0, 1000, store=FailingOver, settings=REPLICA),
    Fault("primary hangs, replica promoted", primary_hangs, 0, 1000, store=FailingOver, settings=REPLICA),
)


async def test_nothing_is_lost(fault: Fault, hold: Hold) -> None:
    tally = await hold(fault)
    assert (tally.lost, tally.waiting, tally.unaccounted) == (0, 0, 0), tally
