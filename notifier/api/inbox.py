"""`/v1/accounts/{account}/inbox`: what the site shows an owner goes out, in pages; that it was read comes in.

Whoever may read it holds its links, which act: so it has a scope of its own.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from notifier import ids
from notifier.api.answers import InboxMarked, InboxRead, InboxUnread, ItemMarked
from notifier.api.auth import requires
from notifier.api.body import read_optional_json
from notifier.api.idempotency import Once
from notifier.api.openapi import operation
from notifier.api.validation import read
from notifier.clock import Clock, rfc3339
from notifier.errors import FieldProblem, Invalid, NotFound
from notifier.events import Model
from notifier.inbox import Entry, Inbox
from notifier.setting_types import ApiKey

SCOPE = "inbox"
TAG = "Inbox"
PATH = "/v1/accounts/{account:path}/inbox"
Caller = Annotated[ApiKey, Depends(requires(SCOPE))]
_CURSOR = re.compile("[0-9]{1,15}", re.ASCII)
_NONE = "the account's inbox has no such notification"


class UpTo(Model):
    """Up to which notification all were read."""

    up_to: Annotated[str, Field(max_length=32)] | None = Field(None, description="Its id; not given: the newest.")


@dataclass(frozen=True, slots=True)
class InboxApi:
    """For the site that shows it."""

    inbox: Inbox
    once: Once
    clock: Clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            f"{PATH}/unread",
            self.unread,
            methods=["GET"],
            dependencies=[Depends(requires(SCOPE))],
            summary="How many are unread",
            **operation("countUnread", TAG, scope=SCOPE, gives=InboxUnread),
        )
        router.add_api_route(
            f"{PATH}/read",
            self.once(self.mark_all),
            methods=["POST"],
            summary="Mark all as read",
            **operation(
                "markInboxRead",
                TAG,
                scope=SCOPE,
                takes=UpTo,
                example={"up_to": "mfrggzdfmztwq2lkmfrggzdfmy"},
                optional=True,
                gives=InboxMarked,
                refuses=[NotFound],
                idempotent=True,
            ),
        )
        router.add_api_route(
            f"{PATH}/{{notification_id}}/read",
            self.once(self.mark),
            methods=["POST"],
            summary="Mark one as read",
            **operation("markRead", TAG, scope=SCOPE, gives=ItemMarked, refuses=[NotFound], idempotent=True),
        )
        router.add_api_route(
            PATH,
            self.list,
            methods=["GET"],
            dependencies=[Depends(requires(SCOPE))],
            summary="An account's inbox",
            **operation("listInbox", TAG, scope=SCOPE, gives=InboxRead, refuses=[Invalid]),
        )
        return router

    async def list(
        self,
        account: str,
        unread: Annotated[bool, Query(description="Only those that are not read.")] = False,
        cursor: Annotated[str, Query(max_length=32, description="`next` of the page before.")] = "",
        limit: Annotated[int, Query(ge=1, le=100, description="The most on a page.")] = 50,
    ) -> dict[str, Any]:
        """Newest first; with `unread` only what is. `html` is a fragment of paragraphs, lists and links, its text
        escaped; codes are never in it. An account that is not known has none. Go on until `next` is null.
        """
        before = place(cursor, "/cursor") if cursor else None
        page = await self.inbox.page(ids.digest(account), before, limit, self.clock(), unread=unread)
        return {"items": [shown(entry) for entry in page.entries], "next": str(page.next) if page.next else None}

    async def unread(self, account: str) -> dict[str, int]:
        """For the number beside a bell."""
        return {"unread": await self.inbox.unread(ids.digest(account), self.clock())}

    async def mark(self, account: str, notification_id: str, request: Request, caller: Caller) -> dict[str, Any]:
        """Its owner has seen it; again changes nothing."""
        digest = ids.digest(account)
        if await self.inbox.place(digest, notification_id) is None:
            raise NotFound(_NONE)
        await self.inbox.mark(digest, notification_id)
        return {"id": notification_id, "unread": False}

    async def mark_all(self, account: str, request: Request, caller: Caller) -> dict[str, int]:
        """Of what came later than `up_to`, which its owner may not have seen, nothing changes."""
        digest, wanted = ids.digest(account), read(UpTo, await read_optional_json(request))
        until = await self.inbox.place(digest, wanted.up_to) if wanted.up_to else await self.inbox.latest(digest)
        if until is None:
            raise NotFound(_NONE)
        await self.inbox.mark_all(digest, until)
        return {"unread": await self.inbox.unread(digest, self.clock())}


def place(cursor: str, at: str) -> int:
    """Raises Invalid, of what stands `at` this pointer."""
    if not _CURSOR.fullmatch(cursor):
        raise Invalid([FieldProblem(at, "must be a cursor of an answer before, as it was given")])
    return int(cursor)


def shown(entry: Entry) -> dict[str, Any]:
    """An item as JSON has it."""
    item = entry.item
    return {
        "id": item.notification,
        "cursor": str(entry.place),
        "notice": item.notice,
        "locale": item.locale,
        "created_at": rfc3339(entry.place),
        "unread": entry.unread,
        "title": item.title,
        "text": item.text,
        "html": item.html,
        "links": [
            {"purpose": link.purpose, "url": link.url, "expires_at": rfc3339(link.expires)} for link in item.links
        ],
    }
