"""`notifier catalogs preview`, as a translator runs it: without settings, without a store."""

import sys
from pathlib import Path

import httpx

from notifier.sandbox.processes import start_child
from tests.service import until


async def test_it_needs_nothing_else(locales: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-m", "notifier", "catalogs", "preview", "--directory", str(locales), "--port", "0"]
    with log.open("wb") as output:
        process = start_child(command, output=output, env={"PYTHONUNBUFFERED": "1"})
    try:
        address = await until(lambda: log.read_text().strip(), 60)
        async with httpx.AsyncClient(timeout=30) as web:
            page = await web.get(f"{address}/sq/login_succeeded")
    finally:
        process.terminate()
        process.wait()
    assert page.status_code == 200
    assert "Identifikimi i suksesshëm" in page.text
    assert log.read_text().strip() == address
