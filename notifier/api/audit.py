"""`GET /v1/audit`: an account or a notification comes in; what happened to its links goes out, oldest first."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from links.ledger import Entry, Ledger
from notifier import ids
from notifier.api.answers import AuditShown
from notifier.api.auth import requires
from notifier.api.openapi import operation
from notifier.archive import Archive
from notifier.clock import rfc3339
from notifier.errors import FieldProblem, Invalid, NotFound
from notifier.outbox import Outbox
from notifier.records import Accepted
from notifier.sealing import Sealer


@dataclass(frozen=True, slots=True)
class AuditApi:
    """Reads the ledger's audit."""

    ledger: Ledger
    outbox: Outbox
    archive: Archive
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
            **operation(
                "showAudit", "Links", scope="notifications:read", gives=AuditShown, refuses=[NotFound, Invalid]
            ),
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
        owner, names = (ids.digest(account), None) if account is not None else await self._links(notification or "")
        entries = await self.ledger.audit(owner)
        shown = [entry for entry in entries if names is None or entry.link[1:] in names]
        return {"entries": [_shown(entry) for entry in shown]}

    async def _links(self, id: str) -> tuple[str, set[str]]:
        """The account's digest, and what the links of this notification are called: after it, or after its event."""
        notification = await self.archive.find(id)
        accepted = notification and Accepted.read(
            self.sealer, notification.event, await self.outbox.payload(notification.event)
        )
        if not accepted:
            raise NotFound(
                "no notification is kept under this id, or it can no longer be read; they are kept for 7 days"
            )
        return ids.digest(accepted.account), {id, accepted.event}


def _shown(entry: Entry) -> dict[str, Any]:
    told = {name: value or None for name, value in asdict(entry).items()}
    return told | {"at": rfc3339(entry.at)}
