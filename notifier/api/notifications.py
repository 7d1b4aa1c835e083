"""`GET /v1/notifications/{id}`: an id comes in, the notification's status and timeline go out."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends

from notifier import ids
from notifier.api.auth import requires
from notifier.clock import rfc3339
from notifier.errors import NotFound
from notifier.outbox import Outbox


@dataclass(frozen=True, slots=True)
class NotificationsApi:
    """Reads the outbox."""

    outbox: Outbox

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            "/v1/notifications/{notification_id}",
            self.show,
            methods=["GET"],
            dependencies=[Depends(requires("notifications:read"))],
            summary="A notification's status and timeline",
        )
        return router

    async def show(self, notification_id: str) -> dict[str, Any]:
        """Everything that has happened to it, oldest first; no address, code or link is in it."""
        notification = await self.outbox.find(notification_id) if ids.is_id(notification_id) else None
        if notification is None:
            raise NotFound("no notification is kept under this id; they are kept for 7 days")
        timeline = await self.outbox.timeline(notification_id)
        return {
            "id": notification.id,
            "event_id": notification.event,
            "notice": notification.notice,
            "channel": notification.channel,
            "locale": notification.locale,
            "status": notification.status,
            "accepted_at": rfc3339(notification.accepted),
            "deadline": rfc3339(notification.deadline),
            "attempts": notification.attempts,
            "timeline": [
                {"at": rfc3339(notification.accepted), "what": "accepted"},
                *({**entry, "at": rfc3339(entry["at"])} for entry in timeline),
            ],
        }
