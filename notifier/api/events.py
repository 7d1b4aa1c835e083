"""`POST /v1/events`: a CloudEvents 1.0 event in structured mode, or plain JSON of the same shape, in; a 202 out."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request

from notifier.api.auth import requires
from notifier.api.body import EVENT_TYPES, read_json
from notifier.api.validation import read
from notifier.errors import FieldProblem, Invalid
from notifier.events import Channel, Envelope, Event
from notifier.intake import Acceptance, Intake
from notifier.notices import NOTICES

TYPE_PREFIX = "account."


@dataclass(frozen=True, slots=True)
class EventsApi:
    """`channels` are those that this service is set up to send on."""

    intake: Intake
    channels: frozenset[Channel]

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
        event = parse(await read_json(request, EVENT_TYPES))
        served(event.channels, self.channels, "/data/channels")
        acceptance = await self.intake.accept(event)
        return {
            "event_id": acceptance.event,
            "notifications": notifications(acceptance),
            "code_id": acceptance.code,
        }


def parse(body: Any) -> Event:
    """A parsed body as an event; raises Invalid."""
    envelope = read(Envelope, body)
    name = envelope.type.removeprefix(TYPE_PREFIX)
    notice = NOTICES.get(name) if envelope.type.startswith(TYPE_PREFIX) else None
    if notice is None:
        known = ", ".join(TYPE_PREFIX + name for name in NOTICES)
        raise Invalid([FieldProblem("/type", f"must be one of {known}")])
    return Event(
        id=envelope.id,
        source=envelope.source,
        account=envelope.subject,
        notice=notice.name,
        recipient=envelope.data.recipient,
        channels=envelope.data.channels,
        context=read(notice.context, envelope.data.context, "/data/context"),
        reference=envelope.data.reference,
    )


def served(channels: Iterable[Channel], here: Container[Channel], at: str) -> None:
    """Raises Invalid for a channel that this service is not set up to send on."""
    for channel in channels:
        if channel not in here:
            raise Invalid([FieldProblem(at, f"{channel} is not set up here")])


def notifications(acceptance: Acceptance) -> list[dict[str, str]]:
    """What a 202 says of each notification."""
    return [{"id": id, "channel": channel, "status": "accepted"} for id, channel in acceptance.notifications.items()]
