"""`python -m tests.browser.pictures FOLDER` takes the README's pictures from the running service, as a phone has it."""

import asyncio
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser

from notifier.sandbox.tour import event
from tests.browser import chromium
from tests.service import Service, running, until

_HOST = "https://notify.northbank.example"
_WIDTH, _SHARPNESS = 375, 4 / 3
_HAPPENED = "2026-03-09T14:05:00Z"

Scheme = Literal["light", "dark"]


async def take(folder: Path) -> list[Path]:
    """Every picture, in the order of the owner's way."""
    executable = chromium.find()
    if executable is None:
        raise SystemExit(f"no Chromium at any of {', '.join(chromium.PLACES)}")
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        async with (
            running(Path(scratch), NOTIFIER_PUBLIC_URL=_HOST) as service,
            chromium.launched(executable) as browser,
        ):
            html, link = await mail(service)
            page = link.replace(_HOST, str(service.api.base_url).rstrip("/"))
            letter = Path(scratch) / "mail.html"
            await asyncio.to_thread(letter.write_text, html, "utf-8")
            return [
                await picture(browser, letter.as_uri(), folder / "mail.png"),
                await picture(browser, page, folder / "confirm.png"),
                await picture(browser, page, folder / "confirm-dark.png", scheme="dark"),
                await picture(browser, page, folder / "done.png", press=True),
            ]


async def mail(service: Service) -> tuple[str, str]:
    """A mail's HTML, and the link of its red button."""
    document: dict[str, Any] = event("login_succeeded", "en", "pictures").cloudevent()
    document["data"]["context"]["occurred_at"] = _HAPPENED
    (await service.api.post("/v1/events", json=document)).raise_for_status()
    message = await until(lambda: next(iter(service.mails("emma@mail.example")), None))
    part = message.get_body(("html",))
    assert part
    html = str(part.get_content())
    found = re.search(r'href="(http[^"]+/l/d[^"]+)"', html)
    assert found
    return html, found.group(1)


async def picture(browser: Browser, url: str, file: Path, *, scheme: Scheme = "light", press: bool = False) -> Path:
    """The whole page; after its button when that is to be pressed."""
    page = await browser.new_page(
        viewport={"width": _WIDTH, "height": 600}, device_scale_factor=_SHARPNESS, color_scheme=scheme
    )
    await page.goto(url)
    if press:
        await page.get_by_role("button").click()
        await page.locator(".icon.ok").wait_for()
    await page.screenshot(path=file, full_page=True)
    await page.close()
    return file


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    for file in asyncio.run(take(Path(sys.argv[1]))):
        sys.stdout.write(f"{file}  {file.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main()
