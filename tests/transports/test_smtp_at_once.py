"""A relay that takes commands at once (RFC 2920) gets them so, and what it answers to each is still told apart."""

import asyncio

import pytest

from notifier.transports.base import Deferred, Permanent, Transient
from tests.transports.conftest import Crook, Crooked, To
from tests.transports.test_smtp import mail

ENVELOPE = [b"MAIL", b"RCPT", b"DATA\r\n"]


async def relay_of(crook: Crook, faults: dict[str, str | bytes] | None = None) -> Crooked:
    relay = await crook(faults or {})
    relay.extensions = ("8BITMIME", "PIPELINING")
    return relay


def said(relay: Crooked) -> list[bytes]:
    return [command.split(b" ")[0] for command in relay.commands[1:]]


async def test_a_kept_connection_shows_that_it_is_there_beside_the_next_mail(crook: Crook, to: To) -> None:
    relay = await relay_of(crook)
    transport = to(relay.at())
    await transport.send(mail())
    await transport.send(mail())
    assert len(relay.mails) == 2
    assert relay.connections == 1
    assert said(relay) == [*ENVELOPE, b"RSET\r\n", *ENVELOPE]


@pytest.mark.parametrize(
    ("command", "answer", "raises"),
    [
        ("MAIL", b"450 later\r\n", Deferred),
        ("MAIL", b"550 no\r\n", Permanent),
        ("RCPT", b"450 later\r\n", Deferred),
        ("RCPT", b"550 5.1.1 nobody\r\n", Permanent),
    ],
)
async def test_what_is_refused_leaves_the_connection_for_the_next_mail(
    crook: Crook, to: To, command: str, answer: bytes, raises: type[Exception]
) -> None:
    relay = await relay_of(crook, {command: answer, "DATA": b"503 no valid recipients\r\n"})
    transport = to(relay.at())
    with pytest.raises(raises) as caught:
        await transport.send(mail())
    # Of three answers that of the command which was refused first counts.
    assert getattr(caught.value, "reason", "") == f"smtp_{answer[:3].decode()}"
    assert relay.mails == []


async def test_a_relay_that_waits_for_the_content_of_a_refused_mail_is_left(crook: Crook, to: To) -> None:
    relay = await relay_of(crook, {"RCPT": b"550 5.1.1 nobody\r\n"})
    transport = to(relay.at())
    with pytest.raises(Permanent):
        await transport.send(mail())
    relay.faults.clear()
    await transport.send(mail())
    # Nothing of the second went into the content of the first.
    assert relay.connections == 2
    assert len(relay.mails) == 1


async def test_connections_that_went_silent_cost_one_second(crook: Crook, to: To) -> None:
    relay = await relay_of(crook, {"RSET": "silent"})
    transport = to(relay.at())
    await asyncio.gather(*(transport.send(mail()) for _ in range(3)))
    began = asyncio.get_running_loop().time()
    await transport.send(mail())
    assert asyncio.get_running_loop().time() - began < 1.5
    assert len(relay.mails) == 4
    assert relay.commands.count(b"RSET\r\n") == 1


async def test_a_silent_relay_is_given_up(crook: Crook, to: To) -> None:
    relay = await relay_of(crook, {"RCPT": "silent"})
    with pytest.raises(Transient, match="no_relay_reachable"):
        await to(relay.at()).send(mail())
    assert relay.mails == []
