"""`GET /v1/audit`: an account or a notification comes in; what happened to its links goes out, oldest first."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from links.ledger import Ledger
from notifier import ids
from notifier.api.auth import requires
from notifier.clock import rfc3339
from notifier.errors import FieldProblem, Invalid, NotFound
from notifier.outbox import Outbox
from notifier.records import Accepted
from notifier.sealing import Sealer, Unsealable


@dataclass(frozen=True, slots=True)
class AuditApi:
    """Reads the ledger's audit."""

    ledger: Ledger
    outbox: Outbox
    sealer: Sealer

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            "/v1/audit",
            self.show,
            methods=["GET"],
            dependencies=[Depends(requires("notifications:read"))],
            summary="What happened to an account's links",
        )
        return router

    async def show(
        self,
        account: Annotated[str | None, Query(max_length=128)] = None,
        notification: Annotated[str | None, Query(max_length=32)] = None,
    ) -> dict[str, Any]:
        """Shown, consumed, not done and why, superseded, revoked, forwarded and the answer; no token, no address."""
        if (account is None) == (notification is None):
            raise Invalid([FieldProblem("/account", "give either account or notification")])
        owner = ids.digest(account) if account is not None else await self._owner(notification or "")
        entries = await self.ledger.audit(owner)
        shown = [entry for entry in entries if notification is None or entry.link[1:] == notification]
        return {"entries": [{**asdict(entry), "at": rfc3339(entry.at)} for entry in shown]}

    async def _owner(self, id: str) -> str:
        notification = await self.outbox.find(id)
        sealed = await self.outbox.payload(notification.event) if notification else None
        if notification is None or sealed is None:
            raise NotFound("no notification is kept under this id; they are kept for 7 days")
        try:
            return ids.digest(Accepted.open(self.sealer, notification.event, sealed).account)
        except Unsealable:
            raise NotFound("this notification's payload cannot be opened any more") from None
