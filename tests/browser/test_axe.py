"""What axe-core finds in the pages: nothing, in every language, light and dark, left-to-right and right-to-left.

And at 320 px, the narrowest screen that WCAG 2.1 asks for (1.4.10), nothing has to be scrolled sideways.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser

from links.pages import PageOutcome
from links.purposes import purposes
from notifier.assets import assets
from notifier.contexts import Withdrawal
from notifier.rendering.i18n import Catalogs
from notifier.rendering.renderer import Language, Renderer
from tests.rendering.conftest import CONTEXT, VOICE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

NOW = datetime(2026, 3, 9, 14, 5, tzinfo=UTC)
OUTCOMES = [outcome for outcome in get_args(PageOutcome) if outcome not in ("open", "malformed", "wrong")]
AXE = AXE_FILE_PATH.read_text("utf-8")
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(assets("templates"), Catalogs(assets("locales")), VOICE)


def pages(renderer: Renderer, locale: str) -> list[str]:
    """Each page as an owner may meet it."""
    facts: dict[str, Any] = {
        "account": "a•••@mail.example",
        "notice": "withdrawal_confirmation",
        "context": Withdrawal.model_validate({name: CONTEXT[name] for name in Withdrawal.model_fields}),
        "at": NOW,
        "opens": NOW,
        "reason": "Two withdrawals are on their way.",
        "next_url": "https://platform.example/next",
        "challenge": True,
        "challenge_error": "mismatch",
        "attempts_left": 3,
        "languages": tuple(Language(tag, tag, f"?lang={tag}", tag == locale) for tag in ("en", "sq")),
    }
    confirm = [{"purpose": purpose, "outcome": None} for purpose in purposes()]
    outcomes = [{"purpose": "reactivate", "outcome": outcome} for outcome in OUTCOMES]
    made = [renderer.page("confirm", locale, "Europe/Tirane", facts | page) for page in confirm]
    made += [renderer.page("outcome", locale, "Europe/Tirane", facts | page) for page in outcomes]
    made += [renderer.page("problem", locale, "UTC", facts | {"status": 503, "retry_after": None})]
    return made


@pytest.mark.parametrize("locale", ["en", "sq", "nb", "ru", "sv", "ar"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(
    browser: Browser, renderer: Renderer, tmp_path: Path, locale: str, scheme: Scheme
) -> None:
    context = await browser.new_context(color_scheme=scheme, viewport={"width": 320, "height": 640})
    page = await context.new_page()
    for number, html in enumerate(pages(renderer, locale)):
        file = tmp_path / f"{number}.html"
        file.write_text(html, "utf-8")
        await page.goto(file.as_uri())
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
        direction = await page.evaluate("document.documentElement.dir")
        assert direction == ("rtl" if locale == "ar" else "ltr")
        await page.evaluate(AXE)
        found = await page.evaluate("axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))")
        assert found == [], html
    await context.close()
