"""What holds of every transport: whatever its wire's library can raise, Transient or Permanent comes out."""

import asyncio
import functools
import inspect
import ssl
from collections.abc import Callable
from types import ModuleType
from typing import NoReturn, cast

import aiohttp
import pytest
import twilio.base.exceptions

from notifier.setting_types import TwilioAccount
from notifier.transports.base import Ambiguous, Mail, Permanent, Receipt, Sms, Transient, TransportError
from notifier.transports.memory import MemoryTransport
from notifier.transports.twilio import TwilioTransport

MAIL = Mail("a@x.example", "b@x.example", "<1@x.example>", b"Subject: s\r\n\r\nHello\r\n")
# What the event loop and TLS raise under any library.
LOOP = [
    asyncio.TimeoutError,
    ConnectionResetError,
    BrokenPipeError,
    ssl.SSLError,
    ssl.SSLCertVerificationError,
    OSError,
]


def exceptions(module: ModuleType, base: type[Exception]) -> list[type[Exception]]:
    """Every exception class that a library gives its callers."""
    found = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, base)]
    assert len(found) > 1
    return found


HTTP_ERRORS = exceptions(aiohttp, aiohttp.ClientError)
# Raised by aiohttp while it has not sent anything.
NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
TWILIO_ERRORS = exceptions(twilio.base.exceptions, twilio.base.exceptions.TwilioException)


class Broken:
    """A session that raises one kind of error."""

    def __init__(self, kind: type[Exception]) -> None:
        # What it is made of differs from kind to kind, and is looked at by nobody.
        self._error = kind.__new__(kind)

    def request(self, *_: object, **__: object) -> NoReturn:
        raise self._error

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("kind", [*TWILIO_ERRORS, *HTTP_ERRORS, *LOOP])
async def test_twilio_tells_what_may_have_been_taken(kind: type[Exception]) -> None:
    account = TwilioAccount("twilio", "AC1", "token", sender="+12025550100")
    session = cast("Callable[[], aiohttp.ClientSession]", functools.partial(Broken, kind))
    transport = TwilioTransport([account], "https://notify.example.com", session=session)
    with pytest.raises(Transient) as caught:
        await transport.send(Sms("+355691234567", "text", 60))
    assert type(caught.value) is (Transient if issubclass(kind, NOT_SENT) else Ambiguous)
    await transport.close()


async def test_memory_fails_as_it_is_told_and_then_keeps() -> None:
    failures: list[TransportError] = [Transient("later", retry_after=7), Permanent("never")]
    transport = MemoryTransport[Mail](failures=failures)
    with pytest.raises(Transient) as caught:
        await transport.send(MAIL)
    assert (caught.value.reason, caught.value.retry_after) == ("later", 7)
    with pytest.raises(Permanent, match=r"^never$"):
        await transport.send(MAIL)
    assert await transport.send(MAIL) == Receipt("memory", "1")
    assert transport.sent == [MAIL]
    await transport.close()
