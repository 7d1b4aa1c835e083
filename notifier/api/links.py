"""`POST /v1/links/revoke`: an account and purposes come in; every such link issued up to now stops working."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from links.ledger import Ledger
from links.purposes import NAMES, Purpose
from notifier import ids
from notifier.api.answers import LinksRevoked
from notifier.api.auth import requires
from notifier.api.body import read_json
from notifier.api.idempotency import Once
from notifier.api.openapi import operation
from notifier.api.validation import read
from notifier.clock import Clock, rfc3339
from notifier.event_types import Identifier
from notifier.events import Model
from notifier.setting_types import ApiKey

_SCOPE = "links:write"
Caller = Annotated[ApiKey, Depends(requires(_SCOPE))]


class Revocation(Model):
    """Whose links, and which."""

    account: Identifier
    purposes: Annotated[tuple[Literal[tuple(sorted(NAMES))], ...], Field(min_length=1)]  # type: ignore[valid-type]


@dataclass(frozen=True, slots=True)
class LinksApi:
    """Writes the ledger."""

    ledger: Ledger
    purposes: Mapping[str, Purpose]
    once: Once
    clock: Clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            "/v1/links/revoke",
            self.once(self.revoke),
            methods=["POST"],
            summary="Revoke links",
            **operation(
                "revokeLinks",
                "Links",
                scope=_SCOPE,
                takes=Revocation,
                example={"account": "acct-1001", "purposes": ["deactivate"]},
                gives=LinksRevoked,
                idempotent=True,
            ),
        )
        return router

    async def revoke(self, request: Request, caller: Caller) -> dict[str, Any]:
        """Links issued later work as ever."""
        wanted = read(Revocation, await read_json(request))
        names, now = list(dict.fromkeys(wanted.purposes)), self.clock()
        await self.ledger.revoke(ids.digest(wanted.account), [self.purposes[name] for name in names], now)
        return {"account": wanted.account, "purposes": names, "revoked_at": rfc3339(now)}
