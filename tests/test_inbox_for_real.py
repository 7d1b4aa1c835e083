"""The inbox on the running service: events by two API processes, resumed without a gap; nothing of it in clear."""

import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.ports import HOST
from tests.service import API_KEY, Service, running, until

INBOX = "/v1/accounts/acct-7/inbox"


def event(id: str) -> dict[str, Any]:
    return {
        "id": id,
        "source": "tests",
        "type": "account.login_succeeded",
        "subject": "acct-7",
        "data": {
            "recipient": {"locale": "nb"},
            "channels": ["inbox"],
            "context": {"occurred_at": "2026-03-09T14:05:00Z", "ip": "203.0.113.77", "device": "Canary-Browser"},
        },
    }


async def posted(service: Service, id: str) -> str:
    answer = await service.api.post("/v1/events", json=event(id))
    assert answer.status_code == 202, answer.text
    made: str = answer.json()["notifications"][0]["id"]
    return made


@asynccontextmanager
async def listening(url: str, **headers: str) -> AsyncIterator[AsyncIterator[tuple[str, dict[str, Any]]]]:
    """Cursor and item of each event as it comes; it ends when the stream does."""
    bearer = {"authorization": f"Bearer {API_KEY}", **headers}
    async with (
        httpx.AsyncClient(base_url=url, headers=bearer, timeout=30) as web,
        web.stream("GET", f"{INBOX}/events") as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == ": listening"

        async def events() -> AsyncIterator[tuple[str, dict[str, Any]]]:
            item: dict[str, Any] = {}
            async for line in lines:
                name, _, value = line.partition(": ")
                if name == "data":
                    item = json.loads(value)
                if name == "id":
                    yield value, item

        yield events()


async def test_news_come_at_once_and_none_is_missed(tmp_path: Path, port: int) -> None:
    async with running(tmp_path) as service:
        other = f"http://{HOST}:{port}"
        service.start("other", "serve", "--port", str(port))
        async with listening(service.url) as events:
            first = await posted(service, "1")
            cursor, item = await anext(events)
            assert (item["id"], item["locale"], item["unread"]) == (first, "nb", True)
        missed = [await posted(service, id) for id in "23"]

        async def all_there() -> bool:
            unread: int = (await service.api.get(f"{INBOX}/unread")).json()["unread"]
            return unread == 3

        await until(all_there)
        async with httpx.AsyncClient() as web:

            async def ready() -> bool:
                try:
                    return (await web.get(f"{other}/readyz")).is_success
                except httpx.HTTPError:
                    return False

            await until(ready, 60)
        async with listening(other, **{"last-event-id": cursor}) as events:
            assert {(await anext(events))[1]["id"] for _ in missed} == set(missed)
            # Written by a worker, and heard of here from the store.
            last = await posted(service, "4")
            cursor, item = await anext(events)
            assert item["id"] == last
            process = service.processes.pop("other")
            process.send_signal(signal.SIGTERM)
            assert [event async for event in events] == []
        assert process.wait(5) in (0, -signal.SIGTERM)

        async def settled() -> list[dict[str, str]] | None:
            shown = (await service.api.get(f"/v1/notifications/{last}")).json()
            return None if shown["status"] == "accepted" else shown["timeline"]

        timeline = await until(settled)
        assert [entry["what"] for entry in timeline] == ["accepted", "rendered", "sent"]
        assert timeline[-1]["by"] == "inbox"
        token = item["links"][0]["url"].rpartition("/")[2]
        assert (await service.browser.get(f"/l/{token}")).status_code == 200
        kept = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
        kept += b"".join(path.read_bytes() for path in tmp_path.glob("*.log"))
        assert last.encode() in kept
        for canary in (token, "203.0.113.77", "Canary-Browser", "acct-7"):
            assert canary.encode() not in kept
