"""The running service, and a translator who saves a catalog under it: API and worker take it without a restart."""

import shutil
from pathlib import Path
from typing import Any

from notifier import examples
from notifier.assets import assets
from notifier.rendering.catalog import version
from tests.rendering.books import change, path
from tests.service import Service, running, until

SUBJECT = "Successful sign-in"


async def sent(service: Service, number: int) -> tuple[str, dict[str, Any]]:
    """A mail's subject, and what is told of it."""
    recipient = "arta@example.com"
    made = examples.event("login_succeeded") | {"id": f"reload-{number}"}
    made["data"] |= {"recipient": {"email": recipient, "locale": "sq"}, "channels": ["email"]}
    (notification,) = (await service.api.post("/v1/events", json=made)).json()["notifications"]
    (mail,) = await until(lambda: service.mails(recipient, notification["id"]), 60)

    async def told() -> dict[str, Any] | None:
        shown = (await service.api.get(f"/v1/notifications/{notification['id']}")).json()
        return shown if shown["status"] == "sent" else None

    return mail["Subject"], await until(told, 60)


async def test_a_saved_catalog_is_served_and_a_broken_one_is_not(tmp_path: Path) -> None:
    locales = tmp_path / "locales"
    shutil.copytree(assets("locales"), locales)
    async with running(tmp_path, NOTIFIER_LOCALES=str(locales)) as service:

        async def warnings() -> list[str]:
            told: list[str] = (await service.browser.get("/readyz")).json()["warnings"]
            return told

        logs = [tmp_path / "api.log", tmp_path / "worker.log"]

        def served(times: int) -> bool:
            return all(log.read_text().count('"locale": "sq"') == times for log in logs)

        await until(lambda: served(1))
        change(locales, "sq", SUBJECT, "Hyrje")
        await until(lambda: served(2))
        metrics = (await service.browser.get("/metrics")).text
        digest = version(path(locales, "sq").read_bytes())
        assert f'notifier_catalog_info{{locale="sq",version="{digest}"}} 1.0' in metrics
        subject, shown = await sent(service, 1)
        assert subject == "[Northbank] Hyrje"
        assert (shown["locale"], shown["locale_reason"]) == ("sq", "exact")

        change(locales, "sq", SUBJECT, "Hyrje %(who)s")
        await until(warnings, 60)
        assert (await sent(service, 2))[0] == "[Northbank] Hyrje"

        # Removed, it is missed by no one who is waiting for a mail.
        shutil.rmtree(path(locales, "sq").parent.parent)
        await until(lambda: all("catalog_gone" in log.read_text() for log in logs), 60)
        subject, shown = await sent(service, 3)
        assert subject == "[Northbank] Successful sign-in"
        assert (shown["locale"], shown["locale_reason"]) == ("en", "default")
        rendered = next(entry for entry in shown["timeline"] if entry["what"] == "rendered")
        assert (rendered["locale"], rendered["locale_reason"]) == ("en", "default")
