"""The phone, spoken to by Twilio's own client; its status callbacks judged by Twilio's own check."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from notifier.sandbox.phone import Phone
from notifier.sandbox.serving import serving

ACCOUNT = "AC" + "0" * 32
TOKEN = "secret-token"
NUMBER = "+355691234567"
SENDER = "+15005550006"
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
FORM = {"To": NUMBER, "From": SENDER, "Body": "Kodi: 123456"}


class Elsewhere(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's HTTP client, sent to another host."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def request(self, method: str, url: str, *rest: Any, **options: Any) -> Any:
        there, asked = urlsplit(self.base), urlsplit(url)
        url = urlunsplit((there.scheme, there.netloc, asked.path, asked.query, ""))
        return super().request(method, url, *rest, **options)


class Callbacks:
    """A receiver of status callbacks; keeps those Twilio's validator accepts."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[dict[str, str]] = []
        self.app = Starlette(routes=[Route("/receipts", self.receive, methods=["POST"])])

    async def receive(self, request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode()))
        signature = request.headers["x-twilio-signature"]
        assert RequestValidator(TOKEN).validate(self.url, fields, signature)
        self.received.append(fields)
        return Response(status_code=204)

    def statuses(self) -> list[str]:
        return [fields["MessageStatus"] for fields in self.received]


@pytest.fixture
def phone(tmp_path: Path) -> Phone:
    return Phone(ACCOUNT, TOKEN, tmp_path)


@pytest.fixture
async def base(phone: Phone) -> AsyncIterator[str]:
    async with serving(phone.app, "127.0.0.1", 0, "PHONE") as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def callbacks() -> AsyncIterator[Callbacks]:
    callbacks = Callbacks()
    async with serving(callbacks.app, "127.0.0.1", 0, "RECEIPTS") as port:
        callbacks.url = f"http://127.0.0.1:{port}/receipts?channel=sms"
        yield callbacks


@pytest.fixture
async def web(base: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base) as web:
        yield web


@pytest.fixture
def http(base: str) -> Iterator[Elsewhere]:
    http = Elsewhere(base)
    yield http
    http.session.close()


@pytest.fixture
def send(http: Elsewhere) -> Callable[..., Awaitable[Any]]:
    client = Client(ACCOUNT, TOKEN, http_client=http)

    async def send(**fields: Any) -> Any:
        message = {"to": NUMBER, "from_": SENDER, "body": "Kodi: 123456"} | fields
        return await asyncio.to_thread(client.messages.create, **message)

    return send


async def create(web: httpx.AsyncClient, **fields: str) -> httpx.Response:
    """As any client would; Twilio's own hides the headers of a refusal."""
    return await web.post(MESSAGES, data=FORM | fields, auth=(ACCOUNT, TOKEN))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_message_is_taken_and_can_be_fetched(send: Callable[..., Awaitable[Any]], phone: Phone) -> None:
    sent = await send(validity_period=1800)
    assert sent.sid.startswith("SM")
    assert len(sent.sid) == 34
    assert (sent.status, sent.num_segments, sent.error_code) == ("queued", "1", None)
    assert sent.date_created is not None
    await until(lambda: phone.messages[0].status == "delivered")
    fetched = await asyncio.to_thread(sent.fetch)
    assert (fetched.to, fetched.from_, fetched.body) == (NUMBER, SENDER, "Kodi: 123456")
    assert fetched.status == "delivered"
    assert phone.messages[0].validity_period == 1800


async def test_a_messaging_service_chooses_the_sender(send: Callable[..., Awaitable[Any]], phone: Phone) -> None:
    sent = await send(from_=None, messaging_service_sid="MG" + "1" * 32)
    assert (sent.from_, sent.num_segments) == (None, "0")
    await until(lambda: phone.messages[0].status == "delivered")
    assert phone.messages[0].from_ == SENDER


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": ""}, 21604),
        ({"to": "0691234567"}, 21211),
        ({"from_": None}, 21603),
        ({"body": ""}, 21602),
        ({"body": "a" * 1601}, 21617),
        ({"status_callback": "not a url"}, 21609),
        ({"validity_period": 0}, 21624),
        ({"validity_period": 36_001}, 21624),
    ],
)
async def test_a_faulty_message_gets_twilios_error(
    send: Callable[..., Awaitable[Any]], phone: Phone, fields: dict[str, Any], code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await send(**fields)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert phone.messages == []


async def test_the_longest_body_is_taken(send: Callable[..., Awaitable[Any]]) -> None:
    assert (await send(body="a" * 1600)).num_segments == "11"


@pytest.mark.parametrize(("account", "token"), [(ACCOUNT, "wrong"), ("AC" + "9" * 32, TOKEN)])
async def test_wrong_credentials_get_twilios_error(http: Elsewhere, account: str, token: str) -> None:
    stranger = Client(account, token, http_client=http)
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(stranger.messages.create, to=NUMBER, from_=SENDER, body="hi")
    assert (refused.value.status, refused.value.code) == (401, 20003)
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(stranger.messages("SM0").fetch)
    assert refused.value.status == 401


async def test_an_unknown_message_is_not_found(http: Elsewhere) -> None:
    client = Client(ACCOUNT, TOKEN, http_client=http)
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(client.messages("SM0").fetch)
    assert (refused.value.status, refused.value.code) == (404, 20404)


async def test_status_callbacks_are_signed_and_in_order(
    send: Callable[..., Awaitable[Any]], callbacks: Callbacks
) -> None:
    sent = await send(status_callback=callbacks.url, body="Ç'kemi? 🔒")
    await until(lambda: len(callbacks.received) == 2)
    assert callbacks.statuses() == ["sent", "delivered"]
    last = callbacks.received[-1]
    assert (last["MessageSid"], last["AccountSid"]) == (sent.sid, ACCOUNT)
    assert (last["To"], last["From"], last["ApiVersion"]) == (
        NUMBER,
        SENDER,
        "2010-04-01",
    )


async def test_a_message_can_fail_after_it_was_taken(
    send: Callable[..., Awaitable[Any]], callbacks: Callbacks, phone: Phone
) -> None:
    phone.undelivered_next = [30003]
    await send(status_callback=callbacks.url)
    await until(lambda: len(callbacks.received) == 2)
    assert callbacks.statuses() == ["sent", "undelivered"]
    assert callbacks.received[-1]["ErrorCode"] == "30003"
    assert phone.messages[0].error_code == 30003


async def test_a_callback_nobody_takes_harms_nothing(send: Callable[..., Awaitable[Any]], phone: Phone) -> None:
    await send(status_callback="http://127.0.0.1:9/nobody")
    await until(lambda: phone.messages[0].status == "delivered")


async def test_each_failure_is_used_once(send: Callable[..., Awaitable[Any]], phone: Phone) -> None:
    phone.fail_next = [(429, 20429), (500, 20500)]
    for status in (429, 500):
        with pytest.raises(TwilioRestException) as failed:
            await send()
        assert failed.value.status == status
    await send()
    assert len(phone.messages) == 1


async def test_a_failure_may_say_when_to_come_again(phone: Phone, web: httpx.AsyncClient) -> None:
    phone.fail_next, phone.retry_after = [(429, 20429)], 7
    answer = await create(web)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (429, "7", 20429)


async def test_a_proxy_may_answer_in_its_place(phone: Phone, web: httpx.AsyncClient) -> None:
    phone.html_next = [502]
    answer = await create(web)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert phone.messages == []
    assert (await create(web)).status_code == 201


@pytest.mark.parametrize(("fault", "taken"), [("hang_next", 0), ("withhold_next", 1)])
async def test_an_answer_may_not_come(phone: Phone, web: httpx.AsyncClient, fault: str, taken: int) -> None:
    setattr(phone, fault, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await create(web)
    assert len(phone.messages) == taken
    assert (await create(web)).status_code == 201


async def test_an_answer_may_drip(phone: Phone, web: httpx.AsyncClient) -> None:
    phone.pause = 0.001
    request = web.build_request("POST", MESSAGES, data=FORM)
    answer = await web.send(request, auth=(ACCOUNT, TOKEN), stream=True)
    pieces = [piece async for piece in answer.aiter_raw()]
    assert len(pieces) > 1
    assert json.loads(b"".join(pieces))["sid"] == phone.messages[0].sid
    await answer.aclose()


@pytest.mark.parametrize(
    ("told", "statuses"),
    [((1, 0), ["delivered", "sent"]), ((0, 0, 1, 1), ["sent", "sent", "delivered", "delivered"])],
)
async def test_callbacks_may_be_out_of_order_or_doubled_and_before_the_answer(
    phone: Phone, web: httpx.AsyncClient, callbacks: Callbacks, told: tuple[int, ...], statuses: list[str]
) -> None:
    phone.callbacks, phone.callbacks_first = told, True
    await create(web, StatusCallback=callbacks.url)
    assert callbacks.statuses() == statuses


async def test_messages_are_listed_newest_first_and_by_number(
    send: Callable[..., Awaitable[Any]], web: httpx.AsyncClient
) -> None:
    for to, body in ((NUMBER, "1"), ("+4915112345678", "2"), (NUMBER, "3")):
        await send(to=to, body=body)
    everything = (await web.get("/api/messages")).json()
    assert [message["body"] for message in everything] == ["3", "2", "1"]
    of_one = (await web.get("/api/messages", params={"to": NUMBER})).json()
    assert [message["body"] for message in of_one] == ["3", "1"]
    expected = {"sid", "received_at", "from", "to", "body", "num_segments"}
    assert expected <= of_one[0].keys()


async def test_messages_outlive_the_process_until_cleared(
    send: Callable[..., Awaitable[Any]],
    phone: Phone,
    web: httpx.AsyncClient,
    tmp_path: Path,
) -> None:
    for body in ("1", "2"):
        await send(body=body)
    await until(lambda: all(m.status == "delivered" for m in phone.messages))
    with (tmp_path / "phone.jsonl").open("a") as file:
        file.write('{"torn by a cra')
    again = Phone(ACCOUNT, TOKEN, tmp_path)
    assert again.messages == phone.messages
    assert (await web.delete("/api/messages")).status_code == 204
    assert (await web.get("/api/messages")).json() == []
    assert Phone(ACCOUNT, TOKEN, tmp_path).messages == []


async def test_the_page_shows_a_phone_for_each_number_with_links_to_click(
    send: Callable[..., Awaitable[Any]], web: httpx.AsyncClient
) -> None:
    assert "No text messages yet" in (await web.get("/")).text
    await send(body="<b>Was it you?</b> http://localhost:8000/l/abc.\n@localhost #123456")
    shown = (await web.get("/")).text
    assert NUMBER in shown
    assert '<a href="http://localhost:8000/l/abc" target="_blank"' in shown
    assert "</a>.\n@localhost #123456" in shown
    assert "&lt;b&gt;Was it you?" in shown
