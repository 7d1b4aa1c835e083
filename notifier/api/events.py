"""`POST /v1/events` and `/v1/events/batch`: CloudEvents 1.0 in, a 202 or a result for each out."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError

from notifier import examples, traces
from notifier.api import cloudevents
from notifier.api.answers import BatchResults, Taken
from notifier.api.auth import allow, count, requires
from notifier.api.door import Door
from notifier.api.openapi import named, operation
from notifier.api.problems import Problems, understood
from notifier.api.reading import Reading
from notifier.errors import EventConflict, NoticeForbidden, Overloaded, TooMany
from notifier.events import Channel
from notifier.intake import Intake
from notifier.pressure import Pressure
from notifier.setting_types import ApiKey

Caller = Annotated[ApiKey, Depends(requires("events:write"))]
# Of a batch: the store hears of them in one piece, and whoever posts one event meanwhile is not kept waiting for long.
_MOST_AT_ONCE = 16
BatchCaller = Annotated[ApiKey, Depends(requires("events:write", cloudevents.MOST_BATCH_BYTES))]


@dataclass(frozen=True, slots=True)
class EventsApi:
    """Hands events to the intake."""

    intake: Intake
    reading: Reading
    door: Door
    pressure: Pressure
    problems: Problems

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            "/v1/events",
            self.post,
            methods=["POST"],
            summary="Post an event",
            **operation(
                "postEvent",
                "Events",
                scope="events:write",
                takes=content(),
                gives=Taken,
                status=202,
                refuses=[EventConflict, NoticeForbidden, Overloaded],
            ),
        )
        router.add_api_route(
            "/v1/events/batch",
            self.post_batch,
            methods=["POST"],
            summary="Post up to 1,000 events",
            **operation("postEvents", "Events", scope="events:write", takes=_batch_content(), gives=BatchResults),
        )
        return router

    async def post(self, request: Request, caller: Caller) -> JSONResponse:
        """Accepted once: the same event again gets the same answer, another under its source and id a 409.

        In binary mode the attributes are `ce-` headers and the body is `data`. Pointers in errors are of the event as
        structured mode has it.
        """
        return JSONResponse(await self._accept(await cloudevents.read_event(request), caller), 202)

    async def post_batch(self, request: Request, caller: BatchCaller) -> JSONResponse:
        """Each event is accepted or refused alone; those of one account, or under one id, in their order. The answer
        is a 200 with a result for each, in the batch's order: what the event alone would have been answered, with its
        status.

        Each counts against the key's limit; those after it is reached are answered 429.
        """
        events = await cloudevents.read_batch(request)
        admitted = await count(request, len(events))
        results: list[dict[str, Any]] = []
        for some in side_by_side(events[: admitted.granted]):
            told = await asyncio.gather(*(self._result(each, caller, request) for each in some))
            results += [result for result, _ in told]
            if away := [result for result, failed in told if failed]:
                # The store is not asked again for each of a thousand.
                results += away[:1] * (admitted.granted - len(results))
                break
        beyond = TooMany("the batch has more events than this key's limit has left", admitted.reset)
        results += [self.problems.document(beyond)] * (len(events) - len(results))
        return JSONResponse({"results": results})

    async def _result(self, event: Any, caller: ApiKey, request: Request) -> tuple[dict[str, Any], bool]:
        """What an event of a batch is answered, and whether that is since the store could not be asked."""
        try:
            cloudevents.check_size(event)
            return {"status": 202, **await self._accept(cloudevents.unpacked(event), caller)}, False
        except Exception as error:  # noqa: BLE001  # one bad event harms no other
            return self.problems.document(understood(error, request)), isinstance(error, RedisError | OSError)

    async def _accept(self, posted: Any, caller: ApiKey) -> dict[str, Any]:
        envelope, notice = self.reading.envelope(posted)
        allow(caller, notice.name)
        event = self.reading.event(envelope, notice)
        await self.pressure.admit(notice.lane)
        await self.door.count(event.recipient, event.channels)
        # What the event itself belongs to is nearer than what the request does (CloudEvents' extension for tracing).
        told = (envelope.model_extra or {}).get(traces.HEADER)
        with traces.within(told if isinstance(told, str) else None):
            acceptance = await self.intake.accept(event)
        return {
            "event_id": acceptance.event,
            "notifications": notifications(acceptance.notifications, scheduled=acceptance.scheduled),
            "code_id": acceptance.code,
        }


def side_by_side(events: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """A batch in parts that may be accepted at once: an account's events, and those under one id, keep their order."""
    part: list[Any] = []
    seen: set[str] = set()
    for event in events:
        named = event if isinstance(event, dict) else {}
        names = {f"account {named.get('subject')}", f"event {named.get('source')} {named.get('id')}"}
        if names & seen or len(part) == _MOST_AT_ONCE:
            yield part
            part, seen = [], set()
        part.append(event)
        seen |= names
    yield part


def notifications(made: Mapping[str, Channel], *, scheduled: bool = False) -> list[dict[str, str]]:
    """What a 202 says of each notification."""
    status = "scheduled" if scheduled else "accepted"
    return [{"id": id, "channel": channel, "status": status} for id, channel in made.items()]


def content() -> dict[str, Any]:
    """An event's body, as the documentation shows it."""
    shown = {name: {"summary": row.says, "value": examples.event(name)} for name, row in examples.EXAMPLES.items()}
    content = {"schema": named("Event"), "examples": shown}
    return {cloudevents.EVENT: content, "application/json": content}


def _batch_content() -> dict[str, Any]:
    shown = [examples.event(name) for name in ("login_succeeded", "verification_code")]
    batch = {"type": "array", "items": named("Event"), "maxItems": cloudevents.MOST_EVENTS}
    return {cloudevents.BATCH: {"schema": batch, "example": shown}}
