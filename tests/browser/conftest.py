"""One browser for the tests of a module; where there is none they are skipped, or fail if one is required."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser import chromium


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    executable = chromium.find()
    if executable is None:
        reason = f"no Chromium at any of {', '.join(chromium.PLACES)}"
        if chromium.required():
            pytest.fail(f"{reason}, and NOTIFIER_REQUIRE_BROWSER is 1")
        pytest.skip(reason)
    async with chromium.launched(executable) as browser:
        yield browser
