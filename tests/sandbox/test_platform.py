"""The account platform, sent actions that the Standard Webhooks library signs."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from notifier.sandbox.platform import AccountPlatform

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DEACTIVATION = "account.deactivation_confirmed"
REACTIVATION = "account.reactivation_confirmed"

Deliver = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def platform(tmp_path: Path) -> AccountPlatform:
    return AccountPlatform(SECRET, tmp_path)


@pytest.fixture
async def web(platform: AccountPlatform) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(platform.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as web:
        yield web


def signed(id: str, body: str, secret: str = SECRET, when: datetime | None = None) -> dict[str, str]:
    when = when or datetime.now(UTC)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, when, body),
    }


@pytest.fixture
def deliver(web: httpx.AsyncClient) -> Deliver:
    async def deliver(id: str, type: str = DEACTIVATION, account: str = "acc-1") -> httpx.Response:
        body = json.dumps({"type": type, "data": {"account_id": account}})
        return await web.post("/webhooks", content=body, headers=signed(id, body))

    return deliver


async def states(web: httpx.AsyncClient) -> dict[str, str]:
    accounts = (await web.get("/api/accounts")).json()
    return {account["account_id"]: account["state"] for account in accounts}


async def statuses(web: httpx.AsyncClient) -> list[tuple[str, int, bool]]:
    actions = (await web.get("/api/actions")).json()
    return [(a["webhook_id"], a["status"], a["repeated"]) for a in actions]


async def test_actions_change_the_accounts_state(deliver: Deliver, web: httpx.AsyncClient) -> None:
    answer = await deliver("a1")
    assert (answer.status_code, answer.json()) == (200, {"outcome": "done"})
    await deliver("a2", account="acc-2")
    await deliver("a3", REACTIVATION, account="acc-2")
    await deliver("a4", "withdrawal.confirmed", account="acc-3")
    assert await states(web) == {"acc-1": "deactivated", "acc-2": "active"}
    account = (await web.get("/api/accounts/acc-1")).json()
    assert (account["state"], "since" in account) == ("deactivated", True)
    assert (await web.get("/api/accounts/acc-3")).status_code == 404


async def test_a_known_action_gets_its_answer_again_and_is_not_acted_on_twice(
    deliver: Deliver, platform: AccountPlatform, web: httpx.AsyncClient
) -> None:
    await deliver("a1")
    await deliver("a2", REACTIVATION)
    platform.answers = [(500, {})]
    assert (await deliver("a1")).json() == {"outcome": "done"}
    assert platform.answers == [(500, {})]
    assert await states(web) == {"acc-1": "active"}
    assert await statuses(web) == [
        ("a1", 200, True),
        ("a2", 200, False),
        ("a1", 200, False),
    ]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda headers: headers | {"webhook-signature": "v1,AAAA"},
        lambda headers: headers | {"webhook-signature": "nonsense"},
        lambda headers: headers | {"webhook-signature": "v1,not base64!"},
        lambda headers: headers | {"webhook-id": "another"},
        lambda headers: {k: v for k, v in headers.items() if k != "webhook-timestamp"},
    ],
)
async def test_a_wrong_signature_is_refused(
    web: httpx.AsyncClient, spoil: Callable[[dict[str, str]], dict[str, str]]
) -> None:
    body = json.dumps({"type": DEACTIVATION, "data": {"account_id": "acc-1"}})
    answer = await web.post("/webhooks", content=body, headers=spoil(signed("a1", body)))
    assert answer.status_code == 401
    assert await states(web) == {}
    assert await statuses(web) == []


async def test_another_secret_another_body_or_another_time_is_refused(
    web: httpx.AsyncClient,
) -> None:
    stale = datetime.now(UTC) - timedelta(minutes=6)
    for headers, body in (
        (signed("a1", "{}", secret="whsec_c29tZXRoaW5nIGVsc2U="), "{}"),
        (signed("a1", "{}"), '{"type": 1}'),
        (signed("a1", "{}", when=stale), "{}"),
    ):
        assert (await web.post("/webhooks", content=body, headers=headers)).status_code == 401


async def test_one_of_two_signatures_suffices_while_secrets_rotate(
    web: httpx.AsyncClient,
) -> None:
    headers = signed("a1", "{}")
    other = signed("a1", "{}", secret="whsec_c29tZXRoaW5nIGVsc2U=")
    headers["webhook-signature"] = f"{other['webhook-signature']} {headers['webhook-signature']}"
    assert (await web.post("/webhooks", content="{}", headers=headers)).status_code == 200


async def test_a_failed_delivery_is_acted_on_when_it_comes_again(
    deliver: Deliver, platform: AccountPlatform, web: httpx.AsyncClient
) -> None:
    platform.answers = [(500, {})]
    assert (await deliver("a1")).status_code == 500
    assert await states(web) == {}
    assert (await deliver("a1")).status_code == 200
    assert await states(web) == {"acc-1": "deactivated"}
    assert await statuses(web) == [("a1", 200, False), ("a1", 500, False)]


async def test_a_refusal_changes_nothing_and_stays(
    deliver: Deliver, platform: AccountPlatform, web: httpx.AsyncClient
) -> None:
    refusal = {
        "outcome": "refused",
        "reason": "closed",
        "next_url": "https://x.example/appeal",
    }
    platform.answers = [(200, refusal)]
    assert (await deliver("a1")).json() == refusal
    assert (await deliver("a1")).json() == refusal
    assert await states(web) == {}


async def test_while_it_is_down_everything_is_answered_503(
    deliver: Deliver, platform: AccountPlatform, web: httpx.AsyncClient
) -> None:
    platform.down = True
    assert (await deliver("a1")).status_code == 503
    assert (await web.post("/webhooks", content="{}")).status_code == 503
    platform.down = False
    assert (await deliver("a1")).status_code == 200
    assert await statuses(web) == [("a1", 200, False), ("a1", 503, False)]


async def test_its_page_has_it_answer_otherwise(platform: AccountPlatform, web: httpx.AsyncClient) -> None:
    for how, says, asking, down in (
        ("offline", "is answered 503", False, True),
        ("asks", "asks for documents", True, False),
        ("takes", "Signed actions are taken", False, False),
    ):
        assert (await web.post("/answering", data={"how": how})).status_code == 303
        assert (platform.asking, platform.down) == (asking, down)
        shown = (await web.get("/")).text
        assert says in shown
        assert f'value="{how}"' not in shown


async def test_it_asks_for_documents_before_an_account_is_active_again(
    deliver: Deliver, platform: AccountPlatform, web: httpx.AsyncClient
) -> None:
    platform.asking = True
    assert (await deliver("a1")).json() == {"outcome": "done"}
    refused = (await deliver("a2", "account.reactivation_confirmed")).json()
    assert refused["outcome"] == "refused"
    assert "document" in refused["reason"]
    assert (await web.get(refused["next_url"])).status_code == 200
    assert await states(web) == {"acc-1": "deactivated"}


async def test_everything_outlives_the_process(
    deliver: Deliver, platform: AccountPlatform, web: httpx.AsyncClient, tmp_path: Path
) -> None:
    await deliver("a1")
    await deliver("a1")
    again = AccountPlatform(SECRET, tmp_path)
    assert again.deliveries == platform.deliveries
    assert again.accounts == platform.accounts
    body = json.dumps({"type": DEACTIVATION, "data": {"account_id": "acc-1"}})
    transport = httpx.ASGITransport(again.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as later:
        await later.post("/webhooks", content=body, headers=signed("a1", body))
        assert (await statuses(later))[0] == ("a1", 200, True)


async def test_the_page_shows_accounts_and_actions_without_trusting_them(
    deliver: Deliver, web: httpx.AsyncClient
) -> None:
    empty = (await web.get("/")).text
    assert "No account has changed yet" in empty
    await deliver("a1", account="<script>alert(1)</script>")
    shown = (await web.get("/")).text
    assert "deactivated" in shown
    assert "<script>alert" not in shown


async def test_an_action_of_an_odd_shape_breaks_nothing(web: httpx.AsyncClient) -> None:
    for body, status in (
        ("[]", 400),
        ('{"data": null}', 200),
        ('{"type": "account.deactivation_confirmed", "data": {"account_id": 7}}', 200),
    ):
        answer = await web.post("/webhooks", content=body, headers=signed(body[:9], body))
        assert answer.status_code == status
    assert (await web.get("/")).status_code == 200
    assert len(await statuses(web)) == 2
    assert await states(web) == {}
