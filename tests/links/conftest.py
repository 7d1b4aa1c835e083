"""What the tests of links stand on: the table, keys of the run, a ledger on the real store, and links of any kind."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from links.actions import Actions
from links.ledger import Ledger, Link
from links.purposes import Purpose, purposes
from links.tokens import Tokens
from tests.conftest import SetClock

MakeLink = Callable[..., Link]


@pytest.fixture
def table() -> Mapping[str, Purpose]:
    return purposes()


@pytest.fixture
def keys() -> list[bytes]:
    return [secrets.token_bytes(32) for _ in range(3)]


@pytest.fixture
def tokens(keys: list[bytes], table: Mapping[str, Purpose], clock: SetClock) -> Tokens:
    return Tokens(keys, table, clock)


@pytest.fixture
def ledger(redis: ArqRedis, table: Mapping[str, Purpose]) -> Ledger:
    return Ledger(
        redis,
        table.values(),
        reactivation_delay=timedelta(hours=2),
        keep=timedelta(days=8),
        keep_audit=timedelta(days=90),
    )


@pytest.fixture
def link(table: Mapping[str, Purpose], clock: SetClock) -> MakeLink:
    """A link issued now, of account `acc`; each has an identity of its own."""

    def make(purpose: str = "deactivate", **changed: object) -> Link:
        row = table[purpose]
        made = Link(
            purpose=row,
            identity=row.letter + secrets.token_hex(13),
            account="acc",
            issued=clock.now,
            expires=clock.now + round(row.life.total_seconds() * 1000),
            subject="subject" if row.supersedes and purpose != "reactivate" else None,
        )
        return replace(made, **changed)  # type: ignore[arg-type]  # the fields of Link

    return make


def actions_of(ledger: Ledger) -> Actions:
    """The actions that were consumed in this ledger."""
    return Actions(ledger._redis, keep=timedelta(days=8), keep_audit=timedelta(days=90))


async def is_due(ledger: Ledger, now: int) -> bool:
    _, first = await actions_of(ledger).waiting()
    return first is not None and first <= now
