"""Takes text messages the way Twilio's HTTP API does, with its errors and signed status callbacks;
shows them on the phones they were sent to, and as JSON.
"""

import asyncio
import base64
import contextlib
import logging
import re
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from notifier.sandbox.journal import Journal
from notifier.sandbox.pages import page
from notifier.sandbox.sms import API_VERSION, TextMessage

log = logging.getLogger(__name__)

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_LONGEST_BODY = 1600
_VALIDITY = range(1, 36_001)
# The number a Messaging Service would choose; Twilio keeps it for tests.
_SENDER_OF_A_SERVICE = "+15005550006"

_ERRORS = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    21211: "Invalid 'To' Phone Number",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21609: "The 'StatusCallback' URL is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21624: "Invalid validity period value",
}


class Phone:
    """Twilio's stand-in for one account, and every phone it can reach.

    Faults are made on purpose with the attributes. Each entry of a `…_next` is for one message:

    - `fail_next`: an HTTP status and a Twilio error code to answer with, with `retry_after` (seconds) if it is set;
    - `html_next`: the HTTP status of a page that some proxy answers with instead;
    - `hang_next`: how many are not taken, and not answered either;
    - `withhold_next`: how many are taken, and not answered;
    - `undelivered_next`: error codes, for messages that are taken and never arrive.

    And for all: `pause` is how many seconds pass between two bytes of an answer; `callbacks` is which of a message's
    two changes of status are told, in which order, and `callbacks_first` tells them before the message is answered;
    `status` is what is said of the account.
    """

    def __init__(self, account_sid: str, auth_token: str, directory: Path | None = None) -> None:
        self.fail_next: list[tuple[int, int]] = []
        self.retry_after: int | None = None
        self.html_next: list[int] = []
        self.hang_next = 0
        self.withhold_next = 0
        self.undelivered_next: list[int] = []
        self.pause = 0.0
        self.callbacks: tuple[int, ...] = (0, 1)
        self.callbacks_first = False
        self.status = "active"
        self._account_sid = account_sid
        self._credentials = f"{account_sid}:{auth_token}".encode()
        self._signer = RequestValidator(auth_token)
        self._journal = Journal(None if directory is None else directory / "phone.jsonl")
        # A line for every change of status: the last one of a message tells.
        kept = (TextMessage(**line) for line in self._journal.read())
        self._messages = {message.sid: message for message in kept}
        self._journeys: set[asyncio.Task[None]] = set()
        account = f"/{API_VERSION}/Accounts/{{account}}"
        self.app = Starlette(
            routes=[
                Route(f"{account}.json", self._account),
                Route(f"{account}/Messages.json", self._create, methods=["POST"]),
                Route(f"{account}/Messages/{{sid}}.json", self._fetch),
                Route("/", self._page),
                Route("/api/messages", self._list, methods=["GET"]),
                Route("/api/messages", self._clear, methods=["DELETE"]),
            ],
            lifespan=self._lifespan,
        )

    @property
    def messages(self) -> list[TextMessage]:
        """Newest first."""
        return list(reversed(self._messages.values()))

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        for journey in self._journeys:
            journey.cancel()
        await asyncio.gather(*self._journeys, return_exceptions=True)

    async def _create(self, request: Request) -> Response:
        if not self._authentic(request):
            return _error(401, 20003)
        body = await request.body()
        if self.hang_next:
            self.hang_next -= 1
            await _until_gone(request)
            return Response()
        if self.html_next:
            return HTMLResponse("<html><body><h1>It works, or not</h1></body></html>", self.html_next.pop(0))
        if self.fail_next:
            return self._slowly(_error(*self.fail_next.pop(0), retry_after=self.retry_after))
        form = dict(parse_qsl(body.decode(errors="replace")))
        if (fault := _fault(form)) is not None:
            return _error(400, fault)
        period = form.get("ValidityPeriod")
        message = TextMessage(
            sid=f"SM{secrets.token_hex(16)}",
            account_sid=self._account_sid,
            received_at=datetime.now(UTC).isoformat(),
            to=form["To"],
            from_=form.get("From"),
            messaging_service_sid=form.get("MessagingServiceSid"),
            body=form["Body"],
            status_callback=form.get("StatusCallback"),
            validity_period=None if period is None else int(period),
        )
        self._keep(message)
        journey = asyncio.create_task(self._carry(message))
        self._journeys.add(journey)
        journey.add_done_callback(self._journeys.discard)
        if self.callbacks_first:
            await asyncio.shield(journey)
        if self.withhold_next:
            self.withhold_next -= 1
            await _until_gone(request)
        return self._slowly(JSONResponse(message.as_resource(), status_code=201))

    async def _account(self, request: Request) -> Response:
        if not self._authentic(request):
            return _error(401, 20003)
        return JSONResponse(
            {"sid": self._account_sid, "friendly_name": "Sandbox", "status": self.status, "type": "Full"}
        )

    async def _fetch(self, request: Request) -> Response:
        if not self._authentic(request):
            return _error(401, 20003)
        message = self._messages.get(request.path_params["sid"])
        if message is None:
            return _error(404, 20404)
        return JSONResponse(message.as_resource())

    def _authentic(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        expected = base64.b64encode(self._credentials)
        return (
            scheme.lower() == "basic"
            and secrets.compare_digest(given.encode(), expected)
            and request.path_params["account"] == self._account_sid
        )

    def _keep(self, message: TextMessage) -> None:
        self._messages[message.sid] = message
        self._journal.append(asdict(message))

    async def _carry(self, message: TextMessage) -> None:
        """Move a message on to its end, telling each step to its status callback."""
        failure = self.undelivered_next.pop(0) if self.undelivered_next else None
        last = "delivered" if failure is None else "undelivered"
        message = replace(message, from_=message.from_ or _SENDER_OF_A_SERVICE)
        steps = [replace(message, status=status, error_code=code) for status, code in (("sent", None), (last, failure))]
        if message.sid not in self._messages:  # somebody emptied the phone
            return
        for step in steps:
            self._keep(step)
        for told in self.callbacks:
            await self._report(steps[told])

    def _slowly(self, response: Response) -> Response:
        if not self.pause:
            return response

        async def dripping() -> AsyncIterator[bytes]:
            for byte in bytes(response.body):
                yield bytes([byte])
                await asyncio.sleep(self.pause)

        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        return StreamingResponse(dripping(), response.status_code, headers)

    async def _report(self, message: TextMessage) -> None:
        url = message.status_callback
        if url is None:
            return
        fields = message.as_callback()
        signature = self._signer.compute_signature(url, fields)
        try:
            # The callback comes to this machine: no proxy, and no certificates, the loading of
            # which would hold up the loop for every message.
            async with httpx.AsyncClient(verify=False, trust_env=False) as client:
                await client.post(url, data=fields, headers={"X-Twilio-Signature": signature})
        except httpx.HTTPError as error:
            log.warning("status callback for %s failed: %r", message.sid, error)

    async def _list(self, request: Request) -> Response:
        to = request.query_params.get("to")
        return JSONResponse([m.as_json() for m in self.messages if to is None or m.to == to])

    async def _clear(self, request: Request) -> Response:
        self._messages.clear()
        self._journal.clear()
        return Response(status_code=204)

    async def _page(self, request: Request) -> Response:
        phones: defaultdict[str, list[TextMessage]] = defaultdict(list)
        for message in self.messages:
            phones[message.to].append(message)
        return page("phone.html", phones=phones, total=len(self._messages))


def _fault(form: dict[str, str]) -> int | None:
    """The Twilio error code for a message that cannot be taken."""
    callback = urlsplit(form.get("StatusCallback", "http://localhost"))
    if not form.get("To"):
        return 21604
    if not _E164.fullmatch(form["To"]):
        return 21211
    if not (form.get("From") or form.get("MessagingServiceSid")):
        return 21603
    if not form.get("Body"):
        return 21602
    if len(form["Body"]) > _LONGEST_BODY:
        return 21617
    if callback.scheme not in ("http", "https") or not callback.netloc:
        return 21609
    period = form.get("ValidityPeriod", "1")
    if not period.isdecimal() or int(period) not in _VALIDITY:
        return 21624
    return None


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _error(status: int, code: int, *, retry_after: int | None = None) -> JSONResponse:
    problem = {
        "code": code,
        "message": _ERRORS.get(code, "The sandbox was asked to answer this"),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return JSONResponse(problem, status_code=status, headers=headers)
