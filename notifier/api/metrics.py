"""`GET /metrics`: the service's metrics and this process's, as Prometheus reads them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from redis.exceptions import RedisError

from notifier.api.openapi import operation
from notifier.metrics import Metrics


@dataclass(frozen=True, slots=True)
class MetricsApi:
    """`process` is what this process has measured itself, `versions` are of the catalogs that it serves, by locale."""

    metrics: Metrics
    process: CollectorRegistry
    versions: Callable[[], Mapping[str, str]]

    def router(self) -> APIRouter:
        """The route."""
        router = APIRouter()
        described = operation("showMetrics", "Health", gives=None)
        described["responses"][200] = {
            "description": "In Prometheus' text format.",
            "content": {
                "text/plain": {
                    "schema": {"type": "string"},
                    "example": 'notifier_queue_waiting{queue="critical"} 0.0\n',
                }
            },
        }
        router.add_api_route(
            "/metrics", self.show, methods=["GET"], summary="Metrics", response_class=PlainTextResponse, **described
        )
        return router

    async def show(self) -> Response:
        """Open, as it names no account: let your proxy keep it inside. While the store is away there is only what this
        process has measured, and `notifier_store_up` is 0.
        """
        registry = CollectorRegistry()
        up = Gauge("notifier_store_up", "1 while the store answers.", registry=registry)
        try:
            registry.register(await self.metrics.read())
            up.set(1)
        except (RedisError, OSError):
            up.set(0)
        catalogs = Gauge(
            "notifier_catalog_info", "Which file of a catalog serves.", ["locale", "version"], registry=registry
        )
        for locale, version in self.versions().items():
            catalogs.labels(locale, version).set(1)
        text = generate_latest(registry) + generate_latest(self.process)
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)
