"""`/healthz`: this process answers. `/readyz`: it can do its work; if not, it says what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from redis.asyncio import Redis
from redis.exceptions import RedisError

from links.durability import Acknowledge
from notifier.api.answers import Alive, Readiness
from notifier.api.openapi import operation
from notifier.clock import Clock
from notifier.readiness import faults
from notifier.standing import Lookout


@dataclass(frozen=True, slots=True)
class HealthApi:
    """Looks at the store; `concerns` tells what should be mended while the work goes on."""

    redis: Redis
    acknowledge: Acknowledge
    lookout: Lookout
    concerns: Callable[[], list[str]]
    clock: Clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            "/healthz",
            self.alive,
            methods=["GET"],
            summary="This process answers",
            **operation("isAlive", "Health", gives=Alive),
        )
        ready = operation("isReady", "Health", gives=Readiness)
        ready["responses"][503] = ready["responses"][200]
        router.add_api_route("/readyz", self.ready, methods=["GET"], summary="It can do its work", **ready)
        # As some load balancers and monitors ask.
        router.add_api_route("/healthz", self.alive, methods=["HEAD"], include_in_schema=False)
        router.add_api_route("/readyz", self.ready, methods=["HEAD"], include_in_schema=False)
        return router

    async def alive(self) -> dict[str, str]:
        """Always."""
        return {"status": "ok"}

    async def ready(self) -> JSONResponse:
        """Whether the store answers, and keeps what it is given as it was told to.

        Warnings (no worker, a queue that is late, dead letters) leave it ready: events that are refused for these would
        only be missing later.
        """
        problems = await faults(self.redis, self.acknowledge)
        warnings = [] if problems else [*await self._warnings(), *self.concerns()]
        told = {"status": "unavailable" if problems else "ok", "problems": problems, "warnings": warnings}
        return JSONResponse(told, 503 if problems else 200)

    async def _warnings(self) -> list[str]:
        try:
            return (await self.lookout.look(self.clock())).warnings()
        except (RedisError, OSError):
            return []
