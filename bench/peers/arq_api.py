"""The API of the arq peer: an event in, a job for its mail out."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from arq import create_pool
from arq.connections import RedisSettings
from fastapi import FastAPI, Request

from bench.peers.posted import SOCKET, Posted, job


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.redis = await create_pool(RedisSettings(unix_socket_path=SOCKET))
    yield
    await app.state.redis.aclose()


app = FastAPI(lifespan=_lifespan)


@app.post("/v1/events", status_code=202)
async def post(posted: Posted, request: Request) -> dict[str, str]:
    """Takes it."""
    id = uuid.uuid4().hex
    await request.app.state.redis.enqueue_job("send", job(posted, id), _job_id=id)
    return {"id": id}
