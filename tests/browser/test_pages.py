"""The owner's way in a real browser, scripts off: the mail, its red button, the page, its one button, the truth after.

Before the owner comes whoever opens every link of a mail; whatever is opened loads nothing from anywhere else.
"""

import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Route, expect

from notifier.assets import assets
from notifier.rendering.i18n import Catalogs
from notifier.sandbox.tour import event
from tests.ports import HOST
from tests.service import Service, running, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

DELAY_S = 2
LOCALES = {"en": "en", "sq": "sq", "no": "nb", "ru": "ru", "sv": "sv"}
_numbers = itertools.count(1)
_LONG = "W" * 90  # a word that nothing breaks but CSS
# Chromium's own remark on a page with a status such as 409, which is how ours are meant.
_STATUS_REMARK = "Failed to load resource: the server responded with a status of"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with running(tmp_path_factory.mktemp("pages"), NOTIFIER_REACTIVATION_DELAY=str(DELAY_S)) as service:
        yield service


@dataclass
class Visitor:
    """A browser of its own, and everything it asked for or complained of."""

    context: BrowserContext
    page: Page
    elsewhere: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def attach(self) -> None:
        self.context.on("console", self._heard)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_STATUS_REMARK):
            self.complaints.append(message.text)

    async def guard(self, route: Route) -> None:
        """Lets through what is ours or on disk; the rest is noted and goes nowhere."""
        url = urlsplit(route.request.url)
        if url.scheme in ("file", "data") or url.hostname == HOST:
            await route.continue_()
        else:
            self.elsewhere.append(route.request.url)
            await route.abort()


@asynccontextmanager
async def visitor(browser: Browser, *, scripts: bool = False, width: int = 375) -> AsyncIterator[Visitor]:
    """Someone whose visits end without a complaint of the browser, and without a request to anyone else."""
    context = await browser.new_context(java_script_enabled=scripts, viewport={"width": width, "height": 667})
    visitor = Visitor(context, await context.new_page())
    visitor.attach()
    await context.route("**/*", visitor.guard)
    try:
        yield visitor
    finally:
        await context.close()
    assert visitor.elsewhere == []
    assert visitor.complaints == []


@dataclass(frozen=True)
class Letter:
    """A mail that arrived, and whose it is."""

    account: str
    email: str
    phone: str
    mail: EmailMessage
    file: Path

    def body(self, kind: str) -> str:
        part = self.mail.get_body((kind,))
        assert part
        return str(part.get_content()).replace("\r\n", "\n")

    def links(self) -> list[str]:
        return re.findall(r"^http\S+/l/\S+$", self.body("plain"), re.MULTILINE)

    def link(self, letter: str) -> str:
        return next(link for link in self.links() if f"/l/{letter}" in link)

    @property
    def code(self) -> str:
        found = re.search(r"\b\d{6}\b", self.body("plain"))
        assert found
        return found.group()


async def sent(service: Service, folder: Path, notice: str, locale: str = "en", **context: str) -> Letter:
    """An event about an account of its own, and the mail that came of it, saved as a mail program shows it."""
    number = next(_numbers)
    account, email, phone = f"acct-{number}", f"owner{number}@mail.example", f"+4474001{number:05}"
    document: dict[str, Any] = event(notice, locale, str(number)).cloudevent()
    document["subject"] = account
    document["data"]["recipient"] |= {"email": email, "phone": phone}
    document["data"]["context"] |= context
    answer = await service.api.post("/v1/events", json=document)
    assert answer.status_code == 202, answer.text
    mail = await until(lambda: next(iter(service.mails(email)), None))
    letter = Letter(account, email, phone, mail, folder / f"{number}.html")
    letter.file.write_text(letter.body("html"), "utf-8")
    return letter


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


async def press(page: Page, letter: Letter) -> None:
    """The page's one button, with the code of the message where the page asks for it, up to the page that answers."""
    await expect(page.get_by_role("button")).to_have_count(1)
    if await page.locator("#code").count():
        await page.locator("#code").fill(letter.code)
    async with page.expect_navigation():
        await page.get_by_role("button").click()


async def fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


async def test_from_the_mail_to_done(service: Service, browser: Browser, tmp_path: Path) -> None:
    letter = await sent(service, tmp_path, "login_succeeded")
    async with visitor(browser) as owner:
        page = owner.page
        await page.goto(letter.file.as_uri())
        await expect(heading(page)).to_have_text("Successful sign-in")
        await page.get_by_role("link", name="Deactivate my account").click()

        await expect(heading(page)).to_have_text("Deactivate your account?")
        for fact in ("o•••@mail.example", "Chrome 131 on Windows", "Leeds, United Kingdom", "203.0.113.24"):
            await expect(page.get_by_role("main")).to_contain_text(fact)
        assert service.actions(letter.account) == []
        await press(page, letter)

        await expect(heading(page)).to_have_text("Your account is deactivated")
        await expect(page.get_by_role("main")).to_contain_text("You can undo this from")
        await expect(page.get_by_role("button")).to_have_count(0)
        assert [action["type"] for action in service.actions(letter.account)] == ["account.deactivation_confirmed"]

        # A second look, by the mail's own link.
        await page.goto(letter.file.as_uri())
        await page.get_by_role("link", name="Deactivate my account").click()
        await expect(heading(page)).to_have_text("Your account is deactivated")
        await expect(page.get_by_role("button")).to_have_count(0)
        assert len(service.actions(letter.account)) == 1


async def test_by_keyboard_alone(service: Service, browser: Browser, tmp_path: Path) -> None:
    letter = await sent(service, tmp_path, "login_succeeded")
    async with visitor(browser) as owner:
        page = owner.page
        await page.goto(letter.file.as_uri())
        await tab_to(page, page.get_by_role("link", name="Deactivate my account"))
        await page.keyboard.press("Enter")
        await expect(heading(page)).to_have_text("Deactivate your account?")
        button = page.get_by_role("button", name="Deactivate my account")
        await tab_to(page, button)
        await expect(button).to_have_css("outline-style", "solid")
        await page.keyboard.press("Enter")
        await expect(heading(page)).to_have_text("Your account is deactivated")
    assert len(service.actions(letter.account)) == 1


async def tab_to(page: Page, target: Locator) -> None:
    for _ in range(10):
        await page.keyboard.press("Tab")
        if await target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail("Tab does not come to it")


async def test_after_a_scanner_everything_still_works(service: Service, browser: Browser, tmp_path: Path) -> None:
    letter = await sent(service, tmp_path, "withdrawal_confirmation")
    text = await until(lambda: next(iter(service.texts(letter.phone)), None))
    short = re.search(r"http\S+/l/\S+", text)
    assert short
    links = [*letter.links(), short.group()]
    assert len(links) == 4
    await scan(browser, service.browser, letter, links)
    assert service.actions(letter.account) == []

    async with visitor(browser) as owner:
        page = owner.page
        await page.goto(letter.file.as_uri())
        await page.get_by_role("link", name="Confirm the withdrawal").click()
        await expect(heading(page)).to_have_text("Confirm this withdrawal?")
        await press(page, letter)
        await expect(heading(page)).to_have_text("The withdrawal is confirmed")

        await page.goto(letter.file.as_uri())
        await page.get_by_role("link", name="Deactivate my account").click()
        await press(page, letter)
        await expect(heading(page)).to_have_text("Your account is deactivated")

        # The scanner comes again, at the worst time, and then the owner goes back.
        await scan(browser, service.browser, letter, links)
        again: httpx.Response = await until(lambda: opened(service.browser, letter.link("r")), DELAY_S + 20)
        assert "Reactivate your account?" in again.text
        await scan(browser, service.browser, letter, links)
        await page.goto(letter.file.as_uri())
        await page.get_by_role("link", name="Confirm reactivation").click()
        await expect(heading(page)).to_have_text("Reactivate your account?")
        await press(page, letter)
        await expect(heading(page)).to_have_text("Your account is active again")
    assert [action["type"] for action in service.actions(letter.account)] == [
        "withdrawal.confirmed",
        "account.deactivation_confirmed",
        "account.reactivation_confirmed",
    ]


async def opened(http: httpx.AsyncClient, link: str) -> httpx.Response | None:
    response = await http.get(link)
    return response if response.is_success else None


async def scan(browser: Browser, http: httpx.AsyncClient, letter: Letter, links: list[str]) -> None:
    """Opens every link of a mail, as a machine and as a browser with scripts, and every link found there."""
    for link in links:
        await http.head(link)
        await http.get(link)
    async with visitor(browser, scripts=True) as scanner:
        page = scanner.page
        await page.goto(letter.file.as_uri())
        found: list[str] = await page.locator("a").evaluate_all("all => all.map(a => a.href)")
        assert set(letter.links()) <= set(found)
        waiting, seen = [*links, *found], set[str]()
        while waiting:
            link = waiting.pop()
            if link in seen or urlsplit(link).hostname != HOST:
                continue
            seen.add(link)
            await page.goto(link)
            waiting += await page.locator("a").evaluate_all("all => all.map(a => a.href)")
        assert len(seen) == len(links) * (1 + len(Catalogs(assets("locales")).locales))


async def test_the_language_can_be_changed_and_stays(service: Service, browser: Browser, tmp_path: Path) -> None:
    letter = await sent(service, tmp_path, "login_succeeded", "sv")
    async with visitor(browser) as owner:
        page = owner.page
        await page.goto(letter.link("d"))
        await expect(page.locator("html")).to_have_attribute("lang", "sv")
        await expect(page.locator("nav a[aria-current]")).to_have_text("Svenska")
        for locale in LOCALES.values():
            await page.locator(f'nav a[lang="{locale}"]').click()
            await expect(page.locator("html")).to_have_attribute("lang", locale)
            await expect(page.locator("nav a[aria-current]")).to_have_attribute("lang", locale)
        await page.get_by_role("link", name="Shqip").click()
        await page.get_by_role("button", name="Çaktivizo llogarinë tënde").click()
        await expect(heading(page)).to_have_text("Llogaria juaj është çaktivizuar")
    assert len(service.actions(letter.account)) == 1


async def test_pending_becomes_done_by_itself(service: Service, browser: Browser, tmp_path: Path) -> None:
    letter = await sent(service, tmp_path, "login_succeeded")
    async with visitor(browser) as owner:
        page = owner.page
        await page.goto(letter.link("d"))
        service.platform.down = True
        try:
            await press(page, letter)
            await expect(heading(page)).to_have_text("We have recorded your request")
        finally:
            service.platform.down = False
        await expect(heading(page)).to_have_text("Your account is deactivated", timeout=40_000)


@pytest.mark.parametrize("locale", LOCALES)
async def test_nothing_is_wider_than_a_small_phone(
    service: Service, browser: Browser, tmp_path: Path, locale: str
) -> None:
    """At 320 px, whatever a stranger's browser calls itself."""
    long = {"device": _LONG, "location": _LONG, "address": _LONG, "network": "Bitcoin", "amount": "9" * 30}
    letter = await sent(service, tmp_path, "withdrawal_confirmation", locale, **long)
    async with visitor(browser, width=320) as owner:
        page = owner.page
        await page.goto(letter.file.as_uri())
        assert await fits(page), "the mail"
        for link in [*letter.links(), letter.link("d") + "x"]:
            await page.goto(link)
            assert await fits(page), await heading(page).inner_text()
        for kind in ("w", "d"):
            await page.goto(letter.link(kind))
            await press(page, letter)
            await expect(page.get_by_role("button")).to_have_count(0)
            assert await fits(page), await heading(page).inner_text()


async def test_no_page_needs_more_than_itself(service: Service, browser: Browser, tmp_path: Path) -> None:
    """One request a page: no script, picture, font or style of its own address."""
    letter = await sent(service, tmp_path, "new_device", "ru")
    async with visitor(browser, scripts=True) as owner:
        asked: list[str] = []
        owner.page.on("request", lambda request: asked.append(request.url))
        for link in letter.links():
            await owner.page.goto(link, wait_until="networkidle")
        assert asked == letter.links()
