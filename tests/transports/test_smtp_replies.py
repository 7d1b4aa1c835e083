"""Each answer of a relay: whether it is about the mail, and then for how long, or about the relay itself."""

import pytest

from notifier.transports.base import Deferred, Mail, Permanent
from notifier.transports.replies import Step, Trouble, enhanced_status, refusal
from tests.transports.conftest import Start, To
from tests.transports.test_smtp import CONTENT, mail

DEAD, ALIVE = True, False


@pytest.mark.parametrize("code", [450, 451, 452, 454])
@pytest.mark.parametrize("where", ["at_mail", "at_rcpt", "at_data"])
async def test_not_now(start: Start, to: To, code: int, where: str) -> None:
    relay, other = await start(), await start()
    getattr(relay, where).append(f"{code} 4.3.0 arta@mail.example: later")
    transport = to(relay.at(), other.at())
    with pytest.raises(Deferred) as caught:
        await transport.send(mail())
    assert (caught.value.reason, str(caught.value), caught.value.status) == (f"smtp_{code}", f"smtp_{code}", "4.3.0")
    # It was spoken to, and its word holds; the next attempt finds it again, as greylisting wants it.
    assert (relay.mails, other.mails) == ([], [])
    assert transport.health()[0].state == "closed"
    await transport.send(mail())
    assert relay.mails == [CONTENT]


@pytest.mark.parametrize("code", [500, 550, 552, 553, 554])
@pytest.mark.parametrize("where", ["at_mail", "at_rcpt", "at_data"])
async def test_never(start: Start, to: To, code: int, where: str) -> None:
    relay, other = await start(), await start()
    getattr(relay, where).append(f"{code} 5.1.1 arta@mail.example: no")
    transport = to(relay.at(), other.at())
    with pytest.raises(Permanent) as caught:
        await transport.send(mail())
    assert (caught.value.reason, str(caught.value), caught.value.status) == (f"smtp_{code}", f"smtp_{code}", "5.1.1")
    # What is refused at MAIL is our own address.
    assert caught.value.dead_address is (where != "at_mail")
    assert other.connections == []
    # The refusal was of this mail alone, so the connection serves the next.
    await transport.send(mail())
    assert (relay.mails, len(relay.connections)) == ([CONTENT], 1)


async def test_a_thousand_refusals_are_no_reason_to_stay_away(start: Start, to: To) -> None:
    relay = await start()
    relay.at_rcpt += ["550 5.1.1 no"] * 30 + ["450 4.2.0 later"] * 30
    transport = to(relay.at())
    for _ in range(60):
        with pytest.raises((Permanent, Deferred)):
            await transport.send(mail())
    await transport.send(mail())
    assert (relay.mails, len(relay.connections)) == ([CONTENT], 1)


@pytest.mark.parametrize(
    ("step", "code", "text", "status", "dead"),
    [
        ("rcpt", 550, "5.1.1 User unknown", "5.1.1", DEAD),
        ("rcpt", 550, "5.1.0 Address rejected", "5.1.0", DEAD),
        ("rcpt", 550, "5.1.2 no such domain", "5.1.2", DEAD),
        ("rcpt", 501, "5.1.3 Bad recipient address syntax", "5.1.3", DEAD),
        ("rcpt", 551, "5.1.6 moved", "5.1.6", DEAD),
        ("rcpt", 556, "5.1.10 null MX", "5.1.10", DEAD),
        ("rcpt", 550, "5.2.1 mailbox disabled", "5.2.1", DEAD),
        ("dot", 550, "5.1.1 User unknown", "5.1.1", DEAD),
        ("data", 554, "5.1.1 no valid recipients", "5.1.1", DEAD),
        ("rcpt", 550, "No such user here", None, DEAD),
        ("rcpt", 551, "not local", None, DEAD),
        ("rcpt", 553, "", None, DEAD),
        ("rcpt", 550, "5.1.1x is no status", None, DEAD),
        ("rcpt", 550, "4.1.1 does not agree", None, DEAD),
        ("dot", 550, "message refused", None, ALIVE),
        ("data", 550, "no", None, ALIVE),
        ("mail", 550, "sender refused", None, ALIVE),
        ("mail", 550, "5.1.0 sender refused", "5.1.0", ALIVE),
        ("rcpt", 550, "5.7.1 blocked for spam", "5.7.1", ALIVE),
        ("rcpt", 554, "5.7.1 relay access denied", "5.7.1", ALIVE),
        ("rcpt", 552, "5.2.2 mailbox full", "5.2.2", ALIVE),
        ("rcpt", 550, "5.1.8 bad sender domain", "5.1.8", ALIVE),
        ("rcpt", 550, "5.1.11 no", "5.1.11", ALIVE),
        ("rcpt", 554, "no", None, ALIVE),
        ("rcpt", 552, "full", None, ALIVE),
        ("dot", 552, "5.3.4 message too big", "5.3.4", ALIVE),
        ("rcpt", 571, "odd", None, ALIVE),
    ],
)
def test_what_is_refused_for_good(step: Step, code: int, text: str, status: str | None, dead: bool) -> None:
    error = refusal(code, text, step)
    assert isinstance(error, Permanent)
    assert (error.reason, error.status, error.dead_address) == (f"smtp_{code}", status, dead)


@pytest.mark.parametrize(
    ("code", "text", "status"),
    [
        (450, "4.2.0 greylisted", "4.2.0"),
        (451, "4.7.1 come again", "4.7.1"),
        (452, "4.5.3 too many recipients", "4.5.3"),
        (452, "4.2.2 over quota", "4.2.2"),
        (432, "4.7.12 password transition", "4.7.12"),
        (454, "later", None),
        (499, "", None),
    ],
)
@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
def test_what_is_deferred(step: Step, code: int, text: str, status: str | None) -> None:
    error = refusal(code, text, step)
    assert isinstance(error, Deferred)
    assert (error.reason, error.status, error.retry_after) == (f"smtp_{code}", status, None)


@pytest.mark.parametrize("code", [421, 530, 534, 535, 538, -1, 0, 99, 100, 220, 299, 300, 354, 399, 600, 999])
@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
def test_what_is_the_relay_s_own_trouble(step: Step, code: int) -> None:
    assert isinstance(refusal(code, "5.1.1 text", step), Trouble)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("5.1.1", "5.1.1"),
        ("5.1.1\nmore", "5.1.1"),
        ("5.123.123 x", "5.123.123"),
        ("5.1234.1 x", None),
        ("5.1.1.1 x", None),
        ("see 5.1.1", None),
        ("2.1.1 x", None),
        ("5.١.١ x", None),
    ],
)
def test_a_status_is_what_an_answer_begins_with(text: str, status: str | None) -> None:
    assert enhanced_status(550, text) == status


async def test_an_address_that_is_told_is_repeated_nowhere(
    start: Start, to: To, capsys: pytest.CaptureFixture[str]
) -> None:
    relay = await start()
    text = "arta@mail.example said s3cret"
    relay.at_rcpt += [f"550 5.1.1 {text}", f"450 {text}", f"421 {text}", f"421 {text}"]
    transport = to(relay.at())
    told = []
    for _ in range(3):
        with pytest.raises(Exception) as caught:  # noqa: PT011  # of any kind
            await transport.send(Mail("security@northbank.example", "arta@mail.example", "<1@x>", CONTENT))
        told += [str(caught.value), repr(caught.value), repr(caught.value.__dict__), repr(caught.value.__context__)]
    told += [*capsys.readouterr(), repr(transport.health())]
    assert not [line for line in told if "arta" in line or "s3cret" in line]
