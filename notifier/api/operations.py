"""What operators do: dead letters are listed and replayed, queues looked at, accounts erased, suppressions lifted."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ConfigDict, model_validator
from starlette.exceptions import HTTPException

from links.actions import Actions
from links.ledger import Ledger
from notifier import ids
from notifier.api.answers import AccountErased, DeadLettersShown, Queues, Replayed, SuppressionLifted
from notifier.api.auth import requires
from notifier.api.body import read_json
from notifier.api.idempotency import Once
from notifier.api.openapi import operation
from notifier.api.validation import read
from notifier.archive import Archive
from notifier.clock import Clock, rfc3339
from notifier.dead_letters import DeadLetter, DeadLetters, Kind
from notifier.errors import Conflict, FieldProblem, Invalid, NotFound
from notifier.event_types import Identifier
from notifier.events import Channel, Model
from notifier.holds import Holds
from notifier.inbox import Inbox
from notifier.notices import Lane
from notifier.recipients import EmailAddress, PhoneNumber
from notifier.setting_types import ApiKey
from notifier.suppressions import Suppressions

_SCOPE = "admin"
_ACCOUNTS = "/v1/accounts/"
Caller = Annotated[ApiKey, Depends(requires(_SCOPE))]


class Suppressed(Model):
    """An address or a number, to be used again."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["email"], "properties": {"email": {"type": "string"}, "phone": {"type": "null"}}},
                {"required": ["phone"], "properties": {"phone": {"type": "string"}, "email": {"type": "null"}}},
            ]
        }
    )

    email: EmailAddress | None = None
    phone: PhoneNumber | None = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.email is None) == (self.phone is None):
            raise ValueError("give either email or phone")
        return self


@dataclass(frozen=True, slots=True)
class OperationsApi:
    """For keys with the scope `admin`."""

    dead_letters: DeadLetters
    archive: Archive
    actions: Actions
    ledger: Ledger
    holds: Holds
    inbox: Inbox
    suppressions: Suppressions
    once: Once
    clock: Clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(dependencies=[Depends(requires(_SCOPE))])
        router.add_api_route(
            "/v1/dead-letters",
            self.list,
            methods=["GET"],
            summary="What was given up",
            **operation("listDeadLetters", "Operations", scope=_SCOPE, gives=DeadLettersShown, refuses=[Invalid]),
        )
        router.add_api_route(
            "/v1/dead-letters/{id}/replay",
            self.once(self.replay),
            methods=["POST"],
            summary="Try it again",
            **operation(
                "replayDeadLetter",
                "Operations",
                scope=_SCOPE,
                gives=Replayed,
                refuses=[NotFound, Conflict],
                idempotent=True,
            ),
        )
        router.add_api_route(
            "/v1/queues",
            self.queues,
            methods=["GET"],
            summary="What waits, and what became of all",
            **operation("showQueues", "Operations", scope=_SCOPE, gives=Queues),
        )
        router.add_api_route(
            f"{_ACCOUNTS}{{account:path}}",
            self.erase,
            methods=["DELETE"],
            summary="Erase an account",
            **operation("eraseAccount", "Operations", scope=_SCOPE, gives=AccountErased, refuses=[Invalid]),
        )
        router.add_api_route(
            "/v1/suppressions/lift",
            self.once(self.lift),
            methods=["POST"],
            summary="Use an address again",
            **operation(
                "liftSuppression",
                "Operations",
                scope=_SCOPE,
                takes=Suppressed,
                example={"email": "arta@example.com"},
                gives=SuppressionLifted,
                idempotent=True,
            ),
        )
        return router

    async def list(
        self,
        kind: Kind = "notification",
        cursor: Annotated[str, Query(max_length=32)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Oldest first; `next` is what to give as `cursor` for the following page."""
        if cursor and not ids.is_id(cursor):
            raise Invalid([FieldProblem("/cursor", "must be `next` of the answer before, as it was given")])
        letters = await self.dead_letters.list(kind, cursor, limit)
        return {
            "dead_letters": [_shown(letter) for letter in letters],
            "next": letters[-1].id if len(letters) == limit else None,
        }

    async def replay(self, id: str, request: Request, caller: Caller) -> dict[str, str]:
        """It is due at once, with all its attempts before it again."""
        if not ids.is_id(id):
            raise NotFound("no dead letter is kept under this id")
        await self.dead_letters.replay(id)
        return {"id": id, "status": "accepted"}

    async def queues(self) -> dict[str, Any]:
        """`accepted` is the sum of all the other counts and of what waits."""
        now = self.clock()
        waiting = {lane.value: await self.archive.waiting(lane) for lane in Lane}
        waiting["forward"] = await self.actions.waiting()
        shown = {name: {"count": count, "overdue_ms": _overdue(first, now)} for name, (count, first) in waiting.items()}
        return {"waiting": shown, "counts": await self.archive.counts()}

    async def erase(self, account: Identifier, request: Request) -> dict[str, Any]:
        """Everything kept about it, sent or not; again changes nothing. A confirmed action on its way still arrives."""
        # An account's own slashes come escaped. With one in clear it is the path of a part, which is not deleted alone.
        if b"/" in request.scope["raw_path"].partition(b"?")[0].removeprefix(_ACCOUNTS.encode()):
            raise HTTPException(405, headers={"allow": "GET, POST"})
        digest = ids.digest(account)
        erased = await self.archive.erase(digest)
        await self.ledger.erase(digest)
        await self.holds.erase(digest)
        await self.inbox.erase(digest)
        return {"account": account, "notifications": erased}

    async def lift(self, request: Request, caller: Caller) -> dict[str, bool]:
        """An address that bounced is used again."""
        wanted = read(Suppressed, await read_json(request))
        channel: Channel = "email" if wanted.email else "sms"
        return {"lifted": await self.suppressions.lift(channel, wanted.email or wanted.phone or "")}


def _shown(letter: DeadLetter) -> dict[str, Any]:
    shown = asdict(letter)
    died, deadline = shown.pop("died"), shown.pop("deadline")
    return shown | {"died_at": rfc3339(died), "deadline": rfc3339(deadline) if deadline else None}


def _overdue(first: int | None, now: int) -> int:
    return max(0, now - first) if first else 0
