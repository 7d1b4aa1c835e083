"""`POST /v1/receipts/twilio?notification=…`: Twilio tells what became of an SMS; its signature is the only key."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from notifier.api.body import media_type, read_bytes
from notifier.api.openapi import operation
from notifier.errors import ForgedCallback, Malformed, UnsupportedMediaType
from notifier.transports.base import Report
from notifier.transports.twilio_receipts import CALLBACK_PATH, Forged, TwilioReceipts

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 100
_OPERATION = operation(
    "reportSms",
    "Receipts",
    signed="twilio",
    takes={
        _FORM: {
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
            "example": {"MessageSid": "SM" + "0" * 32, "MessageStatus": "delivered"},
        }
    },
    gives=None,
    status=204,
    refuses=[ForgedCallback],
)


@dataclass(frozen=True, slots=True)
class ReceiptsApi:
    """`tell` takes what a callback says; False: there is no such notification."""

    twilio: TwilioReceipts
    tell: Callable[[Report], Awaitable[bool]]

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            CALLBACK_PATH,
            self.from_twilio,
            methods=["POST"],
            response_class=Response,
            summary="A status callback of Twilio's",
            **_OPERATION,
        )
        return router

    async def from_twilio(self, request: Request, notification: Annotated[str, Query(max_length=32)] = "") -> None:
        """Also of a notification that is not known, or no longer: a refusal would only alarm who runs the account."""
        form = await _form(request)
        try:
            report = self.twilio.read(notification, form, request.headers.get("x-twilio-signature", ""))
        except Forged:
            raise ForgedCallback("the signature is missing, or no SMS account has made it for this address") from None
        if report is not None:
            await self.tell(report)


async def _form(request: Request) -> dict[str, str]:
    """Raises UnsupportedMediaType, TooLarge or Malformed. Empty fields are kept: they are signed as well."""
    if media_type(request) != _FORM:
        raise UnsupportedMediaType(f"Content-Type must be {_FORM}")
    body = await read_bytes(request)
    try:
        fields = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise Malformed(f"the body must be a form of at most {_MOST_FIELDS} fields, in UTF-8") from None
    return dict(fields)
