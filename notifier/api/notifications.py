"""`/v1/notifications`: an id comes in, its status and timeline go out; an account's are listed; one that waits is
cancelled, one that failed is sent again.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from notifier import ids
from notifier.api.answers import Cancelled, NotificationShown, NotificationsListed, Replayed
from notifier.api.auth import allow, requires
from notifier.api.idempotency import Once
from notifier.api.openapi import operation
from notifier.archive import Archive
from notifier.cancellation import Cancellation
from notifier.clock import Clock, rfc3339
from notifier.dead_letters import DeadLetters
from notifier.errors import Conflict, FieldProblem, Invalid, NotFound, NoticeForbidden
from notifier.events import Channel
from notifier.notices import NOTICES
from notifier.notifications import Notification, Status
from notifier.setting_types import ApiKey

_TAG = "Notifications"
_READ, _WRITE = "notifications:read", "events:write"
Caller = Annotated[ApiKey, Depends(requires(_WRITE))]

# A filter may fit few of very many: a page looks at no more than this, and the next one goes on.
_MOST_LOOKED_AT = 2_000
_CURSOR = re.compile(r"([0-9]{1,15})\.([a-z2-7]{16}|[a-z2-7]{26})", re.ASCII)


@dataclass(frozen=True, slots=True)
class NotificationsApi:
    """Reads the archive, and hands on what is to be done with one notification."""

    archive: Archive
    cancellation: Cancellation
    dead_letters: DeadLetters
    once: Once
    clock: Clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            "/v1/notifications",
            self.list,
            methods=["GET"],
            dependencies=[Depends(requires(_READ))],
            summary="An account's notifications",
            **operation("listNotifications", _TAG, scope=_READ, gives=NotificationsListed, refuses=[Invalid]),
        )
        router.add_api_route(
            "/v1/notifications/{notification_id}",
            self.show,
            methods=["GET"],
            dependencies=[Depends(requires(_READ))],
            summary="A notification's status and timeline",
            **operation("getNotification", _TAG, scope=_READ, gives=NotificationShown, refuses=[NotFound]),
        )
        router.add_api_route(
            "/v1/notifications/{notification_id}/cancel",
            self.once(self.cancel),
            methods=["POST"],
            summary="Cancel what waits",
            **_doing("cancelNotification", Cancelled),
        )
        router.add_api_route(
            "/v1/notifications/{notification_id}/resend",
            self.once(self.resend),
            methods=["POST"],
            summary="Send what failed again",
            **_doing("resendNotification", Replayed),
        )
        return router

    async def list(
        self,
        account: Annotated[str, Query(min_length=1, max_length=128)],
        status: Status | None = None,
        channel: Channel | None = None,
        notice: Annotated[str | None, Query(max_length=64)] = None,
        cursor: Annotated[str, Query(max_length=64)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Newest first, by when each is due: what is scheduled comes before what was sent. An account that is not known
        has none. A page may be shorter than `limit`; go on until `next` is null.
        """
        if notice is not None and notice not in NOTICES:
            raise Invalid([FieldProblem("/notice", f"must be one of {', '.join(NOTICES)}")])
        before, now = _place(cursor), self.clock()
        wanted = {"status": status, "channel": channel, "notice": notice}
        asked = {name: value for name, value in wanted.items() if value is not None}
        found: list[dict[str, Any]] = []
        looked_at = 0
        async for due, notification in self.archive.of_account(ids.digest(account), before):
            if len(found) == limit or looked_at == _MOST_LOOKED_AT:
                break
            looked_at += 1
            before = due, notification.id
            shown = _shown(notification, now)
            if asked.items() <= shown.items():
                found.append(shown)
        else:
            before = None
        return {"notifications": found, "next": f"{before[0]}.{before[1]}" if before else None}

    async def show(self, notification_id: str) -> dict[str, Any]:
        """Everything that has happened to it, oldest first; no address, code or link is in it."""
        notification = await self.archive.find(notification_id)
        if notification is None:
            raise NotFound("no notification is kept under this id; they are kept for 7 days")
        timeline = await self.archive.timeline(notification_id)
        return {
            **_shown(notification, self.clock()),
            "timeline": [
                {"at": rfc3339(notification.accepted), "what": "accepted"},
                *({**entry, "at": rfc3339(entry["at"])} for entry in timeline),
            ],
        }

    async def cancel(self, notification_id: str, request: Request, caller: Caller) -> dict[str, str]:
        """What is scheduled, accepted or being retried is never sent; again changes nothing. What is being sent, or may
        have been, is a 409 that says so.
        """
        await self._allow(caller, notification_id)
        await self.cancellation.cancel(notification_id)
        return {"id": notification_id, "status": "cancelled"}

    async def resend(self, notification_id: str, request: Request, caller: Caller) -> dict[str, str]:
        """What was given up is due at once, with all its attempts before it again, also to an address that bounced."""
        await self._allow(caller, notification_id)
        await self.dead_letters.resend(notification_id)
        return {"id": notification_id, "status": "accepted"}

    async def _allow(self, caller: ApiKey, notification_id: str) -> None:
        """A key that may not post a notice has no say over its messages either."""
        if caller.notices is not None and (notification := await self.archive.find(notification_id)):
            allow(caller, notification.notice)


def _doing(id: str, gives: type[BaseModel]) -> dict[str, Any]:
    return operation(
        id, _TAG, scope=_WRITE, gives=gives, refuses=[NotFound, Conflict, NoticeForbidden], idempotent=True
    )


def _shown(notification: Notification, now: int) -> dict[str, Any]:
    return {
        "id": notification.id,
        "event_id": notification.event,
        "notice": notification.notice,
        "channel": notification.channel,
        "locale": notification.locale,
        "locale_reason": notification.locale_reason,
        "status": notification.standing(now),
        "accepted_at": rfc3339(notification.accepted),
        "send_at": rfc3339(notification.due) if notification.due > notification.accepted else None,
        "deadline": rfc3339(notification.deadline),
        "attempts": notification.attempts,
    }


def _place(cursor: str) -> tuple[int, str] | None:
    """When the last one that was shown is due, and its id."""
    if not cursor:
        return None
    told = _CURSOR.fullmatch(cursor)
    if told is None:
        raise Invalid([FieldProblem("/cursor", "must be `next` of the answer before, as it was given")])
    return int(told[1]), told[2]
