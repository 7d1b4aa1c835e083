"""`/docs` and the pages of errors in a browser: whole under their policy, with nothing from anywhere else."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, expect

from notifier.api.problems import TABLE
from tests.api.conftest import Served, served

__all__ = ["served"]
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", params=["light", "dark"])
async def context(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[BrowserContext]:
    """An engineer's browser, which complains of nothing and asks nobody else."""
    context = await browser.new_context(color_scheme=request.param)
    heard: list[str] = []
    context.on("console", lambda message: heard.append(message.text) if message.type in ("error", "warning") else None)
    context.on("weberror", lambda error: heard.append(str(error.error)))
    context.on("request", lambda request: hosts.add(urlsplit(request.url).hostname or "data"))
    hosts: set[str] = set()
    try:
        yield context
    finally:
        await context.close()
    assert heard == []
    assert hosts <= {"127.0.0.1", "data"}


async def test_the_documentation_is_shown_and_tried_out(context: BrowserContext, served: Served) -> None:
    page = await context.new_page()
    await page.goto(f"{served.url}/docs")
    await expect(page.get_by_role("heading", name="notifier")).to_be_visible(timeout=15_000)
    await expect(page.locator(".opblock").nth(14)).to_be_visible()
    await page.locator("#operations-Events-postEvent .opblock-summary-control").click()
    await expect(page.locator("#operations-Events-postEvent")).to_contain_text("account.login_succeeded")
    alive = page.locator("#operations-Health-isAlive")
    await alive.locator(".opblock-summary-control").click()
    await alive.get_by_role("button", name="Try it out").click()
    await alive.get_by_role("button", name="Execute").click()
    await expect(alive.locator(".live-responses-table")).to_contain_text('"status": "ok"')


async def test_an_error_is_explained_and_leads_to_the_others(context: BrowserContext, served: Served) -> None:
    page = await context.new_page()
    await page.goto(f"{served.url}/problems/event-conflict")
    await expect(page.get_by_role("heading")).to_have_text("This source and id were taken by another event")
    await page.get_by_role("link", name="All errors").click()
    await expect(page.get_by_role("article")).to_have_count(len(TABLE))
    await page.get_by_role("link", name="Fields are wrong").click()
    await expect(page).to_have_url(f"{served.url}/problems/invalid")
