"""`/v1/codes`: who needs a code comes in, its id goes out; a guess comes in, a verdict goes out."""

import secrets
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import StringConstraints

from notifier.api.auth import requires
from notifier.api.body import read_json
from notifier.api.events import notifications, served
from notifier.api.validation import read
from notifier.clock import Clock, rfc3339
from notifier.codes import Codes
from notifier.events import Addressed, Channel, CodePurpose, Event, Identifier, Model, PurposeName
from notifier.intake import Intake

_SOURCE = "\x00codes"


class CodeRequest(Addressed):
    """Whom to send a code to, and what for."""

    account: Identifier
    purpose: PurposeName


class Guess(Model):
    """A code as a person typed it."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class CodesApi:
    """`channels` are those that this service is set up to send on."""

    intake: Intake
    codes: Codes
    channels: frozenset[Channel]
    clock: Clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(dependencies=[Depends(requires("codes:write"))])
        router.add_api_route("/v1/codes", self.issue, methods=["POST"], status_code=202, summary="Send a code")
        router.add_api_route("/v1/codes/{code_id}/verify", self.verify, methods=["POST"], summary="Check a code")
        return router

    async def issue(self, request: Request) -> dict[str, Any]:
        """Sends a `verification_code` notice; each call a new code."""
        wanted = read(CodeRequest, await read_json(request))
        served(wanted.channels, self.channels, "/channels")
        acceptance = await self.intake.accept(
            Event(
                id=secrets.token_hex(16),
                source=_SOURCE,
                account=wanted.account,
                notice="verification_code",
                recipient=wanted.recipient,
                channels=wanted.channels,
                context=CodePurpose(purpose=wanted.purpose),
            )
        )
        return {
            "code_id": acceptance.code,
            "expires_at": rfc3339(acceptance.code_expires or 0),
            "notifications": notifications(acceptance),
        }

    async def verify(self, code_id: str, request: Request) -> dict[str, Any]:
        """Whether a guess is right; a right one is used by this."""
        guess = read(Guess, await read_json(request))
        verdict = await self.codes.verify(code_id, guess.code, guess.channel, self.clock())
        if verdict.reason is None:
            return {"valid": True}
        return {"valid": False, "reason": verdict.reason, "attempts_left": verdict.attempts_left}
