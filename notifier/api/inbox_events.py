"""`GET /v1/accounts/{account}/inbox/events`: what comes into an inbox goes out at once, as server-sent events.

The id of an event is its item's cursor; whoever comes back with the last one misses nothing, whichever process answers.
"""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from redis.exceptions import RedisError
from starlette.types import Receive, Scope, Send

from notifier import ids
from notifier.api.auth import requires
from notifier.api.inbox import PATH, SCOPE, TAG, place, shown
from notifier.api.measures import EVENT_STREAM
from notifier.api.openapi import operation
from notifier.errors import Invalid, Overloaded
from notifier.inbox import Inbox
from notifier.news import News, Reader

# In a process: each has a connection, and asks the store at least every few seconds.
MOST_READERS = 500
# Proxies close what is silent for a minute; and a wake-up that was lost is made up for.
_HEARTBEAT_S = 15
# Then a listener comes back, with a key that may have been revoked meanwhile.
_LONGEST_S = 3600
_RETRY_MS = 2000
_CHUNK = 50
_EXAMPLE = 'id: 17\ndata: {"id": "5awruqi6hc6dmyhg36y4ujsc", "title": "Your identity is verified", …}\n\n'


class Stream(StreamingResponse):
    """Events for one reader, who has left when it is over, however that came."""

    media_type = EVENT_STREAM

    def __init__(self, events: AsyncIterator[bytes], news: News, account: str, reader: Reader) -> None:
        # A proxy that gathers an answer would hold back what is to be seen at once.
        super().__init__(events, headers={"x-accel-buffering": "no"})
        self._leave = partial(news.leave, account, reader)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Also when nobody has read a word of it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


@dataclass(frozen=True, slots=True)
class InboxEventsApi:
    """For the site's own server, which hands on to the browser what it may see."""

    inbox: Inbox
    news: News

    def router(self) -> APIRouter:
        """The route."""
        router = APIRouter()
        router.add_api_route(
            f"{PATH}/events",
            self.listen,
            methods=["GET"],
            dependencies=[Depends(requires(SCOPE))],
            summary="What comes into an inbox, at once",
            response_class=Stream,
            **_described(),
        )
        return router

    async def listen(
        self,
        account: str,
        after: Annotated[str, Query(max_length=32, description="A cursor: what comes after it is told.")] = "",
        last_event_id: Annotated[str, Header(max_length=32, description="The last `id` that was read.")] = "",
    ) -> Stream:
        """Server-sent events: `data` is an item as the list has it, `id` its cursor. It begins after `Last-Event-ID`,
        else after the cursor `after`, else with what comes from now on. A comment every 15 seconds; after an hour it
        ends: come back with the last id, as an `EventSource` does by itself.
        """
        digest = ids.digest(account)
        if last_event_id:
            since = place(last_event_id, "/Last-Event-ID")
        else:
            since = place(after, "/after") if after else await self.inbox.latest(digest)
        reader = self.news.join(digest)
        return Stream(self._events(digest, since, reader), self.news, digest, reader)

    async def _events(self, account: str, since: int, reader: Reader) -> AsyncIterator[bytes]:
        ends = time.monotonic() + _LONGEST_S
        yield format_sse_event(comment="listening", retry=_RETRY_MS)
        while not reader.ended and time.monotonic() < ends:
            try:
                page = await self.inbox.since(account, since, _CHUNK)
            except (RedisError, OSError):
                return  # to come back is what a reader does anyway
            for entry in page.entries:
                yield format_sse_event(data_str=json.dumps(shown(entry), ensure_ascii=False), id=str(entry.place))
                since = entry.place
            if page.next:
                since = page.next
            elif not await reader.wait(_HEARTBEAT_S):
                yield KEEPALIVE_COMMENT


def _described() -> dict[str, Any]:
    described = operation("streamInbox", TAG, scope=SCOPE, gives=None, refuses=[Invalid, Overloaded])
    described["responses"][200] |= {
        "description": "A stream of events (WHATWG HTML, section 9.2), which goes on.",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
    return described
