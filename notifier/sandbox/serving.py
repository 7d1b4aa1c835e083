"""Takes an ASGI app, a host and a port; serves the app there inside the running event loop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn

from notifier.ports import bind


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
