"""An account platform that takes every action at once."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def _take(request: Request) -> Response:
    await request.body()
    return Response(status_code=204)


if __name__ == "__main__":
    app = Starlette(routes=[Route("/webhooks", _take, methods=["POST"])])
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning")
