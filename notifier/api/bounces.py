"""`POST /v1/receipts/bounces`: a bounce as a provider's JSON, or as the mail itself; its notification is marked."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import StringConstraints

from notifier import bounces
from notifier.api.answers import BouncesTold
from notifier.api.auth import requires
from notifier.api.body import JSON_TYPES, media_type, read_bytes, read_json
from notifier.api.idempotency import Once
from notifier.api.openapi import operation, schema
from notifier.api.validation import read
from notifier.errors import FieldProblem, Invalid, NotFound
from notifier.events import Model
from notifier.return_path import ReturnPath
from notifier.setting_types import ApiKey
from notifier.transports.base import Report

# A bounce may return the whole mail that it is about.
_MOST_BYTES = 1024 * 1024
_MAIL_TYPE = "message/rfc822"
Caller = Annotated[ApiKey, Depends(requires("receipts:write", _MOST_BYTES))]
_BOUNCE = {
    "return_path": "bounces+mfrggzdfmztwq2lkmfrggzdfmz-n5xw6zdp@northbank.example",
    "action": "failed",
    "status": "5.1.1",
}

# No example: tools that try them out can write no mail.
_MAIL = {"type": "string", "description": "The bounce itself: a `multipart/report` as of RFC 3464, whole."}


class Bounce(Model):
    """Of one recipient, in the words of RFC 3464: `return_path` is the envelope sender of the mail that bounced."""

    return_path: Annotated[str, StringConstraints(max_length=320)]
    action: Literal["failed", "delayed", "delivered"]
    status: Annotated[str, StringConstraints(pattern=r"^[245]\.\d{1,3}\.\d{1,3}$")]


@dataclass(frozen=True, slots=True)
class BouncesApi:
    """Hands reports on. `return_path` is None where no mailbox for bounces is set."""

    return_path: ReturnPath | None
    tell: Callable[[Report], Awaitable[bool]]
    once: Once

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            "/v1/receipts/bounces",
            self.once(self.post, _MOST_BYTES),
            methods=["POST"],
            summary="Report a bounce",
            **operation(
                "reportBounce",
                "Receipts",
                scope="receipts:write",
                takes={
                    "application/json": {"schema": schema(Bounce), "example": _BOUNCE},
                    _MAIL_TYPE: {"schema": _MAIL},
                },
                gives=BouncesTold,
                refuses=[NotFound],
                idempotent=True,
            ),
        )
        return router

    async def post(self, request: Request, caller: Caller) -> dict[str, Any]:
        """`message/rfc822` is read as a delivery status notification; one that is not about us changes nothing."""
        if self.return_path is None:
            raise NotFound("bounces are not taken here: NOTIFIER_BOUNCE_ADDRESS is not set")
        if media_type(request) == _MAIL_TYPE:
            mail = await read_bytes(request, _MOST_BYTES)
            # In a thread: one that was made to be hard to read takes seconds.
            reports = await asyncio.to_thread(bounces.read, mail, self.return_path)
        else:
            reports = [self._read(read(Bounce, await read_json(request, (*JSON_TYPES, _MAIL_TYPE))), self.return_path)]
        told = [one for one in reports if await self.tell(one)]
        return {"reports": [{"notification": one.notification, "status": one.status} for one in told]}

    def _read(self, bounce: Bounce, return_path: ReturnPath) -> Report:
        notification = return_path.read(bounce.return_path)
        report = bounces.report(notification, bounce.action, bounce.status) if notification else None
        if report is None:
            raise Invalid([FieldProblem("/return_path", "must be the return path of a mail from here")])
        return report
