"""SMS by Twilio's API, spoken to the sandbox's phones; and to servers that answer as no API should."""

import asyncio
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from email.utils import formatdate
from typing import Any, NoReturn
from urllib.parse import parse_qs

import aiohttp
import pytest
import trustme
from aiohttp.abc import AbstractResolver, ResolveResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from structlog.testing import capture_logs

from notifier.sandbox.phone import Phone
from notifier.sandbox.serving import serving
from notifier.setting_types import AccountName, TwilioAccount
from notifier.transports.base import Ambiguous, Deferred, Permanent, Receipt, Sms, Transient, TransportError
from notifier.transports.twilio import TwilioTransport
from notifier.transports.twilio_account import Account, Elsewhere
from notifier.transports.twilio_errors import Meaning, meaning
from notifier.transports.twilio_http import new_session
from tests.ports import HOST, reserved
from tests.service import PROMPTLY_S, until

TOKEN = "twilio-token"
SIDS: dict[AccountName, str] = {"twilio": "AC" + "0" * 32, "twilio_second": "AC" + "1" * 32}
NUMBER = "+355691234567"
TEXT = "Northbank: Kodi: 481516. Çaktivizo: https://n.example/l/a?b=1&c=ë 😀\n\n@n.example #481516"
PUBLIC = "https://notify.example.com"
Serve = Callable[[Any], Awaitable[str]]
To = Callable[..., TwilioTransport]


def account(base_url: str | None, name: AccountName = "twilio", **changed: Any) -> TwilioAccount:
    return TwilioAccount(name, SIDS[name], TOKEN, sender="+12025550100", base_url=base_url)._replace(**changed)


def sms(recipient: str = NUMBER, valid_for: int = 600, notification: str = "") -> Sms:
    return Sms(recipient, TEXT, valid_for, notification)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves an app for the test; gives its base URL."""
    async with AsyncExitStack() as stack:

        async def served(app: Any) -> str:
            return f"http://{HOST}:{await stack.enter_async_context(serving(app, HOST, 0, ''))}"

        yield served


@pytest.fixture
def phone() -> Phone:
    return Phone(SIDS["twilio"], TOKEN)


@pytest.fixture
def second() -> Phone:
    return Phone(SIDS["twilio_second"], TOKEN)


@pytest.fixture
async def url(phone: Phone, serve: Serve) -> str:
    return await serve(phone.app)


@pytest.fixture
async def second_url(second: Phone, serve: Serve) -> str:
    return await serve(second.app)


@pytest.fixture
async def to() -> AsyncIterator[To]:
    """A transport to base URLs, the first preferred; closed with the test."""
    async with AsyncExitStack() as stack:

        def made(
            first: str | None, second: str | None = None, public_url: str = PUBLIC, **options: Any
        ) -> TwilioTransport:
            accounts = [account(first), account(second, "twilio_second")] if second else [account(first)]
            transport = TwilioTransport(accounts, public_url, **{"patience": 6, **options})
            stack.push_async_callback(transport.close)
            return transport

        yield made


def answering(
    status: int, body: str = "", content_type: str = "application/json", after: float = 0, **headers: str
) -> Starlette:
    async def answer(request: Request) -> Response:
        await asyncio.sleep(after)
        return Response(body, status, {name.replace("_", "-"): value for name, value in headers.items()}, content_type)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])


@pytest.fixture
def nobody() -> Iterator[str]:
    """A base URL where nobody listens."""
    with reserved() as port:
        yield f"http://{HOST}:{port}"


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """A base URL whose host takes connections and says nothing, not even about TLS."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), HOST, 0)
    yield f"https://{HOST}:{server.sockets[0].getsockname()[1]}"
    server.close()
    for writer in writers:
        writer.close()
    await server.wait_closed()


@pytest.fixture
async def stranger() -> AsyncIterator[str]:
    """A base URL whose certificate nobody here trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(HOST).configure_cert(context)
    server = await asyncio.start_server(lambda _, writer: writer.close(), HOST, 0, ssl=context)
    yield f"https://{HOST}:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


async def failure(transport: TwilioTransport, message: Sms | None = None) -> TransportError:
    with pytest.raises(TransportError) as raised:
        await transport.send(message or sms())
    return raised.value


# What is sent.


async def test_a_text_arrives_as_it_was_given(phone: Phone, url: str, to: To) -> None:
    receipt = await to(url).send(sms())
    (message,) = phone.messages
    assert receipt == Receipt("twilio", message.sid)
    assert (message.to, message.body) == (NUMBER, TEXT)
    assert message.from_ == "+12025550100"
    assert message.messaging_service_sid is None


async def test_a_messaging_service_goes_before_a_number(phone: Phone, url: str) -> None:
    service = "MG" + "1" * 32
    transport = TwilioTransport([account(url, messaging_service=service)], PUBLIC)
    await transport.send(sms())
    await transport.close()
    assert phone.messages[0].messaging_service_sid == service


async def test_a_base_url_may_have_a_path(serve: Serve, phone: Phone, to: To) -> None:
    base = await serve(Starlette(routes=[Mount("/gateway/sms", app=phone.app)]))
    await to(f"{base}/gateway/sms/").send(sms())
    assert len(phone.messages) == 1


@pytest.mark.parametrize(
    ("seconds", "period"), [(600, 600), (1, 1), (0, 1), (-5, 1), (36_000, 36_000), (86_400, 36_000)]
)
async def test_the_validity_period_is_one_that_twilio_takes(
    phone: Phone, url: str, to: To, seconds: int, period: int
) -> None:
    await to(url).send(sms(valid_for=seconds))
    assert phone.messages[0].validity_period == period


class Lookup(AbstractResolver):
    """Finds every host at one port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [{"hostname": host, "host": HOST, "port": self._port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("public_url", "callback"),
    [
        (PUBLIC, f"{PUBLIC}/v1/receipts/twilio?notification=abc"),
        (f"{PUBLIC}:8443/path", f"{PUBLIC}:8443/path/v1/receipts/twilio?notification=abc"),
        # Twilio refuses these, and the message with them.
        ("http://127.0.0.1:8000", None),
        ("http://localhost:8000", None),
        ("https://localhost", None),
        ("http://[::1]:8000", None),
    ],
)
async def test_twilio_itself_reports_to_the_public_url_if_it_can(
    public_url: str, callback: str | None, to: To, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length
        asked.append(await reader.readexactly(int(length[1])))
        writer.write(b'HTTP/1.1 201 Created\r\ncontent-length: 14\r\n\r\n{"sid": "SM1"}')
        writer.close()

    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.twilio.com").configure_cert(here)
    server = await asyncio.start_server(answer, HOST, 0, ssl=here)
    resolver = Lookup(server.sockets[0].getsockname()[1])

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver, ssl=trusting))

    async with server:
        await to(None, public_url=public_url, session=session).send(sms(notification="abc"))
    assert parse_qs(asked[0].decode()).get("StatusCallback", [None]) == [callback]


async def test_who_stands_elsewhere_reports_to_this_machine_too(phone: Phone, url: str, to: To) -> None:
    phone.callbacks = ()
    await to(url, public_url="http://127.0.0.1:8000").send(sms(notification="abc"))
    assert phone.messages[0].status_callback == "http://127.0.0.1:8000/v1/receipts/twilio?notification=abc"


async def test_nothing_is_sent_whose_last_step_is_not_taken(phone: Phone, url: str, to: To) -> None:
    """As where another worker has it by then."""

    async def not_ours() -> NoReturn:
        raise LookupError

    with pytest.raises(LookupError):
        await to(url).send(sms(), not_ours)
    assert phone.messages == []


async def test_so_many_at_once_and_over_the_same_connections(serve: Serve, to: To) -> None:
    now = most = 0
    peers: set[int] = set()

    async def answer(request: Request) -> Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        assert request.client
        peers.add(request.client.port)
        await asyncio.sleep(0.05)
        now -= 1
        return Response('{"sid": "SM1"}', 201)

    transport = to(await serve(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])))
    await asyncio.gather(*(transport.send(sms()) for _ in range(100)))
    assert most == 32
    assert len(peers) == 32


async def test_the_urgent_goes_first(serve: Serve, to: To) -> None:
    transport = to(await serve(answering(201, '{"sid": "SM1"}', after=0.1)))
    done: list[int] = []

    async def send(urgency: int) -> None:
        await transport.send(replace(sms(), urgency=urgency))
        done.append(urgency)

    crowd = [asyncio.create_task(send(2)) for _ in range(200)]
    await until(lambda: bool(done))
    await send(0)
    assert len(done) < 100
    await asyncio.gather(*crowd)


# What is refused.


@pytest.mark.parametrize(
    ("status", "code", "kind", "dead"),
    [
        (400, 21211, Permanent, True),
        (400, 21610, Permanent, True),
        (400, 21614, Permanent, True),
        (400, 30006, Permanent, True),
        (400, 21617, Permanent, False),
        (400, 30007, Permanent, False),
        # Unknown, but Twilio's and about this message.
        (400, 29999, Permanent, False),
        (400, 30450, Deferred, False),
        (400, 21408, Transient, False),
        (400, 21606, Transient, False),
        (400, 21611, Transient, False),
        (401, 20003, Transient, False),
        (403, 29999, Transient, False),
        (404, 20404, Transient, False),
        (429, 20429, Transient, False),
        (429, 29999, Transient, False),
        (500, 20500, Transient, False),
        (502, 29999, Transient, False),
        (503, 20503, Transient, False),
        (504, 29999, Ambiguous, False),
    ],
)
async def test_what_a_refusal_means(
    phone: Phone, url: str, to: To, status: int, code: int, kind: type[TransportError], dead: bool
) -> None:
    phone.fail_next.append((status, code))
    transport = to(url)
    error = await failure(transport)
    assert type(error) is kind
    assert error.reason == f"twilio_{code}"
    assert getattr(error, "dead_address", False) is dead
    assert phone.messages == []
    # One refused message says nothing against the next one, where there is no other account to send it by.
    await transport.send(sms())
    assert len(phone.messages) == 1


@pytest.mark.parametrize(
    ("code", "status", "means"),
    [
        (None, 200, Meaning.ACCOUNT),
        (None, 302, Meaning.ACCOUNT),
        # Some proxy's: Twilio gives a code.
        (None, 400, Meaning.ACCOUNT),
        (None, 413, Meaning.ACCOUNT),
        (29999, 409, Meaning.NEVER),
        (29999, 408, Meaning.ACCOUNT),
        (29999, 501, Meaning.ACCOUNT),
        (29999, 504, Meaning.UNCLEAR),
        (21211, 504, Meaning.DEAD),
    ],
)
def test_a_code_goes_before_the_status(code: int | None, status: int, means: Meaning) -> None:
    assert meaning(code, status) is means


async def test_a_number_that_is_none_is_refused_by_the_other_side(url: str, to: To) -> None:
    error = await failure(to(url), sms("+0"))
    assert (type(error), error.reason) == (Permanent, "twilio_21211")


@pytest.mark.parametrize(
    "body",
    [
        '{"type": "t", "title": "t", "status": 429, "code": 20429, "detail": "d"}',  # RFC 9457
        '{"code": 20429, "message": "m", "more_info": "https://www.twilio.com/docs/errors/20429", "status": 429}',
        '{"code": "20429"}',
    ],
)
async def test_both_forms_of_twilios_errors_are_read(serve: Serve, to: To, body: str) -> None:
    error = await failure(to(await serve(answering(429, body))))
    assert (type(error), error.reason) == (Transient, "twilio_20429")


@pytest.mark.parametrize(
    "body",
    [
        f'{{"code": "{NUMBER}", "message": "{NUMBER}"}}',
        f'{{"code": ["{NUMBER}"]}}',
        '{"code": true}',
        '{"code": -5}',
        '{"code": 12345678901234567890}',
        f"[{NUMBER[1:]}]",
        "[" * 10_000,
        "null",
        "",
        f"<html>{NUMBER}</html>",
    ],
)
async def test_an_answer_of_anybodys_says_no_more_than_its_status(serve: Serve, to: To, body: str) -> None:
    transport = to(await serve(answering(400, body)))
    with capture_logs() as logs:
        error = await failure(transport)
    assert (type(error), error.reason) == (Transient, "twilio_400")
    assert [(line["event"], line["reason"]) for line in logs] == [("sms_account_failed", "twilio_400")]
    assert NUMBER[1:] not in f"{error!r} {error} {logs}"


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("in two minutes", 100, 120),
        ("99999999", 600, 600),
        ("9" * 400, 600, 600),
        ("0", None, None),
        ("-1", None, None),
        ("²", None, None),
        ("soon", None, None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None, None),
    ],
)
async def test_when_to_come_again(serve: Serve, to: To, header: str, least: float | None, most: float | None) -> None:
    header = header.replace("in two minutes", formatdate(time.time() + 120, usegmt=True))
    error = await failure(to(await serve(answering(503, retry_after=header))))
    assert isinstance(error, Transient)
    if least is None or most is None:
        assert error.retry_after is None
    else:
        assert error.retry_after is not None
        assert least <= error.retry_after <= most


async def test_who_says_when_to_come_again_is_left_alone_until_then(phone: Phone, url: str, to: To) -> None:
    phone.fail_next, phone.retry_after = [(429, 20429)] * 2, 1
    transport = to(url)
    assert (await failure(transport)).reason == "twilio_20429"
    error = await failure(transport)
    assert isinstance(error, Transient)
    assert error.retry_after
    assert error.retry_after <= 1
    assert len(phone.fail_next) == 1  # not asked

    async def asked() -> bool:
        await failure(transport)
        return not phone.fail_next

    async with asyncio.timeout(3):
        while not await asked():
            await asyncio.sleep(0.05)


# Who does not answer, or not as an API does.


async def test_where_nobody_listens_it_is_not_now(nobody: str, to: To) -> None:
    error = await failure(to(nobody))
    assert (type(error), error.reason) == (Transient, "twilio_unreachable")


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<html>maintenance</html>", "text/html"),
        ("", "application/json"),
        ("[]", "application/json"),
        ("null", "application/json"),
        ('"SM1"', "application/json"),
        ("{}", "application/json"),
        ('{"sid": "SM', "application/json"),
        ('{"sid": "SM1", "date_created": 5}', "application/json"),
        ("[" * 10_000, "application/json"),
    ],
)
async def test_a_yes_without_a_name_may_be_one(serve: Serve, to: To, status: int, body: str, content_type: str) -> None:
    error = await failure(to(await serve(answering(status, body, content_type))))
    assert (type(error), error.reason) == (Ambiguous, "twilio_unanswered")


@pytest.mark.parametrize("fault", ["hang_next", "withhold_next"])
async def test_a_hang_ends_with_our_patience_and_may_have_been_a_yes(
    phone: Phone, second: Phone, url: str, second_url: str, to: To, fault: str
) -> None:
    setattr(phone, fault, 1)
    begun = time.monotonic()
    error = await failure(to(url, second_url, patience=0.5))
    assert time.monotonic() - begun < PROMPTLY_S
    assert (type(error), error.reason) == (Ambiguous, "twilio_unanswered")
    assert len(phone.messages) == (fault == "withhold_next")
    assert second.messages == []


async def test_an_answer_may_drip(phone: Phone, url: str, to: To) -> None:
    phone.pause = 0.001
    assert (await to(url).send(sms())).reference == phone.messages[0].sid


async def test_an_answer_that_drips_for_too_long_is_none(
    phone: Phone, second: Phone, url: str, second_url: str, to: To
) -> None:
    phone.pause = 0.05
    error = await failure(to(url, second_url, patience=0.5))
    assert (type(error), len(phone.messages), second.messages) == (Ambiguous, 1, [])


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{", b"220 mail.example ESMTP\r\n"]
)
async def test_a_connection_cut_after_the_request_may_have_been_a_yes(
    second: Phone, second_url: str, to: To, said: bytes
) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.transport.abort()

    server = await asyncio.start_server(cut, HOST, 0)
    async with server:
        error = await failure(to(f"http://{HOST}:{server.sockets[0].getsockname()[1]}", second_url))
    assert (type(error), error.reason, second.messages) == (Ambiguous, "twilio_unanswered", [])


async def test_a_gateway_that_gave_up_waiting_may_have_been_a_yes(
    phone: Phone, second: Phone, url: str, second_url: str, to: To
) -> None:
    phone.html_next = [504]
    error = await failure(to(url, second_url))
    assert (type(error), error.reason, second.messages) == (Ambiguous, "twilio_504", [])


# The second account.


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, 20500), (502, 29999), (503, 20503), (429, 20429), (401, 20003), (403, 20403), (400, 21408), (400, 21606)],
)
async def test_the_other_account_takes_what_the_first_has_trouble_with(
    phone: Phone, second: Phone, url: str, second_url: str, to: To, status: int, code: int
) -> None:
    phone.fail_next = [(status, code)]
    receipt = await to(url, second_url).send(sms())
    assert receipt == Receipt("twilio_second", second.messages[0].sid)
    assert phone.messages == []


@pytest.mark.parametrize("status", [302, 400, 404, 413, 502, 503])
async def test_a_proxys_page_is_trouble(
    phone: Phone, second: Phone, url: str, second_url: str, to: To, status: int
) -> None:
    phone.html_next = [status]
    assert (await to(url, second_url).send(sms())).by == "twilio_second"
    assert (len(phone.messages), len(second.messages)) == (0, 1)


@pytest.mark.parametrize("where", ["nobody", "silent", "stranger", "nowhere"])
async def test_the_other_account_takes_what_the_first_cannot_be_reached_for(
    second: Phone, second_url: str, to: To, where: str, nobody: str, silent: str, stranger: str
) -> None:
    places = {"nobody": nobody, "silent": silent, "stranger": stranger, "nowhere": "http://nowhere.invalid"}
    begun = time.monotonic()
    receipt = await to(places[where], second_url, patience=14).send(sms())
    assert time.monotonic() - begun < 5
    assert receipt == Receipt("twilio_second", second.messages[0].sid)


@pytest.mark.parametrize(
    ("code", "kind"), [(21211, Permanent), (21610, Permanent), (21617, Permanent), (30450, Deferred)]
)
async def test_what_is_no_trouble_of_the_account_stays_with_it(
    phone: Phone, second: Phone, url: str, second_url: str, to: To, code: int, kind: type[TransportError]
) -> None:
    phone.fail_next = [(400, code)]
    transport = to(url, second_url)
    assert type(await failure(transport)) is kind
    assert second.messages == []
    assert (await transport.send(sms())).by == "twilio"


async def test_where_both_fail_the_sooner_is_told(
    phone: Phone, second: Phone, url: str, second_url: str, to: To
) -> None:
    phone.fail_next, phone.retry_after = [(429, 20429)], 60
    second.fail_next, second.retry_after = [(503, 20503)], 30
    error = await failure(to(url, second_url))
    assert isinstance(error, Transient)
    assert (type(error), error.reason, error.retry_after) == (Transient, "twilio_20503", 30)


async def test_what_one_may_not_send_keeps_nothing_else_from_it(
    phone: Phone, url: str, second_url: str, to: To
) -> None:
    phone.fail_next = [(400, 21408)]
    transport = to(url, second_url)
    assert [(await transport.send(sms())).by for _ in range(3)] == ["twilio_second", "twilio", "twilio"]


async def test_a_message_does_not_outlive_its_time_on_the_way_to_the_other(
    second: Phone, silent: str, second_url: str, to: To
) -> None:
    await to(silent, second_url, patience=14).send(sms(valid_for=600))
    assert 590 <= (second.messages[0].validity_period or 0) <= 597  # 3 s were spent on TLS


async def test_a_message_does_not_outlive_its_time_while_it_waits_for_its_turn(serve: Serve, to: To) -> None:
    periods: list[int] = []

    async def answer(request: Request) -> Response:
        periods.append(int(parse_qs((await request.body()).decode())["ValidityPeriod"][0]))
        await asyncio.sleep(1.5)
        return Response('{"sid": "SM1"}', 201)

    transport = to(await serve(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])))
    await asyncio.gather(*(transport.send(sms(valid_for=600)) for _ in range(33)))
    assert 590 <= periods[-1] <= 599


async def test_who_finds_no_turn_waits_no_longer_than_there_is_time(phone: Phone, url: str) -> None:
    phone.hang_next = 32
    busy = Account(account(url), PUBLIC, rest=5, session=new_session)
    now = asyncio.get_running_loop().time()
    hung = [asyncio.create_task(busy.send(sms(), now + 600, deadline=now + 60, last=True)) for _ in range(32)]
    await until(lambda: phone.hang_next == 0)
    async with asyncio.timeout(5):
        with pytest.raises(Elsewhere, match="twilio_busy"):
            await busy.send(sms(), now + 600, deadline=asyncio.get_running_loop().time() + 0.1, last=True)
    for task in hung:
        task.cancel()
    await asyncio.gather(*hung, return_exceptions=True)
    await busy.close()


async def test_a_burst_does_not_wait_one_by_one(second: Phone, silent: str, second_url: str, to: To) -> None:
    transport = to(silent, second_url, patience=14)
    begun = time.monotonic()
    receipts = await asyncio.gather(*(transport.send(sms()) for _ in range(100)))
    assert time.monotonic() - begun < 5
    assert {receipt.by for receipt in receipts} == {"twilio_second"}
    assert len(second.messages) == 100
    begun = time.monotonic()
    await transport.send(sms())
    assert time.monotonic() - begun < PROMPTLY_S


async def test_what_finds_no_turn_goes_by_the_other_account(
    phone: Phone, second: Phone, url: str, second_url: str, to: To
) -> None:
    phone.hang_next = 32
    transport = to(url, second_url, patience=14)
    hung = [asyncio.create_task(transport.send(sms())) for _ in range(32)]
    await until(lambda: phone.hang_next == 0)
    begun = time.monotonic()
    assert (await transport.send(sms())).by == "twilio_second"
    assert time.monotonic() - begun < 5
    for task in hung:
        task.cancel()
    await asyncio.gather(*hung, return_exceptions=True)
    # That all turns were taken is no failure, and they are given back.
    assert {(await transport.send(sms())).by for _ in range(33)} == {"twilio"}


async def test_an_account_that_refuses_a_message_is_well(phone: Phone, url: str, second_url: str, to: To) -> None:
    phone.fail_next = [(500, 20500), (400, 21211)]
    transport = to(url, second_url, rest=0.2)
    assert (await transport.send(sms())).by == "twilio_second"
    async with asyncio.timeout(3):
        while phone.fail_next:
            with suppress(Permanent):
                assert (await transport.send(sms())).by == "twilio_second"
    assert (await transport.send(sms())).by == "twilio"


async def test_after_its_rest_one_message_finds_out_for_all(
    phone: Phone, second: Phone, url: str, second_url: str, to: To
) -> None:
    phone.fail_next, phone.hang_next = [(500, 20500)], 0
    transport = to(url, second_url, rest=0.3, patience=4.5)
    assert (await transport.send(sms())).by == "twilio_second"
    phone.hang_next = 100
    senders: list[asyncio.Task[Receipt]] = []
    async with asyncio.timeout(3):
        while phone.hang_next == 100:
            senders += [asyncio.create_task(transport.send(sms())) for _ in range(10)]
            await asyncio.sleep(0.05)
    told = await asyncio.gather(*senders, return_exceptions=True)
    assert phone.hang_next == 99
    assert [type(one) for one in told].count(Ambiguous) == 1
    assert [one.by for one in told if isinstance(one, Receipt)] == ["twilio_second"] * (len(told) - 1)

    phone.hang_next = 0
    async with asyncio.timeout(3):
        while (await transport.send(sms())).by != "twilio":
            await asyncio.sleep(0.05)
    assert {(await transport.send(sms())).by for _ in range(5)} == {"twilio"}
