"""What holds of every transport: whatever its wire's library can raise, Transient or Permanent comes out."""

import asyncio
import inspect
import ssl
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NoReturn

import aiohttp
import aiosmtplib
import pytest
import twilio.base.exceptions
from aiosmtplib import errors as smtp_errors

from notifier.transports import smtp
from notifier.transports import twilio as twilio_transport
from notifier.transports.base import Mail, Permanent, Receipt, Transient, TransportError
from notifier.transports.memory import MemoryTransport

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


SMTP_ERRORS = exceptions(smtp_errors, aiosmtplib.SMTPException)
# A WebSocket's errors are none of ours.
HTTP_ERRORS = exceptions(aiohttp, aiohttp.ClientError)
TWILIO_ERRORS = exceptions(twilio.base.exceptions, twilio.base.exceptions.TwilioException)


def raised(kind: type[Exception]) -> Iterator[Exception]:
    """Instances of a class, with a code of each kind where it has one."""
    takes_code = issubclass(kind, aiosmtplib.SMTPResponseException)
    for code in (421, 450, 500, 550, -1) if takes_code else (0,):
        names = list(inspect.signature(kind).parameters) if kind in SMTP_ERRORS else []
        given: dict[str, Any] = {"code": code, "recipients": []}
        yield kind(*(given.get(name, "text") for name in names))


class Failing(aiosmtplib.SMTP):
    """A client whose conversation breaks at one step."""

    def __init__(self, step: str, error: Exception) -> None:
        super().__init__(hostname="127.0.0.1")
        for name in ("mail", "rcpt", "data"):
            setattr(self, name, self._fail if name == step else self._pass)
        self._error = error

    async def _fail(self, *_: object) -> NoReturn:
        raise self._error

    async def _pass(self, *_: object) -> tuple[int, str]:
        return 250, "OK"


@pytest.mark.parametrize("kind", [*SMTP_ERRORS, *LOOP])
@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
async def test_smtp_speaks_of_transient_and_permanent_alone(kind: type[Exception], step: str) -> None:
    for error in raised(kind):
        refused = isinstance(error, aiosmtplib.SMTPResponseException)
        with pytest.raises((Transient, Permanent, smtp._Unreachable)) as caught:
            await smtp._converse(Failing(step, error), MAIL, "relay")
        if refused and isinstance(error, aiosmtplib.SMTPResponseException):
            assert isinstance(caught.value, Permanent) is (error.code >= 500)
        elif step == "data":
            assert str(caught.value) == "ambiguous"
        else:
            # Not said yet: another relay may be told.
            assert isinstance(caught.value, smtp._Unreachable)


@pytest.mark.parametrize("kind", [*SMTP_ERRORS, *LOOP])
def test_smtp_survives_it_at_the_door(kind: type[Exception]) -> None:
    assert issubclass(kind, smtp._WIRE)


@pytest.mark.parametrize("kind", [*TWILIO_ERRORS, *HTTP_ERRORS, *LOOP])
def test_twilio_knows_it(kind: type[Exception]) -> None:
    assert issubclass(kind, twilio_transport._WIRE)


async def test_memory_fails_as_it_is_told_and_then_keeps() -> None:
    failures: list[TransportError] = [Transient("later", 7), Permanent("never")]
    transport = MemoryTransport[Mail](failures=failures)
    with pytest.raises(Transient) as caught:
        await transport.send(MAIL)
    assert (caught.value.reason, caught.value.retry_after) == ("later", 7)
    with pytest.raises(Permanent, match=r"^never$"):
        await transport.send(MAIL)
    assert await transport.send(MAIL) == Receipt("memory", "1")
    assert transport.sent == [MAIL]
    await transport.close()
