"""`/v1/codes`: who needs a code comes in, its id goes out; a guess comes in, a verdict goes out."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import StringConstraints

from notifier import ids
from notifier.api.auth import requires
from notifier.api.body import read_json, read_optional_json
from notifier.api.door import Door
from notifier.api.events import notifications
from notifier.api.validation import read
from notifier.clock import Clock, rfc3339
from notifier.codes import Codes
from notifier.events import Addressed, Channel, Channels, CodePurpose, Event, Identifier, Model, PurposeName, Recipient
from notifier.intake import Intake
from notifier.setting_types import ApiKey
from notifier.throttle import Throttle

Caller = Annotated[ApiKey, Depends(requires("codes:write"))]
_SOURCE = "\x00codes"


class CodeRequest(Addressed):
    """Whom to send a code to, and what for."""

    account: Identifier
    purpose: PurposeName


class Again(Model):
    """On which channels to send a code again; none given means those that it was sent on."""

    channels: Channels = ()


class Guess(Model):
    """A code as a person typed it. What is given besides must be what the code is bound to."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    channel: Channel | None = None
    account: Identifier | None = None
    purpose: PurposeName | None = None


@dataclass(frozen=True, slots=True)
class CodesApi:
    """Sendings are counted before anything is recorded; while nobody can count, nothing is sent."""

    intake: Intake
    codes: Codes
    door: Door
    throttle: Throttle
    clock: Clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route("/v1/codes", self.issue, methods=["POST"], status_code=202, summary="Send a code")
        router.add_api_route(
            "/v1/codes/{code_id}/resend", self.resend, methods=["POST"], status_code=202, summary="Send it again"
        )
        router.add_api_route("/v1/codes/{code_id}/verify", self.verify, methods=["POST"], summary="Check a code")
        return router

    async def issue(self, request: Request, caller: Caller) -> dict[str, Any]:
        """Sends a `verification_code` notice; each call a new code."""
        wanted = read(CodeRequest, await read_json(request))
        channels = await self.door.admit(wanted, "")
        await self._take(caller, wanted.account, wanted.recipient, channels)
        acceptance = await self.intake.accept(
            Event(
                id=secrets.token_hex(16),
                source=_SOURCE,
                account=wanted.account,
                notice="verification_code",
                recipient=wanted.recipient,
                channels=channels,
                context=CodePurpose(purpose=wanted.purpose),
            )
        )
        return _sent(acceptance.code or "", acceptance.code_expires or 0, acceptance.notifications)

    async def resend(self, code_id: str, request: Request, caller: Caller) -> dict[str, Any]:
        """The same code, with its first expiry: whichever of its messages comes first, works."""
        again = read(Again, await read_optional_json(request))
        standing, accepted = await self.intake.resendable(code_id)
        wanted = Addressed(recipient=accepted.recipient, channels=again.channels or tuple(standing.channels))
        channels = await self.door.admit(wanted, "")
        await self._take(caller, accepted.account, accepted.recipient, channels)
        return _sent(code_id, standing.expires, await self.intake.resend(standing, accepted, channels))

    async def verify(self, code_id: str, request: Request, _: Caller) -> dict[str, Any]:
        """Whether a guess is right; a right one is used by this."""
        guess = read(Guess, await read_json(request))
        account = ids.digest(guess.account) if guess.account else None
        standing = await self.codes.find(code_id)
        await self.throttle.take(verify_account=standing.account if standing else "unknown")
        verdict = await self.codes.verify(
            code_id, guess.code, self.clock(), channel=guess.channel, account=account, purpose=guess.purpose
        )
        if verdict.reason is None:
            return {"valid": True}
        return {"valid": False, "reason": verdict.reason, "attempts_left": verdict.attempts_left}

    async def _take(self, caller: ApiKey, account: str, recipient: Recipient, channels: Sequence[Channel]) -> None:
        await self.throttle.take(code_producer=caller.producer, code_account=account)
        for channel in channels:
            address = recipient.address(channel) or ""
            await self.throttle.take(code_spacing=address, code_address=address)


def _sent(code: str, expires: int, made: Mapping[str, Channel]) -> dict[str, Any]:
    return {"code_id": code, "expires_at": rfc3339(expires), "notifications": notifications(made)}
