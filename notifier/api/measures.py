"""What this process answers, measured: ASGI middleware that counts and times each request by its route's template, and
does it as a step of the caller's trace. A path may hold a link's token or an account, and is no label.
"""

import time

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notifier import traces

EVENT_STREAM = "text/event-stream"
# Their routes are Starlette's own, of which FastAPI leaves no word.
_LINKS = "/l/"
_METHODS = {"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"}
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def process_registry() -> CollectorRegistry:
    """With what is known of the process itself."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


class Measures:
    """Around everything, so that what the edge refuses counts too."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._seconds = Histogram(
            "notifier_http_request_duration_seconds",
            "Requests that this process answered, and how long that took.",
            labelnames=("method", "route", "status"),
            buckets=_BOUNDS,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts an answer once it is given, also one that broke off."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        begun: float | None = None

        async def noting_status(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status = message["status"]
                # How long somebody listens says nothing of us: a stream is answered once it begins.
                if Headers(raw=message["headers"]).get("content-type", "").startswith(EVENT_STREAM):
                    begun = time.perf_counter()
            await send(message)

        try:
            # What an owner's browser says of a trace tells nothing: a click belongs to its message's.
            is_link = scope["path"].startswith(_LINKS)
            with traces.within(None if is_link else Headers(scope=scope).get(traces.HEADER)):
                await self._app(scope, receive, noting_status)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            seconds = (begun or time.perf_counter()) - started
            self._seconds.labels(method, _template(scope), str(status)).observe(seconds)


def _template(scope: Scope) -> str:
    """`none` where no route was found."""
    if scope["path"].startswith(_LINKS):
        return _LINKS + "{token}"
    return getattr(scope.get("route"), "path_format", "none")
