"""`/v1/accounts/{account}/inbox`: what an owner is shown, page by page; how many are unread; what was read."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from arq.connections import ArqRedis

from notifier import ids
from notifier.api.answers import InboxMarked, InboxRead, InboxUnread, ItemMarked
from notifier.composition import Parts
from notifier.config import Settings
from notifier.transports.base import Item, ItemLink
from tests.api.conftest import MakeEvent
from tests.conftest import SetClock

INBOX = "/v1/accounts/acc-1/inbox"


@pytest.fixture
def put(settings: Settings, redis: ArqRedis, clock: SetClock) -> Any:
    """Puts items into an account's inbox, as a worker does; gives their ids, oldest first."""
    parts = Parts(settings, redis, clock)

    async def many(count: int, account: str = "acc-1") -> list[str]:
        made = [ids.new_id("inbox") for _ in range(count)]
        for number, id in enumerate(made):
            await redis.hset(f"ntf:{id}", "event", "e")  # type: ignore[misc]
            links = (ItemLink("deactivate", "https://n.example/l/x", clock() + 1000),)
            words = f"Title {number}", "Text", "<p>Text</p>"
            item = Item(id, ids.digest(account), "login_succeeded", "en", *words, links)
            await parts.inbox.put(item, clock())
        return made

    return many


async def got(web: httpx.AsyncClient, path: str = "", **asked: Any) -> dict[str, Any]:
    answer = await web.get(INBOX + path, params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
async def test_newest_first_and_each_once_whatever_the_page(web: httpx.AsyncClient, put: Any, limit: int) -> None:
    made = await put(5)
    await put(1, "acc-2")
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await got(web, cursor=cursor, limit=limit)
        InboxRead.model_validate(page)
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert found == made[::-1]


async def test_what_was_read_is_not_unread(web: httpx.AsyncClient, put: Any) -> None:
    first, second, third = await put(3)
    assert await got(web, "/unread") == {"unread": 3}
    answer = await web.post(f"{INBOX}/{second}/read")
    assert ItemMarked.model_validate(answer.json()).id == second
    assert (await web.post(f"{INBOX}/{second}/read")).status_code == 200
    assert [item["id"] for item in (await got(web, unread=True))["items"]] == [third, first]
    assert [(item["id"], item["unread"]) for item in (await got(web))["items"]] == [
        (third, True),
        (second, False),
        (first, True),
    ]
    assert InboxUnread.model_validate(await got(web, "/unread")).unread == 2


async def test_all_are_marked_up_to_one_that_was_seen(web: httpx.AsyncClient, put: Any) -> None:
    _, second, third = await put(3)
    answer = await web.post(f"{INBOX}/read", json={"up_to": second})
    assert InboxMarked.model_validate(answer.json()).unread == 1
    assert [item["id"] for item in (await got(web, unread=True))["items"]] == [third]
    assert (await web.post(f"{INBOX}/read")).json() == {"unread": 0}


@pytest.mark.parametrize("path", ["/mfrggzdfmztwq2lkmfrggzdfmy/read", "/nonsense/read"])
async def test_another_accounts_item_is_none_of_this_ones(web: httpx.AsyncClient, put: Any, path: str) -> None:
    (other,) = await put(1, "acc-2")
    assert (await web.post(INBOX + path)).status_code == 404
    assert (await web.post(f"{INBOX}/{other}/read")).status_code == 404
    assert (await web.post(f"{INBOX}/read", json={"up_to": other})).status_code == 404
    assert (await web.get("/v1/accounts/acc-2/inbox/unread")).json() == {"unread": 1}


@pytest.mark.parametrize("asked", [{"cursor": "x"}, {"cursor": "-1"}, {"limit": 0}, {"limit": 101}, {"unread": "x"}])
async def test_what_cannot_be_asked(web: httpx.AsyncClient, asked: dict[str, Any]) -> None:
    answer = await web.get(INBOX, params=asked)
    assert answer.status_code == 422
    assert answer.json()["errors"]


@pytest.mark.parametrize("account", ["acc-1", "a/b", "a/inbox/unread", "a?#%"])
async def test_an_account_may_have_any_name(web: httpx.AsyncClient, put: Any, account: str) -> None:
    (made,) = await put(1, account)
    path = f"/v1/accounts/{quote(account, safe='')}"
    assert [item["id"] for item in (await web.get(f"{path}/inbox")).json()["items"]] == [made]
    assert (await web.get(f"{path}/inbox/unread")).json() == {"unread": 1}
    assert (await web.post(f"{path}/inbox/{made}/read")).status_code == 200
    assert (await web.delete(path)).status_code == 200
    assert (await web.get(f"{path}/inbox")).json() == {"items": [], "next": None}


async def test_an_inbox_is_not_deleted_by_itself(web: httpx.AsyncClient, put: Any) -> None:
    await put(1)
    for path in ("", "/unread", "/events"):
        answer = await web.delete(INBOX + path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert await got(web, "/unread") == {"unread": 1}


NEITHER = {"email": None, "phone": None}


async def test_the_inbox_alone_needs_no_address(web: httpx.AsyncClient, event: MakeEvent) -> None:
    wanted = event(recipient=NEITHER)
    refused = await web.post("/v1/events", json=wanted)
    assert refused.status_code == 422
    wanted["data"]["channels"] = ["inbox"]
    answer = await web.post("/v1/events", json=wanted)
    assert answer.status_code == 202, answer.text
    assert [made["channel"] for made in answer.json()["notifications"]] == ["inbox"]


async def test_the_inbox_is_only_where_it_is_named(web: httpx.AsyncClient, event: MakeEvent) -> None:
    answer = await web.post("/v1/events", json=event())
    assert [made["channel"] for made in answer.json()["notifications"]] == ["email", "sms"]


@pytest.mark.parametrize(
    ("notice", "channels", "status"),
    [
        ("password_reset", ["inbox"], 422),
        ("password_reset", ["email", "inbox"], 202),
        ("verification_code", ["email", "inbox"], 422),
    ],
)
async def test_a_code_goes_where_the_session_is_not(
    web: httpx.AsyncClient, event: MakeEvent, notice: str, channels: list[str], status: int
) -> None:
    wanted = event(notice)
    if notice == "verification_code":
        wanted["data"]["context"] = {"purpose": "sign_in"}
    wanted["data"]["channels"] = channels
    answer = await web.post("/v1/events", json=wanted)
    assert answer.status_code == status, answer.text
    if status == 422:
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/data/channels"]


async def test_no_code_is_asked_for_in_the_inbox(web: httpx.AsyncClient) -> None:
    wanted = {"account": "a", "purpose": "sign_in", "recipient": {"email": "a@example.com"}, "channels": ["inbox"]}
    assert (await web.post("/v1/codes", json=wanted)).status_code == 422
