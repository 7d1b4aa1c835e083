"""What the tests of several rooms stand on: a real store, settings with keys made for the run, a clock that is set."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
from arq.connections import ArqRedis

from notifier.clock import system_clock
from notifier.composition import started
from notifier.config import Settings
from notifier.sandbox.valkey import EmbeddedValkey
from notifier.store import connect
from tests.ports import reserved
from tests.service import environment

# An example is slow because the machine is.
hypothesis.settings.register_profile("unhurried", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("unhurried")


def pytest_collection_finish() -> None:
    """All tests are millions of objects, which stay. Looking through them held this process up for seconds, longer than
    a relay or Twilio is waited for.
    """
    started()


@dataclass(slots=True)
class SetClock:
    """A clock that stands until it is moved. ms."""

    now: int

    def __call__(self) -> int:
        return self.now

    def forward(
        self, *, ms: int = 0, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> None:
        self.now += ms + round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)


@pytest.fixture
def clock() -> SetClock:
    # Not a time of our choice: the store, which is real, drops a record whose end has passed by its own clock.
    return SetClock(system_clock())


@pytest.fixture
def port() -> Iterator[int]:
    """Where nobody listens yet."""
    with reserved() as port:
        yield port


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator[ArqRedis]:
    """An empty store."""
    client = connect(valkey.url, patient=False)
    await client.flushall()
    yield client
    await client.aclose(close_connection_pool=True)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    for name, value in environment(NOTIFIER_DATA_DIR=str(tmp_path)).items():
        monkeypatch.setenv(name, value)
    from notifier.config import load

    return load()
