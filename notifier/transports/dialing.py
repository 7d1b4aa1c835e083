"""A host and a port come in, a connected socket goes out; names that do not resolve and addresses that are silent cost
little.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

# As getaddrinfo() gives it: family, kind, protocol, name, and where.
Address = tuple[Any, ...]

# One address that is silent must leave time for the next; a lost SYN is sent again after a second.
_PER_ADDRESS_S = 1.5


class Dialer:
    """Connects to one host."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._lookup: asyncio.Task[list[Address]] | None = None

    async def dial(self) -> socket.socket:
        """Raises OSError, or ValueError for what can be no name. The caller bounds the time."""
        # One lookup at a time, shared by all who wait and outliving them: each keeps a thread until the resolver gives
        # up, and the threads are few.
        if self._lookup is None:
            self._lookup = asyncio.create_task(self._look_up())
        return await first_to_answer(await asyncio.shield(self._lookup))

    async def _look_up(self) -> list[Address]:
        try:
            loop = asyncio.get_running_loop()
            return [*await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)]
        finally:
            self._lookup = None


async def first_to_answer(addresses: Sequence[Address]) -> socket.socket:
    """Tries each in turn (RFC 5321 section 5.1); raises OSError where the last one fails."""
    *others, last = addresses
    for address in others:
        try:
            async with asyncio.timeout(_PER_ADDRESS_S):
                return await _connected(address)
        except OSError:  # TimeoutError is one
            continue
    return await _connected(last)


async def _connected(address: Address) -> socket.socket:
    family, kind, protocol, _, where = address
    connection = socket.socket(family, kind, protocol)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, where)
    except BaseException:
        connection.close()
        raise
    return connection
