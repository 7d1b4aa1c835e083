"""Addresses beyond ASCII (RFC 6531): only to relays that announce that they take them, as raw UTF-8."""

import pytest

from notifier.transports.base import Deferred, Mail, Permanent, Transient
from tests.transports.conftest import Crook, Start, To
from tests.transports.test_smtp import CONTENT, mail

ADDRESS = "ёлка@xn--e1afmkfd.xn--p1ai"
UTF8 = f"From: a@x.example\r\nTo: {ADDRESS}\r\nSubject: s\r\n\r\nHello\r\n".encode()


def international() -> Mail:
    return Mail("security@northbank.example", ADDRESS, "<1@northbank.example>", UTF8)


async def test_a_relay_that_announces_it_takes_it(start: Start, to: To) -> None:
    relay = await start(utf8=True)
    transport = to(relay.at())
    await transport.send(international())
    await transport.send(mail())
    assert relay.recipients == [ADDRESS, "arta@mail.example"]
    assert relay.mails == [UTF8, CONTENT]
    # Said only where it is needed.
    assert relay.options == [["BODY=8BITMIME", "SMTPUTF8"], []]


async def test_the_address_is_sent_as_it_is(crook: Crook, to: To) -> None:
    relay = await crook(None, "8BITMIME", "SMTPUTF8")
    await to(relay.at()).send(international())
    assert relay.commands[1:3] == [
        b"MAIL FROM:<security@northbank.example> BODY=8BITMIME SMTPUTF8\r\n",
        f"RCPT TO:<{ADDRESS}>\r\n".encode(),
    ]
    assert relay.mails == [UTF8]


@pytest.mark.parametrize("extensions", [("8BITMIME",), ("SMTPUTF8",), ("SIZE",)])
async def test_others_are_passed_over_and_harmed_in_nothing(
    start: Start, crook: Crook, to: To, extensions: tuple[str, ...]
) -> None:
    relay, other = await crook(None, *extensions), await start(utf8=True)
    transport = to(relay.at(), other.at())
    for _ in range(10):
        await transport.send(international())
    assert other.mails == [UTF8] * 10
    assert transport.health()[0].state == "closed"
    await transport.send(mail())
    assert (relay.mails, relay.connections) == ([CONTENT], 1)
    assert b"MAIL" not in b"".join(relay.commands[:-3])


async def test_where_none_takes_it_it_is_never(start: Start, to: To) -> None:
    relays = [await start(), await start()]
    with pytest.raises(Permanent, match=r"^smtputf8_not_supported$") as caught:
        await to(*(relay.at() for relay in relays)).send(international())
    # The address may be well, and reached otherwise.
    assert (caught.value.dead_address, caught.value.status) == (False, None)


async def test_where_one_is_away_it_is_not_now(start: Start, crook: Crook, to: To) -> None:
    relay, away = await start(), await crook({"greeting": "drop"})
    with pytest.raises(Transient, match=r"^no_relay_reachable$"):
        await to(relay.at(), away.at()).send(international())


async def test_a_relay_s_answer_about_it_holds(start: Start, to: To) -> None:
    relay, other = await start(utf8=True), await start(utf8=True)
    relay.at_rcpt += ["450 4.2.0 later", "553 5.6.7 non-ASCII addresses not permitted"]
    transport = to(relay.at(), other.at())
    with pytest.raises(Deferred):
        await transport.send(international())
    with pytest.raises(Permanent) as caught:
        await transport.send(international())
    assert (caught.value.status, caught.value.dead_address, other.mails) == ("5.6.7", False, [])
