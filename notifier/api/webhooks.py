"""What the account platform is told and may answer, for the API's documentation; `platform.py` does it."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from links.purposes import purposes
from notifier.api.answers import At, Id
from notifier.api.openapi import schema

_HEADERS = {
    "webhook-id": "The same for every repetition: act once for each.",
    "webhook-timestamp": "When it was sent, in seconds since 1970.",
    "webhook-signature": "After Standard Webhooks; two during a rotation of secrets. Verify it with their library.",
}


class Click(BaseModel):
    """What its owner did."""

    account_id: str
    event_id: Id
    notice: str
    reference: str | None = Field(description="As the event gave it.")
    clicked_at: At
    ip: str
    user_agent: str
    locale: str


class ActionConfirmed(BaseModel):
    """An owner confirmed an action by a link."""

    type: Literal[tuple(sorted(purpose.action for purpose in purposes().values()))]  # type: ignore[valid-type]
    timestamp: At
    data: Click


class PlatformAnswer(BaseModel):
    """Any 2xx is success; its body may say more, and the owner's page shows it."""

    outcome: Literal["done", "refused"] = "done"
    reason: str | None = None
    next_url: str | None = Field(None, json_schema_extra={"format": "uri"})


_EXAMPLE = {
    "type": "account.deactivation_confirmed",
    "timestamp": "2026-03-09T14:07:12.345Z",
    "data": {
        "account_id": "acct-1001",
        "event_id": "kbtk2wt7iyjbkhnwoelln4vl5q",
        "notice": "login_succeeded",
        "reference": "whatever you want back with a click",
        "clicked_at": "2026-03-09T14:07:12.345Z",
        "ip": "203.0.113.9",
        "user_agent": "Mozilla/5.0",
        "locale": "sq",
    },
}
_TRACE = {
    "name": "traceparent",
    "in": "header",
    "required": False,
    "description": "What the event and its click belong to (W3C Trace Context), where that is known.",
    "schema": {"type": "string"},
}


def router() -> APIRouter:
    """The webhooks, for `FastAPI.webhooks`."""
    described = APIRouter()
    described.add_api_route(
        "action-confirmed",
        _confirmed,
        methods=["POST"],
        operation_id="actionConfirmed",
        tags=["Webhooks"],
        summary="An owner confirmed an action",
        response_model=None,
        responses={
            200: {
                "model": PlatformAnswer,
                "description": "Taken. Any 2xx will do.",
                "content": {"application/json": {"example": {"outcome": "done"}}},
            },
            410: {"description": "Not wanted; it does not come again."},
        },
        openapi_extra={
            "security": [],
            "parameters": [
                {"name": name, "in": "header", "required": True, "description": about, "schema": {"type": "string"}}
                for name, about in _HEADERS.items()
            ]
            + [_TRACE],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": schema(ActionConfirmed), "example": _EXAMPLE}},
            },
        },
    )
    return described


async def _confirmed() -> dict[str, Any]:
    """Repeated with the same `webhook-id` until it is answered, for three days."""
    return {}
