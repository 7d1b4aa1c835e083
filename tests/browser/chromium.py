"""Where a Chromium is on this machine, and how it is started: without a sandbox of its own, and calling nobody."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

PLACES = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "google-chrome")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find() -> Path | None:
    found = next(filter(None, map(shutil.which, PLACES)), None)
    return Path(found) if found else None


def required() -> bool:
    """Whether tests fail rather than are skipped where there is none."""
    return os.environ.get("NOTIFIER_REQUIRE_BROWSER") == "1"


@asynccontextmanager
async def launched(executable: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()
