"""An application comes in; uvicorn serves it until it is told to stop, and then lets those who listen go at once."""

import socket

import uvicorn
from fastapi import FastAPI

from notifier.news import News


class Server(uvicorn.Server):
    """Else a stream, which has no end of its own, would hold a stop up until it is broken off."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams end where an event ends: their readers come back to another process, and miss nothing."""
        app = self.config.app
        assert isinstance(app, FastAPI)
        news: News = app.state.news
        news.end()
        await super().shutdown(sockets)
