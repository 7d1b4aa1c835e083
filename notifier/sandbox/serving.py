"""Takes an ASGI app, a host and a port; serves the app there inside the running event loop."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn


class PortInUse(OSError):
    """Somebody listens there already; the text names the setting which moves the port."""

    def __init__(self, port: int, setting: str) -> None:
        super().__init__(
            f"port {port} is in use: stop what uses it, or set {setting} to another"
        )
        self.port = port
        self.setting = setting


def bind(host: str, port: int, setting: str) -> socket.socket:
    """Take the port, 0 for any free one, so that a taken one is told before anything starts."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # A second `make demo` right after the first finds connections in TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Two sockets may be bound to one port as long as neither listens.
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(port, setting) from error
        raise
    listener.setblocking(False)
    return listener


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the loop."""
        yield


@contextlib.asynccontextmanager
async def serving(app: Any, host: str, port: int, setting: str) -> AsyncIterator[int]:
    """Serve `app` as long as the block runs, which gets the port that was bound."""
    listener = bind(host, port, setting)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    # Connections made before uvicorn is up wait in the listener's queue.
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
