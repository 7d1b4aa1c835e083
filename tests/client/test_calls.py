"""Each call against the served API, by both clients."""

import dataclasses
import inspect
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from notifier.client import (
    AsyncNotifier,
    Conflict,
    Invalid,
    NotFound,
    Notifier,
    Problem,
    Taken,
    Unauthenticated,
)
from tests.api.conftest import Served
from tests.client.conftest import OWNER, Client, ask, event, opened

INBOX_ONLY = {
    "recipient": {"locale": "en"},
    "channels": ["inbox"],
    "context": {"occurred_at": "2026-03-09T14:05:00Z", "ip": "192.0.2.7", "device": "Firefox"},
}


def test_both_clients_have_the_same_calls() -> None:
    blocking, asynchronous = (
        {
            name: str(inspect.signature(method))
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if name[0] != "_"
        }
        for kind in (Notifier, AsyncNotifier)
    )
    assert blocking.pop("close") == asynchronous.pop("aclose")
    assert blocking == asynchronous


def test_nothing_of_the_server_comes_with_it() -> None:
    script = "import sys, notifier.client; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "httpx" in loaded
    assert not {
        "redis",
        "arq",
        "fastapi",
        "starlette",
        "jinja2",
        "uvicorn",
        "aiosmtplib",
        "twilio",
        "cryptography",
    } & set(loaded)


async def test_an_event_and_what_becomes_of_it(kind: type[Client], served: Served) -> None:
    async with opened(kind, served.url) as client:
        sent = event(f"sent-{kind.__name__}", account=f"account/of%{kind.__name__}")
        taken = await ask(client, "send", sent)
        assert [made.channel for made in taken.notifications] == ["email", "sms"]
        assert taken.code_id is None
        assert await ask(client, "send", sent) == taken
        shown = await ask(client, "notification", taken.notifications[0].id)
        assert (shown.event_id, shown.notice, shown.status) == (taken.event_id, "login_succeeded", "accepted")
        assert (shown.locale, shown.locale_reason) == ("sq", "exact")
        assert shown.timeline[0].what == "accepted"
        # As a file has it.
        assert await ask(client, "send", sent.cloudevent()) == taken
        erased = await ask(client, "erase", sent.account)
        assert (erased.account, erased.notifications) == (sent.account, 2)
        with pytest.raises(NotFound):
            await ask(client, "notification", taken.notifications[0].id)


async def test_a_batch_has_a_result_for_each(kind: type[Client], served: Served) -> None:
    async with opened(kind, served.url) as client:
        good = event(f"batch-{kind.__name__}")
        results = await ask(client, "send_batch", [good, {**good.cloudevent(), "type": "account.unknown"}])
        assert isinstance(results[0], Taken)
        assert isinstance(results[1], Invalid)
        assert results[1].errors[0].pointer == "/type"


async def test_codes(kind: type[Client], served: Served) -> None:
    owner = OWNER.model_copy(update={"email": f"{kind.__name__.lower()}@example.com"})
    async with opened(kind, served.url) as client:
        asked = ("acc-1", "sign_in", owner, ["email"])
        sent = await ask(client, "issue_code", *asked, idempotency_key=f"key-{kind.__name__}")
        assert await ask(client, "issue_code", *asked, idempotency_key=f"key-{kind.__name__}") == sent
        verdict = await ask(client, "verify_code", sent.code_id, "000000x", account="acc-1", purpose="sign_in")
        # Whoever writes `if client.verify_code(…)` means the verdict.
        assert not verdict
        assert verdict.reason == "mismatch"
        with pytest.raises(Problem) as refused:
            await ask(client, "resend_code", "aaaaaaaaaaaaaaaaaaaaaaaaaa")
        assert refused.value.status == 404


async def test_an_inbox(kind: type[Client], served: Served) -> None:
    async with opened(kind, served.url) as client:
        account = f"inbox/of%{kind.__name__}"
        assert (await ask(client, "inbox", account, unread=True, limit=5)).items == ()
        assert (await ask(client, "unread", account)).unread == 0
        assert (await ask(client, "mark_all_read", account)).unread == 0
        with pytest.raises(NotFound):
            await ask(client, "mark_read", account, "aaaaaaaaaaaaaaaaaaaaaaaaaa")
        told = await ask(client, "preview", {**event("p").cloudevent(), "data": INBOX_ONLY})
        assert told.inbox is not None
        assert (told.inbox.title, told.email) == ("Successful sign-in", None)


async def test_links_and_their_audit(kind: type[Client], served: Served) -> None:
    account = f"links-{kind.__name__}"
    async with opened(kind, served.url) as client:
        revoked = await ask(client, "revoke_links", account, ["deactivate"])
        assert revoked.purposes == ("deactivate",)
        audit = await ask(client, "audit", account=account)
        assert [(entry.what, entry.purpose, entry.at) for entry in audit.entries] == [
            ("revoked", "deactivate", revoked.revoked_at)
        ]


async def test_dead_letters(kind: type[Client], served: Served) -> None:
    async with opened(kind, served.url) as client:
        page = await ask(client, "dead_letters", "action", limit=5)
        assert (page.dead_letters, page.next) == ((), None)
        with pytest.raises(NotFound):
            await ask(client, "replay", "aaaaaaaaaaaaaaaaaaaaaaaaaa")


async def test_problems_tell_what_is_wrong(kind: type[Client], served: Served) -> None:
    async with opened(kind, served.url) as client:
        await ask(client, "send", event(f"twice-{kind.__name__}"))
        with pytest.raises(Conflict) as conflict:
            await ask(client, "send", event(f"twice-{kind.__name__}", account="acc-2"))
        assert conflict.value.name == "event-conflict"
        assert conflict.value.type == f"{served.url}/problems/event-conflict"
        assert [error.pointer for error in conflict.value.errors] == ["/subject"]
        with pytest.raises(Invalid) as invalid:
            await ask(client, "issue_code", "acc-1", "NOT ONE", OWNER)
        assert [error.pointer for error in invalid.value.errors] == ["/purpose"]
    async with opened(kind, served.url, key="another") as client:
        with pytest.raises(Unauthenticated):
            await ask(client, "send", event("e"))


async def test_what_waits_is_listed_and_cancelled(kind: type[Client], served: Served) -> None:
    account = f"waits-{kind.__name__}"
    later = dataclasses.replace(
        event(account, account), send_at=datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    )
    async with opened(kind, served.url) as client:
        taken = await ask(client, "send", later)
        assert {made.status for made in taken.notifications} == {"scheduled"}
        page = await ask(client, "notifications", account, status="scheduled", limit=1)
        rest = await ask(client, "notifications", account, status="scheduled", cursor=page.next)
        listed = [*page.notifications, *rest.notifications]
        assert {shown.id for shown in listed} == {made.id for made in taken.notifications}
        assert {shown.send_at for shown in listed} == {later.send_at}
        cancelled = await ask(client, "cancel", listed[0].id)
        assert (cancelled.id, cancelled.status) == (listed[0].id, "cancelled")
        with pytest.raises(Conflict):
            await ask(client, "resend", listed[0].id)


async def test_a_preview(kind: type[Client], served: Served) -> None:
    async with opened(kind, served.url) as client:
        shown = await ask(client, "preview", event("shown"))
        assert shown.email
        assert shown.sms
        assert shown.email.locale.chosen == "sq"
        assert shown.sms.segments.length >= len(shown.sms.text) > 0
        assert [link.purpose for link in shown.links][:1] == ["deactivate"]
