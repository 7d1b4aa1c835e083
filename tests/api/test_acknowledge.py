"""What is told to a caller while a replica does not confirm: not yet, and the same answer once it does."""

from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from notifier.app import create_app
from notifier.composition import Parts
from notifier.config import load
from notifier.records import Accepted
from notifier.store import connect
from tests.api.conftest import BEARER, MakeEvent
from tests.conftest import SetClock
from tests.service import environment
from tests.stores import Replicated


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Replicated]:
    async with Replicated(tmp_path) as store:
        yield store


@pytest.fixture
async def web(store: Replicated, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    changed = {"NOTIFIER_REDIS_URL": store.primary.url, "NOTIFIER_ACKNOWLEDGE": "replica"}
    changed["NOTIFIER_LIMITS"] = "code_spacing=9/minute"
    for name, value in environment(**changed).items():
        monkeypatch.setenv(name, value)
    redis = connect(store.primary.url, patient=False)
    transport = httpx.ASGITransport(create_app(load(), redis, clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=BEARER) as web:
        yield web
    await redis.aclose(close_connection_pool=True)


async def test_an_event_is_accepted_once_the_replica_has_it(
    web: httpx.AsyncClient, store: Replicated, event: MakeEvent
) -> None:
    store.replica.signal(SIGSTOP)
    for _ in range(2):
        refused = await web.post("/v1/events", json=event())
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert "send the same again" in refused.json()["detail"]
    store.replica.signal(SIGCONT)
    accepted = await web.post("/v1/events", json=event())
    assert accepted.status_code == 202
    assert store.replica.ask("EXISTS", f"event:{accepted.json()['event_id']}") == 1
    # Once, by the first of the three.
    assert store.replica.ask("ZCARD", "due:alert") == len(accepted.json()["notifications"])


async def test_a_code_is_sent_again_once_the_replica_has_it(web: httpx.AsyncClient, store: Replicated) -> None:
    recipient = {"email": "anna@example.com", "phone": "+355691234567"}
    wanted = {"account": "acc-1", "purpose": "sign_in", "recipient": recipient, "channels": ["email"]}
    sent = await web.post("/v1/codes", json=wanted)
    again = f"/v1/codes/{sent.json()['code_id']}/resend"
    store.replica.signal(SIGSTOP)
    assert (await web.post(again, json={"channels": ["sms"]})).status_code == 503
    store.replica.signal(SIGCONT)
    resent = await web.post(again, json={"channels": ["sms"]})
    assert resent.status_code == 202
    assert store.replica.ask("EXISTS", f"ntf:{resent.json()['notifications'][0]['id']}") == 1


async def test_a_press_that_nobody_confirmed_has_done_all_that_a_press_does(
    web: httpx.AsyncClient, store: Replicated, event: MakeEvent, clock: SetClock
) -> None:
    accepted = (await web.post("/v1/events", json=event("new_device"))).json()
    (mail,) = (made["id"] for made in accepted["notifications"] if made["channel"] == "email")
    redis = connect(store.primary.url, patient=False)
    parts = Parts(load(), redis, clock)
    kept = Accepted.open(parts.sealer, accepted["event_id"], await parts.outbox.payload(accepted["event_id"]) or b"")
    path = urlsplit(parts.linkage.urls(kept, mail, "email")["authorize_device"] or "").path
    code = {"code": await parts.codes.digits(accepted["code_id"], "email")}
    await redis.aclose(close_connection_pool=True)

    store.replica.signal(SIGSTOP)
    assert (await web.post(path, data=code)).status_code == 503
    store.replica.signal(SIGCONT)
    assert (await web.post(path, data=code)).status_code == 202
    timeline = (await web.get(f"/v1/notifications/{mail}")).json()["timeline"]
    assert [entry["what"] for entry in timeline] == ["accepted", "clicked"]
    verdict = await web.post(f"/v1/codes/{accepted['code_id']}/verify", json=code)
    assert verdict.json()["reason"] == "used"
