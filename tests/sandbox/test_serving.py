"""Apps are served in the running loop, and a taken port is told by name."""

import asyncio
import signal
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from notifier.ports import PortInUse, bind
from notifier.sandbox.serving import serving


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


app = Starlette(routes=[Route("/", hello)])


async def test_serves_while_the_block_runs() -> None:
    async with (
        serving(app, "127.0.0.1", 0, "PORT") as port,
        httpx.AsyncClient() as http,
    ):
        assert (await http.get(f"http://127.0.0.1:{port}/")).text == "hello"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_the_port_can_be_taken_again_at_once() -> None:
    async with (
        serving(app, "127.0.0.1", 0, "PORT") as port,
        httpx.AsyncClient() as http,
    ):
        await http.get(f"http://127.0.0.1:{port}/")
    async with serving(app, "127.0.0.1", port, "PORT") as again:
        assert again == port


async def test_signal_handlers_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    async with serving(app, "127.0.0.1", 0, "PORT"):
        await asyncio.sleep(0.05)
        assert signal.getsignal(signal.SIGINT) is before


def test_a_taken_port_is_told_with_its_setting() -> None:
    with bind("127.0.0.1", 0, "PORT") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse) as told:
            bind("127.0.0.1", port, "NOTIFIER_DEMO_MAILBOX_PORT")
    assert str(told.value) == (
        f"port {port} is in use: stop what uses it, or set NOTIFIER_DEMO_MAILBOX_PORT to another"
    )


def test_an_ipv6_host_can_be_bound() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        with bind("::1", 0, "PORT") as listener:
            assert listener.family == socket.AF_INET6
    except OSError:
        pytest.skip("no IPv6 loopback here")
