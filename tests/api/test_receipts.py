"""`POST /v1/receipts/twilio`: signed callbacks are told on; what is forged, malformed or too much is not."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response
from twilio.request_validator import RequestValidator

from notifier.api.problems import kind
from notifier.api.receipts import ReceiptsApi
from notifier.errors import NotifierError
from notifier.sandbox.phone import Phone
from notifier.sandbox.serving import serving
from notifier.setting_types import TwilioAccount
from notifier.transports.base import Ambiguous, Report, Sms
from notifier.transports.twilio import TwilioTransport
from notifier.transports.twilio_receipts import TwilioReceipts
from tests.ports import HOST, reserved
from tests.service import until

SID, TOKEN = "AC" + "0" * 32, "twilio-token"
ACCOUNT = TwilioAccount("twilio", SID, TOKEN, sender="+12025550100")
PUBLIC = "https://notify.example.com"
ID = "abcdefghijklmnop"
FORM = "application/x-www-form-urlencoded"
SENT = {"MessageStatus": "sent", "MessageSid": "SM1", "To": "+355691234567", "RawDlrDoneDate": ""}


@dataclass
class Told:
    """Keeps what it is told; knows every notification but `unknown`."""

    reports: list[Report] = field(default_factory=list)

    async def tell(self, report: Report) -> bool:
        self.reports.append(report)
        return report.notification != "unknown"

    @property
    def statuses(self) -> list[str]:
        return [report.status for report in self.reports]


def application(told: Told, public_url: str = PUBLIC) -> FastAPI:
    app = FastAPI()
    app.include_router(ReceiptsApi(TwilioReceipts([ACCOUNT], public_url), told.tell).router())

    @app.exception_handler(NotifierError)
    async def answer(request: Request, error: NotifierError) -> Response:
        return Response(error.detail, kind(error).status)

    return app


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def web(told: Told) -> AsyncIterator[httpx.AsyncClient]:
    """As behind a proxy: the host that is asked for is not the public one."""
    transport = httpx.ASGITransport(application(told))
    async with httpx.AsyncClient(transport=transport, base_url="http://internal:8000") as web:
        yield web


async def post(web: httpx.AsyncClient, body: str | bytes, *, id: str = ID, **headers: str) -> int:
    given = {"content-type": FORM, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return (await web.post(f"/v1/receipts/twilio?notification={id}", content=body, headers=given)).status_code


def signature(form: dict[str, str], id: str = ID, token: str = TOKEN) -> str:
    made: str = RequestValidator(token).compute_signature(f"{PUBLIC}/v1/receipts/twilio?notification={id}", form)
    return made


async def test_a_signed_callback_is_told_on(web: httpx.AsyncClient, told: Told) -> None:
    answer = await web.post(
        f"/v1/receipts/twilio?notification={ID}", data=SENT, headers={"x-twilio-signature": signature(SENT)}
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert told.reports == [Report(ID, "sent", "twilio")]


async def test_of_an_unknown_notification_nothing_is_said(web: httpx.AsyncClient, told: Told) -> None:
    signed = signature(SENT, "unknown")
    assert await post(web, urlencode(SENT), id="unknown", x_twilio_signature=signed) == 204
    assert len(told.reports) == 1


async def test_a_status_that_says_nothing_is_not_told_on(web: httpx.AsyncClient, told: Told) -> None:
    form = {"MessageStatus": "receiving"}
    assert await post(web, urlencode(form), x_twilio_signature=signature(form)) == 204
    assert told.reports == []


async def test_what_is_forged_is_forbidden(web: httpx.AsyncClient, told: Told) -> None:
    body, right = urlencode(SENT), signature(SENT)
    assert await post(web, body) == 403
    assert await post(web, body, x_twilio_signature="") == 403
    assert await post(web, body, x_twilio_signature=signature(SENT, token="another")) == 403
    assert await post(web, body, x_twilio_signature=right, id="ponmlkjihgfedcba") == 403
    assert await post(web, body, x_twilio_signature=right, id="") == 403
    assert await post(web, body.replace("sent", "delivered"), x_twilio_signature=right) == 403
    assert await post(web, f"{body}&MessageStatus=delivered", x_twilio_signature=right) == 403
    assert await post(web, body, x_twilio_signature=right, host="evil.example") == 204
    assert told.statuses == ["sent"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("a=" + "x" * 70_000, 413),
        ("&".join(f"f{n}=1" for n in range(101)), 400),
        ("MessageStatus", 400),
        ("MessageStatus=%FF", 400),
        (b"MessageStatus=\xff", 400),
        (b"\x1f\x8b\x08\x00", 400),
    ],
)
async def test_what_is_no_form_is_refused(web: httpx.AsyncClient, told: Told, body: str | bytes, status: int) -> None:
    assert await post(web, body, x_twilio_signature=signature({})) == status
    assert told.reports == []


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
async def test_another_kind_of_body_is_refused(web: httpx.AsyncClient, told: Told, kind: str) -> None:
    given = {"content_type": kind, "x_twilio_signature": signature(SENT)}
    assert await post(web, urlencode(SENT), **given) == 415
    assert told.reports == []


async def test_a_charset_may_be_named(web: httpx.AsyncClient) -> None:
    kind = f"{FORM}; charset=UTF-8"
    assert await post(web, urlencode(SENT), content_type=kind, x_twilio_signature=signature(SENT)) == 204


# The whole way: sent by Twilio's client to the stand-in, which calls back.


@pytest.fixture
def phone() -> Phone:
    return Phone(SID, TOKEN)


@pytest.fixture
async def transport(phone: Phone, told: Told) -> AsyncIterator[TwilioTransport]:
    async with AsyncExitStack() as stack:
        port = stack.enter_context(reserved())
        public_url = f"http://{HOST}:{port}"
        await stack.enter_async_context(serving(application(told, public_url), HOST, port, ""))
        base_url = f"http://{HOST}:{await stack.enter_async_context(serving(phone.app, HOST, 0, ''))}"
        transport = TwilioTransport([ACCOUNT._replace(base_url=base_url)], public_url, patience=2)
        stack.push_async_callback(transport.close)
        yield transport


MESSAGE = Sms("+355691234567", "Kodi: 481516", 600, ID)


async def test_what_becomes_of_a_message_comes_back(transport: TwilioTransport, told: Told) -> None:
    assert (await transport.send(MESSAGE)).by == "twilio"
    await until(lambda: len(told.reports) == 2)
    assert told.reports == [Report(ID, "sent", "twilio"), Report(ID, "delivered", "twilio")]


async def test_that_it_does_not_arrive_comes_back(transport: TwilioTransport, phone: Phone, told: Told) -> None:
    phone.undelivered_next = [30005]
    await transport.send(MESSAGE)
    await until(lambda: len(told.reports) == 2)
    assert told.reports[1] == Report(ID, "undelivered", "twilio", "twilio_30005", dead_address=True)


@pytest.mark.parametrize(
    ("order", "statuses"),
    [
        ((1, 0), ["delivered", "sent"]),
        ((0, 0, 1, 1), ["sent", "sent", "delivered", "delivered"]),
        ((1,), ["delivered"]),
    ],
)
async def test_callbacks_come_in_any_order(
    transport: TwilioTransport, phone: Phone, told: Told, order: tuple[int, ...], statuses: list[str]
) -> None:
    phone.callbacks = order
    await transport.send(MESSAGE)
    await until(lambda: len(told.reports) == len(order))
    assert told.statuses == statuses


async def test_callbacks_may_come_before_the_answer(transport: TwilioTransport, phone: Phone, told: Told) -> None:
    phone.callbacks_first = True
    await transport.send(MESSAGE)
    assert told.statuses == ["sent", "delivered"]


async def test_of_what_was_never_answered_a_callback_tells(
    transport: TwilioTransport, phone: Phone, told: Told
) -> None:
    phone.callbacks_first, phone.withhold_next = True, 1
    with pytest.raises(Ambiguous):
        await transport.send(MESSAGE)
    assert told.statuses == ["sent", "delivered"]
