"""`/healthz`: this process answers. `/readyz`: it can do its work; if not, it says what is wrong."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from redis.asyncio import Redis
from redis.exceptions import RedisError


@dataclass(frozen=True, slots=True)
class HealthApi:
    """Looks at the store."""

    redis: Redis

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route("/healthz", self.alive, methods=["GET"])
        router.add_api_route("/readyz", self.ready, methods=["GET"])
        return router

    async def alive(self) -> dict[str, str]:
        """Always."""
        return {"status": "ok"}

    async def ready(self) -> JSONResponse:
        """Whether Redis answers, and keeps what it is given: it must write an append-only file and evict nothing."""
        try:
            settings = await self.redis.config_get("appendonly", "maxmemory-policy")  # type: ignore[arg-type]
        except (RedisError, OSError):
            return JSONResponse({"status": "unavailable", "problems": ["redis does not answer"]}, 503)
        problems = []
        if settings.get("appendonly") != "yes":
            problems.append("redis writes no append-only file: set appendonly yes")
        if settings.get("maxmemory-policy") != "noeviction":
            problems.append("redis may evict records: set maxmemory-policy noeviction")
        return JSONResponse(
            {"status": "unavailable" if problems else "ok", "problems": problems}, 503 if problems else 200
        )
