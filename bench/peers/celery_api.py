"""The API of the Celery peer: an event in, a task for its mail out."""

import uuid

from fastapi import FastAPI

from bench.peers.celery_mail import send
from bench.peers.posted import Posted, job

app = FastAPI()


@app.post("/v1/events", status_code=202)
async def post(posted: Posted) -> dict[str, str]:
    """Takes it. Publishing blocks for less than a thread costs."""
    id = uuid.uuid4().hex
    send.apply_async((job(posted, id),), task_id=id)
    return {"id": id}
