"""The URL of a Redis comes in; a client goes out, patient or not, that finds it again after a failover."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.connection import HiredisRespSerializer
from redis.exceptions import BusyLoadingError, ConnectionError, ReadOnlyError, TimeoutError

from notifier.bells import QUEUE, serialize
from notifier.store_url import Sentinels, sentinels

_PACKER = HiredisRespSerializer()
_Asked = tuple[tuple[Any, ...], dict[str, Any], asyncio.Future[Any]]
# Nobody is harmed by an answer that its asker does not wait for any more.
_READS = frozenset(("GET", "EXISTS", "HGETALL", "HMGET"))
# What is not waited for any more must not be done minutes later, as by a patient client: a claim would be nobody's.
_WRITES = frozenset(("EVALSHA",))

# A Sentinel that does not answer at once is passed over: another knows as much.
_SENTINEL_S = 0.4


def connect(url: str, *, patient: bool) -> ArqRedis:
    """A client. A patient one waits ten minutes for a store that is away, as a worker does that has nothing else to do;
    another gives up within two seconds, since somebody waits for its answer.

    arq's jobs are JSON, since its own default would unpickle what it finds.
    """
    broken: list[type[Exception]] = [ConnectionError, BusyLoadingError, OSError]
    options = {
        "socket_timeout": 5 if patient else 1,
        "socket_connect_timeout": 2 if patient else 0.7,
        "retry": Retry(ExponentialBackoff(cap=1, base=0.05), 600 if patient else 1, ()),
        "retry_on_error": [*broken, TimeoutError] if patient else broken,
    }
    where = sentinels(url)
    pool = _SentinelPool.of(where, options) if where else _DirectPool.of(url, options)
    together = _READS if patient else _READS | _WRITES
    return _Client(pool, together, job_serializer=serialize, job_deserializer=json.loads, default_queue_name=QUEUE)


class _Client(ArqRedis):
    """Sends what is asked within one turn of the event loop in one piece, where the commands are among `together`:
    what a write to a socket and a read from it cost is shared by all that work side by side.
    """

    def __init__(self, pool: ConnectionPool, together: frozenset[str], **options: Any) -> None:
        super().__init__(pool, **options)
        self._together = together
        self._asked: list[_Asked] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def execute_command(self, *command: Any, **options: Any) -> Any:
        if command[0] not in self._together:
            return await super().execute_command(*command, **options)  # type: ignore[no-untyped-call]
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        if not self._asked:
            loop.call_soon(self._send)
        self._asked.append((command, options, answer))
        return await answer

    def _send(self) -> None:
        asked, self._asked = self._asked, []
        task = asyncio.ensure_future(self._answer(asked))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _answer(self, asked: Sequence[_Asked]) -> None:
        try:
            if len(asked) == 1:
                ((command, options, _),) = asked
                answers = [await super().execute_command(*command, **options)]  # type: ignore[no-untyped-call]
            else:
                async with self.pipeline(transaction=False) as pipe:
                    for command, options, _ in asked:
                        pipe.execute_command(*command, **options)
                    answers = await pipe.execute(raise_on_error=False)
        except Exception as error:  # noqa: BLE001  # whoever asked is told, or would wait for ever
            answers = [error] * len(asked)
        for (_, _, awaited), answer in zip(asked, answers, strict=True):
            if awaited.done():
                continue
            if isinstance(answer, Exception):
                awaited.set_exception(answer)
            else:
                awaited.set_result(answer)


class _Pool(ConnectionPool):
    """Connects outside of the pool's lock, under which redis-py 5 would have each caller wait out the timeouts of all
    those before it while the store hangs.
    """

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> AbstractConnection:
        connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call]
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection


class _DirectPool(_Pool):
    @classmethod
    def of(cls, url: str, options: Mapping[str, Any]) -> ConnectionPool:
        pool: ConnectionPool = cls.from_url(url, **options)
        pool.connection_class = type("_Connection", (_Packing, _Closing, _OfPrimary, pool.connection_class), {})
        return pool


class _SentinelPool(_Pool, SentinelConnectionPool):
    @classmethod
    def of(cls, where: Sentinels, options: Mapping[str, Any]) -> ConnectionPool:
        manager = Sentinel(  # type: ignore[no-untyped-call]
            where.hosts,
            sentinel_kwargs={**where.own, "socket_timeout": _SENTINEL_S, "socket_connect_timeout": _SENTINEL_S},
        )
        kind = _SecureManaged if "ssl" in where.store else _Managed
        store = {name: value for name, value in where.store.items() if name != "ssl"}
        return cls(where.service, manager, connection_class=kind, **store, **options)

    async def release(self, connection: AbstractConnection) -> None:
        # In use while another learned where the primary is now. The old one may be back, and still take itself for it:
        # what was accepted elsewhere it would not know of.
        led_to = (getattr(connection, "host", None), getattr(connection, "port", None))
        if connection.is_connected and led_to != self.master_address:
            await connection.disconnect(nowait=True)
        await super().release(connection)

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        if inuse_connections:  # the client is closed; else only the primary has moved
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


class _Packing:
    """A connection whose commands are packed by hiredis, in C: an event has a hundred words, and in Python they took a
    sixth of the time in which it is accepted.
    """

    def pack_command(self, *command: Any) -> list[bytes]:
        return _PACKER.pack(*command)  # type: ignore[no-any-return]

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        return [b"".join(piece for command in commands for piece in self.pack_command(*command))]


class _Closing:
    """A connection that was closed under a command says so as all of them do: uvloop has a word of its own for it."""

    async def send_packed_command(self, *arguments: Any, **options: Any) -> None:
        try:
            await super().send_packed_command(*arguments, **options)  # type: ignore[misc]
        except RuntimeError:
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]
            raise ConnectionError("the connection was closed") from None


class _OfPrimary:
    """A connection that ends when its server says READONLY: a primary that was demoted. The next one may be led to
    another server, by DNS or by a proxy.
    """

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*arguments, **options)  # type: ignore[misc]
        except ReadOnlyError:
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]
            raise ConnectionError("the server is a read-only replica") from None


class _OneAttempt:
    """A connection that tries an address once: by the next attempt the Sentinels may know another. Left to itself,
    redis-py would knock at a dead primary for as long as it has patience.
    """

    retry: Retry

    async def connect_to(self, address: tuple[str, int]) -> None:
        patience, self.retry = self.retry, Retry(NoBackoff(), 0)
        try:
            await super().connect_to(address)  # type: ignore[misc]
        finally:
            self.retry = patience


class _Managed(_Packing, _Closing, _OneAttempt, SentinelManagedConnection):
    pass


class _SecureManaged(_Packing, _Closing, _OneAttempt, SentinelManagedSSLConnection):
    pass
