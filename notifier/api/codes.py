"""`/v1/codes`: who needs a code comes in, its id goes out; a guess comes in, a verdict goes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field, StringConstraints

from notifier import ids
from notifier.api.answers import CodeSent, Verdict
from notifier.api.auth import allow, requires
from notifier.api.body import read_json, read_optional_json
from notifier.api.door import Door
from notifier.api.events import notifications
from notifier.api.idempotency import Once, derived_id
from notifier.api.openapi import operation
from notifier.api.validation import read
from notifier.clock import Clock, rfc3339
from notifier.codes import Codes
from notifier.contexts import CodePurpose
from notifier.errors import Conflict, FieldProblem, Invalid, NotFound, NoticeForbidden, Overloaded
from notifier.event_types import Identifier, PurposeName
from notifier.events import Addressed, Channel, CodeChannel, CodeChannels, Event, Model, Recipient
from notifier.intake import Intake
from notifier.notices import NOTICES
from notifier.pressure import Pressure
from notifier.setting_types import ApiKey
from notifier.throttle import Throttle

_SCOPE = "codes:write"
Caller = Annotated[ApiKey, Depends(requires(_SCOPE))]
_REQUEST = {
    "account": "acct-1001",
    "purpose": "sign_in",
    "recipient": {"email": "arta@example.com", "phone": "+355691234567", "locale": "sq"},
    "channels": ["email"],
}
_GUESS = {"code": "123456", "account": "acct-1001", "purpose": "sign_in"}
_SOURCE = "\x00codes"
_NOTICE = NOTICES["verification_code"]


class CodeRequest(Addressed):
    """Whom to send a code to, and what for."""

    channels: CodeChannels = Field((), description="None given: every one that the recipient has an address for.")
    account: Identifier
    purpose: PurposeName


class Again(Model):
    """On which channels to send a code again; none given means those that it was sent on."""

    channels: CodeChannels = ()


class Guess(Model):
    """A code as a person typed it. What is given besides must be what the code is bound to."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    channel: CodeChannel | None = None
    account: Identifier | None = None
    purpose: PurposeName | None = None


@dataclass(frozen=True, slots=True)
class CodesApi:
    """Sendings are counted before anything is recorded; while nobody can count, nothing is sent."""

    intake: Intake
    codes: Codes
    door: Door
    pressure: Pressure
    throttle: Throttle
    once: Once
    clock: Clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            "/v1/codes",
            self.once(self.issue),
            methods=["POST"],
            summary="Send a code",
            **operation(
                "sendCode",
                "Codes",
                scope=_SCOPE,
                takes=CodeRequest,
                example=_REQUEST,
                gives=CodeSent,
                status=202,
                refuses=[NoticeForbidden, Overloaded],
                idempotent=True,
            ),
        )
        router.add_api_route(
            "/v1/codes/{code_id}/resend",
            self.once(self.resend),
            methods=["POST"],
            summary="Send it again",
            **operation(
                "resendCode",
                "Codes",
                scope=_SCOPE,
                takes=Again,
                example={"channels": ["sms"]},
                optional=True,
                gives=CodeSent,
                status=202,
                refuses=[NotFound, Conflict, NoticeForbidden, Overloaded],
                idempotent=True,
            ),
        )
        router.add_api_route(
            "/v1/codes/{code_id}/verify",
            self.once(self.verify),
            methods=["POST"],
            summary="Check a code",
            **operation(
                "verifyCode", "Codes", scope=_SCOPE, takes=Guess, example=_GUESS, gives=Verdict, idempotent=True
            ),
        )
        return router

    async def issue(self, request: Request, caller: Caller) -> dict[str, Any]:
        """Sends a `verification_code` notice; each call a new code."""
        wanted = read(CodeRequest, await read_json(request))
        allow(caller, _NOTICE.name)
        await self.pressure.admit(_NOTICE.lane)
        channels = await self.door.admit(wanted, "")
        await self._take(caller, wanted.account, wanted.recipient, channels)
        acceptance = await self.intake.accept(
            Event(
                id=derived_id(request, caller),
                source=_SOURCE,
                account=wanted.account,
                notice=_NOTICE.name,
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
        allow(caller, accepted.notice)
        await self.pressure.admit(NOTICES[accepted.notice].lane)
        asked: tuple[Channel, ...] = again.channels or tuple(standing.channels)
        unreached = [channel for channel in again.channels if accepted.recipient.address(channel) is None]
        if unreached:
            detail = f"must not have {unreached[0]}: the code was asked for without such an address"
            raise Invalid([FieldProblem("/channels", detail)])
        wanted = Addressed(recipient=accepted.recipient, channels=asked)
        channels = await self.door.admit(wanted, "")
        await self._take(caller, accepted.account, accepted.recipient, channels)
        return _sent(code_id, standing.expires, await self.intake.resend(standing, accepted, channels))

    async def verify(self, code_id: str, request: Request, caller: Caller) -> dict[str, Any]:
        """Whether a guess is right; a right one is used by this."""
        guess = read(Guess, await read_json(request))
        account = ids.digest(guess.account) if guess.account else None
        standing = await self.codes.find(code_id)
        # A full store does not count. An owner must get in all the same, and each code has its own five guesses.
        await self.throttle.take_or_floor(verify_account=standing.account if standing else "unknown")
        verdict = await self.codes.verify(
            code_id, guess.code, self.clock(), channel=guess.channel, account=account, purpose=guess.purpose
        )
        if verdict.reason is None:
            return {"valid": True}
        return {"valid": False, "reason": verdict.reason, "attempts_left": verdict.attempts_left}

    async def _take(self, caller: ApiKey, account: str, recipient: Recipient, channels: Sequence[Channel]) -> None:
        throttle = self.throttle.under(caller.limits)
        await throttle.take(code_producer=caller.producer, code_account=account)
        for channel in channels:
            address = recipient.address(channel) or ""
            await throttle.take(code_spacing=address, code_address=address)


def _sent(code: str, expires: int, made: Mapping[str, Channel]) -> dict[str, Any]:
    return {"code_id": code, "expires_at": rfc3339(expires), "notifications": notifications(made)}
