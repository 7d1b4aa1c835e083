"""The preview pages in a real browser: switches, marks, frames that fit, and a reload as soon as a catalog is saved."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, Page, expect

from notifier.assets import assets
from notifier.catalogs.samples import sample_voice
from notifier.console.serving import application
from notifier.sandbox.serving import serving
from tests.ports import HOST
from tests.rendering.books import change, copied, path

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

GENUINE = "Is this message genuine?"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("preview") / "locales", "en", "sq")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def url(locales: Path) -> AsyncIterator[str]:
    app = application(assets("templates"), locales, sample_voice("Northbank", "https://notify.northbank.example"))
    async with serving(app, HOST, 0, "") as port:
        yield f"http://{HOST}:{port}/preview"


@asynccontextmanager
async def visiting(browser: Browser, width: int, scheme: str = "light") -> AsyncIterator[Page]:
    """A page that ends without a complaint of the browser, and without a request to anyone else."""
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page, complaints = await context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: None if f"//{HOST}:" in request.url else complaints.append(request.url))
    try:
        yield page
    finally:
        await context.close()
    assert [said for said in complaints if not said.startswith("data:")] == []


async def test_it_reloads_as_soon_as_the_catalog_is_saved(browser: Browser, url: str, locales: Path) -> None:
    async with visiting(browser, 1280) as page:
        await page.goto(f"{url}/sq/login_succeeded")
        mail = page.frame_locator("iframe").first
        await expect(mail.get_by_text("A është i vërtetë ky mesazh?")).to_be_visible()
        change(locales, "sq", GENUINE, "A është i vërtetë?")
        await expect(mail.get_by_text("A është i vërtetë?", exact=True)).to_be_visible()
        # Emptied, it stands there in English, marked, in the mail, its text and the list.
        change(locales, "sq", GENUINE, "")
        await expect(mail.locator("mark")).to_have_text([GENUINE])
        await expect(page.locator("pre mark")).to_have_text([GENUINE])
        await expect(page.locator("li.untranslated")).to_have_count(1)
        await page.locator("li.untranslated a").click()
        await expect(page.locator(":target")).to_contain_text(GENUINE)
        await page.locator(":target").get_by_role("link", name="login_succeeded/text").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("login_succeeded, text")


async def test_its_switches_change_what_is_in_the_frames(browser: Browser, url: str) -> None:
    async with visiting(browser, 1280) as page:
        await page.goto(f"{url}/sq/withdrawal_confirmation/html")
        mail = page.frame_locator("iframe").first
        card = mail.locator(".page").first
        await expect(card).to_have_css("background-color", "rgb(244, 245, 248)")
        await page.get_by_role("link", name="dark").click()
        await expect(card).to_have_css("background-color", "rgb(15, 17, 21)")
        await page.get_by_role("link", name="longest").click()
        await expect(mail.get_by_text("USDT-POLYGON").first).to_be_visible()
        # Both hold: a switch leaves the others as they are.
        await expect(card).to_have_css("background-color", "rgb(15, 17, 21)")
        phone = await page.locator("iframe").first.bounding_box()
        await page.get_by_role("link", name="desktop").click()
        await expect(page.locator("iframe.desktop")).to_have_count(2)
        desktop = await page.locator("iframe").first.bounding_box()
        assert phone is not None
        assert desktop is not None
        assert phone["width"] <= 375 < 560 <= desktop["width"]
        # As high as the mail: nothing is scrolled inside a frame.
        inside = await page.evaluate("document.querySelector('iframe').contentDocument.documentElement.scrollHeight")
        await expect(page.locator("iframe").first).to_have_css("height", f"{inside}px")


async def test_a_file_is_uploaded_and_seen(browser: Browser, url: str, locales: Path) -> None:
    async with visiting(browser, 375) as page:
        await page.goto(url)
        await page.get_by_label("Locale", exact=True).fill("sq-XK")
        await page.get_by_label("Catalog").set_input_files(path(locales, "sq"))
        await page.get_by_role("button", name="Show it").click()
        await expect(page.get_by_text("This is an uploaded file")).to_be_visible()
        await expect(page.get_by_text("Identifikimi i suksesshëm").first).to_be_visible()


@pytest.mark.parametrize(
    ("address", "width", "scheme"),
    [
        ("", 375, "dark"),
        ("/sq", 375, "light"),
        ("/sq", 1280, "dark"),
        ("/sq/new_device?sample=longest", 1280, "light"),
        ("/ar_XB/new_device", 375, "dark"),
        ("/sq/pages/confirm", 375, "light"),
    ],
)
async def test_it_fits_and_axe_finds_nothing(browser: Browser, url: str, address: str, width: int, scheme: str) -> None:
    async with visiting(browser, width, scheme) as page:
        await page.goto(url + address)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        # Run past the policy of the page, which lets no script in; the messages in the frames have tests of their own.
        await page.evaluate(AXE_FILE_PATH.read_text("utf-8"))
        found = await page.evaluate(
            "axe.run({exclude: [['iframe']]}).then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
        )
        assert found == []
