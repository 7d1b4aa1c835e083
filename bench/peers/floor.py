"""Floors: the same framework doing the least that the job needs. No worker, no links, no encryption."""

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from redis.asyncio import Redis

from bench.peers.posted import SOCKET, Posted

_PAGE = "<!doctype html><html lang=en><title>Confirm</title><form method=post><button>Confirm</button></form></html>"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.redis = Redis(unix_socket_path=SOCKET)
    yield
    await app.state.redis.aclose()


app = FastAPI(lifespan=_lifespan)


@app.post("/v1/events", status_code=202)
async def post(posted: Posted, request: Request) -> JSONResponse:
    """Checked, and written once."""
    id = uuid.uuid4().hex
    await request.app.state.redis.set(f"event:{id}", posted.model_dump_json(), ex=86_400)
    return JSONResponse({"id": id}, 202)


@app.post("/v1/events/batch")
async def post_batch(posted: list[Posted], request: Request) -> JSONResponse:
    """Each checked, all written in one step."""
    ids = [uuid.uuid4().hex for _ in posted]
    async with request.app.state.redis.pipeline(transaction=False) as pipe:
        for id, each in zip(ids, posted, strict=True):
            pipe.set(f"event:{id}", each.model_dump_json(), ex=86_400)
        await pipe.execute()
    return JSONResponse({"results": [{"id": id} for id in ids]})


@app.get("/l/{token}")
async def show(token: str, request: Request) -> HTMLResponse:
    """A page that says whether a link was used."""
    used = await request.app.state.redis.get(f"link:{token}")
    return HTMLResponse(_PAGE if used is None else "used")


@app.post("/l/{token}")
async def act(token: str, request: Request) -> HTMLResponse:
    """Used once, and put on its way."""
    first = await request.app.state.redis.set(f"link:{token}", json.dumps({"at": 1}), nx=True, ex=604_800)
    return HTMLResponse("done" if first else "used", 200 if first else 409)
