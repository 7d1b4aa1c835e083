"""What the tests of several rooms stand on: a real store, settings with keys made for the run, a clock that is set."""

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from notifier.bells import connect
from notifier.config import Settings
from notifier.sandbox.valkey import EmbeddedValkey

API_KEY = "test-key"


@dataclass(slots=True)
class SetClock:
    """A clock that stands until it is moved. ms."""

    now: int = 1_790_000_000_000

    def __call__(self) -> int:
        return self.now

    def forward(self, *, ms: int = 0, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        self.now += ms + round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator[ArqRedis]:
    """An empty store."""
    client = connect(valkey.url, retries=1)
    await client.flushall()
    yield client
    await client.aclose(close_connection_pool=True)


def key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def environment(**changed: str) -> dict[str, str]:
    """The environment of a service: every setting that has no default."""
    return {
        "NOTIFIER_PUBLIC_URL": "https://notify.example.com",
        "NOTIFIER_BRAND": "Northbank",
        "NOTIFIER_FROM": "Northbank <security@northbank.example>",
        "NOTIFIER_SUPPORT_EMAIL": "help@northbank.example",
        "NOTIFIER_SMTP_URLS": "smtp://127.0.0.1:1",
        "NOTIFIER_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "NOTIFIER_TWILIO_AUTH_TOKEN": "twilio-token",
        "NOTIFIER_TWILIO_FROM": "+12025550100",
        "NOTIFIER_PLATFORM_URL": "http://127.0.0.1:1/webhooks",
        "NOTIFIER_PLATFORM_SECRETS": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "NOTIFIER_LINK_KEYS": key(),
        "NOTIFIER_CODE_KEYS": key(),
        "NOTIFIER_PAYLOAD_KEYS": key(),
        "NOTIFIER_API_KEYS": f"tests:{hashlib.sha256(API_KEY.encode()).hexdigest()}",
        **changed,
    }


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    for name, value in environment(NOTIFIER_DATA_DIR=str(tmp_path)).items():
        monkeypatch.setenv(name, value)
    from notifier.config import load

    return load()
