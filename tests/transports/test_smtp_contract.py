"""Whatever a connection, and aiosmtplib at the door, can do at any step: the vocabulary of transports comes out."""

import asyncio
from collections.abc import Sequence

import aiosmtplib
import pytest
from aiosmtplib import errors

from notifier.transports.base import Ambiguous, Receipt
from notifier.transports.conversation import finish, offer
from notifier.transports.line import Broken, Line, Malformed, Reply
from notifier.transports.relay import _WIRE
from notifier.transports.replies import Trouble
from tests.ports import HOST
from tests.transports.conftest import Relay, Start
from tests.transports.test_contract import LOOP, exceptions
from tests.transports.test_smtp import CONTENT, mail

SMTP_ERRORS = exceptions(errors, aiosmtplib.SMTPException)


class Failing(Line):
    """A connection that breaks at one command."""

    at: bytes = b""
    error: Exception

    def say(self, *commands: bytes) -> Sequence[asyncio.Future[Reply]]:
        replies = super().say(*commands)
        for command, reply in zip(commands, replies, strict=True):
            if self.at and command.startswith(self.at):
                reply.set_exception(self.error)
        return replies


async def connected(relay: Relay) -> Failing:
    client = aiosmtplib.SMTP(hostname=HOST, port=relay.port, start_tls=False)
    await client.connect()
    await client.ehlo()
    return Failing(client)


async def converse(line: Line) -> Receipt:
    try:
        await offer(line, mail())
        return await finish(line, HOST, 1)
    finally:
        line.abort()


@pytest.mark.parametrize("error", [Broken(), Malformed()], ids=["broken", "malformed"])
@pytest.mark.parametrize("command", [b"MAIL", b"RCPT", b"DATA", b"."])
@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
async def test_whatever_breaks_in_a_conversation(start: Start, error: Exception, command: bytes, at_once: bool) -> None:
    relay = await start()
    line = await connected(relay)
    line.at, line.error, line.at_once = command, error, at_once
    with pytest.raises(Ambiguous if command == b"." else Trouble):
        await converse(line)
    if command != b".":
        assert relay.mails == []


@pytest.mark.parametrize("kind", [*SMTP_ERRORS, *LOOP])
def test_whatever_breaks_at_the_door(kind: type[Exception]) -> None:
    assert issubclass(kind, _WIRE)


async def test_nothing_breaks(start: Start) -> None:
    relay = await start()
    assert await converse(await connected(relay)) == Receipt(HOST, "2.0.0 Ok: queued as 1")
    assert relay.mails == [CONTENT]
