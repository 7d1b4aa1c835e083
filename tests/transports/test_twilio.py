"""SMS by Twilio's API, spoken to the sandbox's phone; and to servers that answer as no API should."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from notifier.sandbox.phone import Phone
from notifier.sandbox.serving import serving
from notifier.transports.base import Permanent, Sms, Transient
from notifier.transports.twilio import TwilioTransport
from tests.transports.conftest import HOST

# Twilio's client uses what aiohttp 4 will drop; its own affair until then.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

ACCOUNT, TOKEN = "AC" + "0" * 32, "twilio-token"
TEXT = "Northbank: Kodi: 481516. Çaktivizo: https://n.example/l/a?b=1&c=ë 😀\n\n@n.example #481516"
To = Callable[..., TwilioTransport]


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Any], Any]]:
    """Serves an app for the test; gives its base URL."""
    async with AsyncExitStack() as stack:

        async def served(app: Any) -> str:
            return f"http://{HOST}:{await stack.enter_async_context(serving(app, HOST, 0, ''))}"

        yield served


@pytest.fixture
async def phone() -> Phone:
    return Phone(ACCOUNT, TOKEN)


@pytest.fixture
async def url(phone: Phone, serve: Any) -> str:
    base: str = await serve(phone.app)
    return base


@pytest.fixture
async def to() -> AsyncIterator[To]:
    """A transport to a base URL, closed with the test."""
    async with AsyncExitStack() as stack:

        def made(base_url: str, **options: Any) -> TwilioTransport:
            given: dict[str, Any] = {"sender": "+12025550100", "timeout": 5} | options
            transport = TwilioTransport(ACCOUNT, TOKEN, base_url=base_url, **given)
            stack.push_async_callback(transport.close)
            return transport

        yield made


def sms(recipient: str = "+355691234567", valid_for: int = 600) -> Sms:
    return Sms(recipient, TEXT, valid_for)


async def test_a_text_arrives_as_it_was_given(phone: Phone, url: str, to: To) -> None:
    receipt = await to(url).send(sms())
    (message,) = phone.messages
    assert (receipt.by, receipt.reference) == ("twilio", message.sid)
    assert (message.to, message.body) == ("+355691234567", TEXT)
    assert message.from_ == "+12025550100"
    assert message.messaging_service_sid is None


async def test_a_messaging_service_goes_before_a_number(phone: Phone, url: str, to: To) -> None:
    await to(url, messaging_service="MG" + "1" * 32).send(sms())
    assert phone.messages[0].messaging_service_sid == "MG" + "1" * 32


async def test_a_base_url_may_have_a_path(serve: Any, phone: Phone, to: To) -> None:
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


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_not_now(phone: Phone, url: str, to: To, status: int) -> None:
    phone.fail_next.append((status, 20429))
    transport = to(url)
    with pytest.raises(Transient, match=r"^twilio_20429$"):
        await transport.send(sms())
    await transport.send(sms())
    assert len(phone.messages) == 1


@pytest.mark.parametrize("code", [21211, 21610, 21614])
async def test_never(phone: Phone, url: str, to: To, code: int) -> None:
    phone.fail_next.append((400, code))
    with pytest.raises(Permanent, match=f"^twilio_{code}$"):
        await to(url).send(sms())
    assert phone.messages == []


async def test_a_number_that_is_none_is_refused_by_the_other_side(phone: Phone, url: str, to: To) -> None:
    with pytest.raises(Permanent, match=r"^twilio_21211$"):
        await to(url).send(sms("+0"))


def answering(status: int, body: str, content_type: str = "application/json", after: float = 0) -> Starlette:
    async def answer(request: Request) -> Response:
        await asyncio.sleep(after)
        return Response(body, status, media_type=content_type)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])


@pytest.mark.parametrize(
    ("status", "body", "content_type", "reason"),
    [
        (200, "<html>maintenance</html>", "text/html", "twilio_unreachable"),
        (201, "", "application/json", "twilio_unreachable"),
        (201, "[]", "application/json", "twilio_unreachable"),
        (201, "null", "application/json", "twilio_unreachable"),
        (201, '"SM1"', "application/json", "twilio_unreachable"),
        (201, "{}", "application/json", "twilio_unreachable"),
        (201, '{"sid": "SM', "application/json", "twilio_unreachable"),
        (503, "<html>no upstream</html>", "text/html", "twilio_503"),
        (502, "[]", "application/json", "twilio_502"),
    ],
)
async def test_what_is_no_answer_of_an_api_is_not_now(
    serve: Any, to: To, status: int, body: str, content_type: str, reason: str
) -> None:
    base = await serve(answering(status, body, content_type))
    with pytest.raises(Transient, match=f"^{reason}$"):
        await to(base).send(sms())


async def test_a_hang_ends_with_our_patience(serve: Any, to: To) -> None:
    base = await serve(answering(201, "{}", after=1.5))
    async with asyncio.timeout(1):
        with pytest.raises(Transient, match=r"^twilio_unreachable$"):
            await to(base, timeout=0.2).send(sms())


async def test_where_nobody_listens_it_is_not_now(refusing: Any, to: To) -> None:
    with pytest.raises(Transient, match=r"^twilio_unreachable$"):
        await to(f"http://{HOST}:{refusing.port}").send(sms())


async def test_a_connection_cut_in_the_middle_is_not_now(to: To) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{")
        writer.transport.abort()

    server = await asyncio.start_server(cut, HOST, 0)
    async with server:
        with pytest.raises(Transient, match=r"^twilio_unreachable$"):
            await to(f"http://{HOST}:{server.sockets[0].getsockname()[1]}").send(sms())
