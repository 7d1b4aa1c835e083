"""Relays that refuse, are silent, break off, or ask to come again: mails go elsewhere, or again, or are given up."""

import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import trustme

from tests.faults.conftest import Hold
from tests.faults.relay import Fault as Wrong
from tests.faults.relay import at, drop, hang, reply, well
from tests.faults.trial import RELAY, Fault, Trial, start_worker
from tests.ports import HOST

# How long the next relay may have to wait for a mail.
_FAILOVER = 5
# That each worker keeps to a relay.
_CONNECTIONS = 8


async def refusing(trial: Trial) -> None:
    """Nobody listens at the preferred one."""
    await trial.warm()
    await trial.relay.down()
    await _by_the_next(trial)


async def silent(trial: Trial) -> None:
    """It takes connections and says nothing."""
    await _wrong(trial, at("connect", hang))
    await _by_the_next(trial)


async def a_byte_a_second(trial: Trial) -> None:
    """It says what it should, in its own time."""
    await _wrong(trial, well)
    trial.relay.pace = 1
    await _by_the_next(trial)


async def closing(trial: Trial) -> None:
    """421 where a mail begins: the relay goes away."""
    await _wrong(trial, at("MAIL", reply("421 4.3.2 Service not available")))
    await _by_the_next(trial)


async def breaking_off(trial: Trial) -> None:
    """The connection breaks where a mail's content would begin: it was not taken."""
    await _wrong(trial, at("DATA", drop))
    await _by_the_next(trial)


async def without_a_name(trial: Trial) -> None:
    """Its name does not resolve."""
    await start_worker(trial, "worker", preferred="smtp://relay.invalid:{}")
    await _started(trial)
    await _by_the_next(trial)


def with_a_certificate(name: str, end: datetime | None = None) -> Callable[[Trial], Awaitable[None]]:
    """Of this name and until then, from an authority that the worker trusts."""

    async def make(trial: Trial) -> None:
        authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trusted = trial.service.logs / "authority.pem"
        authority.cert_pem.write_to_path(trusted)
        authority.issue_cert(name, not_after=end).configure_cert(tls)
        preferred = f"{RELAY}?tls=tls"
        await start_worker(trial, "worker", preferred=preferred, tls=tls, SSL_CERT_FILE=str(trusted))
        await _started(trial)
        await _by_the_next(trial)
        # Not a word was said to it, not even in clear.
        assert not trial.relay.connected

    return make


async def _started(trial: Trial) -> None:
    """Until a worker sends: how long it takes to start is not counted."""
    await trial.arrived(await trial.post())


async def _wrong(trial: Trial, wrong: Wrong) -> None:
    """What is wrong begins while workers have connections to it, which break."""
    await trial.warm()
    trial.relay.fault = wrong
    for port in await trial.relay.down():
        await trial.relay.listen(port)


async def _by_the_next(trial: Trial) -> None:
    ids = await trial.burst(trial.size)
    await trial.arrived(*ids)
    slowest = max(trial.taken[id][0] - trial.accepted[id].began for id in ids)
    trial.notes.append(f"by the next relay within {slowest:.1f} s")
    assert slowest <= _FAILOVER


async def all_away(trial: Trial) -> None:
    """The only one is gone, and comes back."""
    ports = await trial.relay.down()
    await trial.burst(trial.size)
    await asyncio.sleep(4)
    for port in ports:
        await trial.relay.listen(port)


async def away_for_longer_than_codes_live(trial: Trial) -> None:
    """Not one of them is sent when it is back, and each is told as an error; what is still of use is sent."""
    ports = await trial.relay.down()
    trial.expired = trial.size
    await trial.burst(trial.size, "password_reset")
    await trial.settle()
    for port in ports:
        await trial.relay.listen(port)
    await trial.burst(trial.size)


async def asking_to_come_again(trial: Trial) -> None:
    """Each mail is refused for now, once."""
    later = reply("450 4.2.1 Greylisted", "451 4.3.0 Local error", "452 4.3.1 Full", "454 4.7.0 Not now")
    trial.relay.fault = at("RCPT", later, times=trial.size)
    await trial.burst(trial.size)


async def refusing_for_good(trial: Trial) -> None:
    """Each is given up at once, told by its status, and nothing else is."""
    never = reply("550 5.1.1 No such user", "552 5.2.2 Over quota", "553 5.1.3 Bad address", "554 5.7.1 Rejected")
    trial.relay.fault = at("RCPT", never, times=trial.size)
    trial.dead = trial.size
    await trial.burst(trial.size)
    await trial.settle()
    await trial.burst(trial.size)


async def refusing_until_replayed(trial: Trial) -> None:
    """It takes nothing from us for some time; once that is mended the operator sends what was given up on its way."""
    trial.relay.fault = at("RCPT", reply("550 5.7.1 Listed"), times=trial.size)
    await trial.burst(trial.size)
    await trial.settle()
    listed = await _notifier(trial, "list", "--json")
    assert {json.loads(line)["id"] for line in listed} == set(trial.accepted)
    assert len(await _notifier(trial, "replay", "--all")) == trial.size


async def _notifier(trial: Trial, *words: str) -> list[str]:
    """What the command answers about dead letters."""
    command = [sys.executable, "-m", "notifier", "dead-letters", *words]
    done = await asyncio.to_thread(
        subprocess.run, command, env=trial.service.environment, capture_output=True, text=True, check=True
    )
    return str(done.stdout).splitlines()


async def hanging_after_the_dot(trial: Trial) -> None:
    """They are taken, and no word is said: nobody can know."""
    await _unanswered(trial, at("kept", hang, times=trial.size))


async def dropping_after_the_dot(trial: Trial) -> None:
    """Some are taken, and the connection breaks."""
    await _unanswered(trial, at("kept", drop, times=_CONNECTIONS))


async def dropping_all_after_the_dot(trial: Trial) -> None:
    """It takes every mail and says so for none: after a few it is known for that, and the next relay has the others.

    What is on the wire when it is found out, and a probe now and then, is sent again once it is well.
    """
    await _wrong(trial, at("kept", drop))
    trial.may_double = 2 * _CONNECTIONS * len(trial.workers)
    ids = await trial.burst(trial.size)
    await trial.arrived(*ids)
    trial.relay.fault = well


async def _unanswered(trial: Trial, wrong: Wrong) -> None:
    """Each is sent again, once, later, to nobody else at once."""
    trial.relay.fault = wrong
    trial.may_double = trial.size
    ids = await trial.burst(trial.size)
    await trial.arrived(*ids)
    assert not any(id in trial.taken and len(trial.taken[id]) > 1 for id in ids)


FAULTS = (
    Fault("preferred relay refuses", refusing, short=0, full=100, relays=2),
    Fault("preferred relay silent at connect", silent, short=20, full=100, relays=2),
    Fault("preferred relay says a byte a second", a_byte_a_second, short=0, full=100, relays=2),
    Fault("preferred relay answers 421", closing, short=20, full=100, relays=2),
    Fault("preferred relay drops before the dot", breaking_off, short=20, full=100, relays=2),
    Fault("preferred relay's name does not resolve", without_a_name, short=0, full=100, relays=2, workers=0),
    Fault(
        "preferred relay's certificate has expired",
        with_a_certificate(HOST, datetime(2020, 1, 1, tzinfo=UTC)),
        short=0,
        full=100,
        relays=2,
        workers=0,
    ),
    Fault(
        "preferred relay's certificate is another's",
        with_a_certificate("relay.example"),
        short=0,
        full=100,
        relays=2,
        workers=0,
    ),
    Fault("preferred relay drops after every dot", dropping_all_after_the_dot, short=0, full=200, relays=2),
    Fault("only relay away for 4 s", all_away, short=0, full=300),
    Fault(
        "only relay away for longer than codes live",
        away_for_longer_than_codes_live,
        short=20,
        full=200,
        settings={"NOTIFIER_CODE_LIFE": "5"},
    ),
    Fault("relay answers 450, 451, 452, 454", asking_to_come_again, short=0, full=200),
    Fault("relay answers 550, 552, 553, 554", refusing_for_good, short=20, full=200),
    Fault("relay answers 550 to all, then all is replayed", refusing_until_replayed, short=0, full=200),
    Fault("relay hangs after the dot", hanging_after_the_dot, short=0, full=6, workers=1),
    Fault("relay drops after the dot", dropping_after_the_dot, short=0, full=100),
)


async def test_nothing_is_lost(fault: Fault, hold: Hold) -> None:
    tally = await hold(fault)
    assert (tally.lost, tally.waiting, tally.unaccounted) == (0, 0, 0), tally
