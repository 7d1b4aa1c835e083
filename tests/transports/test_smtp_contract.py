"""Whatever aiosmtplib and the event loop can raise at any step of a mail, the vocabulary of transports comes out."""

import inspect
from collections.abc import Iterator
from typing import Any

import aiosmtplib
import pytest
from aiosmtplib import errors
from aiosmtplib.response import SMTPResponse

from notifier.transports.base import Ambiguous, Receipt
from notifier.transports.conversation import finish, offer
from notifier.transports.relay import _WIRE
from notifier.transports.replies import Trouble
from tests.transports.conftest import HOST, Relay, Start
from tests.transports.test_contract import LOOP, exceptions
from tests.transports.test_smtp import CONTENT, mail

SMTP_ERRORS = exceptions(errors, aiosmtplib.SMTPException)


def raised(kind: type[Exception]) -> Iterator[Exception]:
    """Instances of a class, with a code of each kind where it has one."""
    takes_code = issubclass(kind, aiosmtplib.SMTPResponseException)
    for code in (421, 450, 500, 550, -1) if takes_code else (0,):
        names = list(inspect.signature(kind).parameters) if kind in SMTP_ERRORS else []
        given: dict[str, Any] = {"code": code, "recipients": []}
        yield kind(*(given.get(name, "text") for name in names))


class Failing(aiosmtplib.SMTP):
    """A client whose conversation breaks at one command."""

    at: bytes = b""
    error: Exception

    async def execute_command(self, *args: bytes, timeout: Any = None) -> SMTPResponse:  # noqa: ASYNC109
        if self.at and args[0].startswith(self.at):
            raise self.error
        return await super().execute_command(*args, timeout=timeout)


async def connected(relay: Relay) -> Failing:
    client = Failing(hostname=HOST, port=relay.port, start_tls=False)
    await client.connect()
    await client.ehlo()
    return client


async def converse(client: aiosmtplib.SMTP) -> Receipt:
    try:
        await offer(client, mail())
        return await finish(client, HOST, 1)
    finally:
        client.close()


@pytest.mark.parametrize("kind", [*SMTP_ERRORS, *LOOP])
@pytest.mark.parametrize("command", [b"MAIL", b"RCPT", b"DATA", b"."])
async def test_whatever_breaks_in_a_conversation(start: Start, kind: type[Exception], command: bytes) -> None:
    relay = await start()
    for error in raised(kind):
        client = await connected(relay)
        client.at, client.error = command, error
        with pytest.raises(Ambiguous if command == b"." else Trouble) as caught:
            await converse(client)
        assert "text" not in str(caught.value)
    assert relay.mails == []


@pytest.mark.parametrize("kind", [*SMTP_ERRORS, *LOOP])
def test_whatever_breaks_at_the_door(kind: type[Exception]) -> None:
    assert issubclass(kind, _WIRE)


async def test_nothing_breaks(start: Start) -> None:
    relay = await start()
    assert await converse(await connected(relay)) == Receipt(HOST, "2.0.0 Ok: queued as 1")
    assert relay.mails == [CONTENT]
