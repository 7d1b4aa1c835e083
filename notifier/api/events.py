"""`POST /v1/events`: a CloudEvents 1.0 event in structured mode, or plain JSON of the same shape, in; a 202 out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request

from notifier.api.auth import requires
from notifier.api.body import EVENT_TYPES, read_json
from notifier.api.door import Door
from notifier.api.validation import read
from notifier.errors import FieldProblem, Invalid
from notifier.events import Channel, Envelope, Event
from notifier.intake import Intake
from notifier.notices import NOTICES, Notice

TYPE_PREFIX = "account."


@dataclass(frozen=True, slots=True)
class EventsApi:
    """Hands events to the intake."""

    intake: Intake
    door: Door

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            "/v1/events",
            self.post,
            methods=["POST"],
            status_code=202,
            dependencies=[Depends(requires("events:write"))],
            summary="Post an event",
        )
        return router

    async def post(self, request: Request) -> dict[str, Any]:
        """Accepted once: the same event again gets the same answer, another body under its source and id a 409."""
        envelope, notice = parse(await read_json(request, EVENT_TYPES))
        context = read(notice.context, envelope.data.context, "/data/context")
        event = Event(
            id=envelope.id,
            source=envelope.source,
            account=envelope.subject,
            notice=notice.name,
            recipient=envelope.data.recipient,
            channels=await self.door.admit(envelope.data, "/data"),
            context=context,
            reference=envelope.data.reference,
        )
        acceptance = await self.intake.accept(event)
        return {
            "event_id": acceptance.event,
            "notifications": notifications(acceptance.notifications),
            "code_id": acceptance.code,
        }


def parse(body: Any) -> tuple[Envelope, Notice]:
    """A parsed body as an event's envelope, and the notice that it asks for; raises Invalid."""
    envelope = read(Envelope, body)
    notice = NOTICES.get(envelope.type.removeprefix(TYPE_PREFIX)) if envelope.type.startswith(TYPE_PREFIX) else None
    if notice is None:
        known = ", ".join(TYPE_PREFIX + name for name in NOTICES)
        raise Invalid([FieldProblem("/type", f"must be one of {known}")])
    return envelope, notice


def notifications(made: Mapping[str, Channel]) -> list[dict[str, str]]:
    """What a 202 says of each notification."""
    return [{"id": id, "channel": channel, "status": "accepted"} for id, channel in made.items()]
