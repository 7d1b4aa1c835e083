"""The preview pages over copied catalogs, as a browser asks for them."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from notifier.assets import assets
from notifier.catalogs.samples import sample_voice
from notifier.console.serving import application
from tests.rendering.books import copied

VOICE = sample_voice("Northbank", "https://notify.northbank.example")
LOCALES = ("en", "sq", "ru", "nb")


@pytest.fixture
def locales(tmp_path: Path) -> Path:
    return copied(tmp_path / "locales", *LOCALES)


@pytest.fixture
async def web(locales: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(assets("templates"), locales, VOICE))
    async with httpx.AsyncClient(transport=transport, base_url="http://preview") as web:
        yield web
