"""Forwarding to a real endpoint: signed, whole, with what the platform's answer starts."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis
from standardwebhooks import Webhook
from starlette.requests import Request
from starlette.responses import Response

from notifier.actions import Answer
from notifier.api.webhooks import ActionConfirmed
from notifier.composition import Parts
from notifier.config import Settings
from notifier.sandbox.platform import AccountPlatform
from notifier.sealing import Sealer
from tests.conftest import SetClock
from tests.platform.conftest import ACCOUNT, NEW, OLD, Click, To, answering, due_in, forward, whsec


async def test_an_action_is_delivered_signed_and_whole(
    to: To, click: Click, clock: SetClock, parts: Parts, platform: AccountPlatform
) -> None:
    taken: list[tuple[bytes, dict[str, str]]] = []

    async def recording(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            request = Request(scope, receive)
            taken.append((await request.body(), dict(request.headers)))
            await Response(b"{}")(scope, receive, send)

    link = await click("authorize_device")
    forwarder = await to(recording)
    await forward(replace(forwarder, webhook=replace(forwarder.webhook, secrets=[OLD, NEW])))
    ((body, headers),) = taken
    for secret in (OLD, NEW):
        assert Webhook(whsec(secret)).verify(body, headers)
    assert [part[:3] for part in headers["webhook-signature"].split()] == ["v1,", "v1,"]
    assert headers["webhook-id"].startswith("msg_")
    message = json.loads(body)
    assert ActionConfirmed.model_validate(message).type == "device.authorized"
    assert message["data"].keys() == {
        "account_id", "event_id", "notice", "reference", "clicked_at", "ip", "user_agent", "locale",
    }  # fmt: skip
    assert (message["data"]["account_id"], message["data"]["user_agent"]) == (ACCOUNT, "Müller/1.0")
    assert (await parts.ledger.look(link, clock.now)).outcome == "done"
    assert len(body) < 20_000


async def test_a_confirmed_deactivation_changes_the_state_and_tells_the_owner_once(
    to: To, click: Click, clock: SetClock, parts: Parts, platform: AccountPlatform, redis: ArqRedis
) -> None:
    forwarder = await to(platform.app)
    link = await click()
    before = set(await redis.keys("event:*"))
    await forward(forwarder)
    assert platform.accounts[ACCOUNT].state == "deactivated"
    (told,) = set(await redis.keys("event:*")) - before
    notices = [(await redis.hget(key, "notice")) for key in await redis.keys("ntf:*") if b":timeline" not in key]  # type: ignore[misc]
    assert sorted(n.decode() for n in notices if n) == ["account_deactivated", "new_device"]
    assert told
    assert (await parts.ledger.look(link, clock.now)).outcome == "done"
    copy = replace(link, identity="another", expires=clock.now)
    assert (await parts.ledger.look(copy, clock.now)).outcome == "done"
    back = replace(link, identity="back", purpose=parts.tokens.purposes["reactivate"])
    assert (await parts.ledger.look(back, clock.now)).outcome == "early"
    await forward(forwarder)
    assert len(platform.deliveries) == 1


async def test_a_worker_that_died_after_the_answer_repeats_the_id_and_tells_once(
    to: To, click: Click, clock: SetClock, platform: AccountPlatform, redis: ArqRedis, parts: Parts
) -> None:
    forwarder = await to(platform.app)
    await click()
    # As it was before the answer: the lease runs out and another worker takes it.
    (key,) = await redis.keys("link:action:*")
    held = await redis.dump(key)
    await forward(forwarder)
    events = set(await redis.keys("event:*"))
    assert held
    await redis.restore(key, 0, held, replace=True)
    await redis.zadd("link:due", {key.decode().rpartition(":")[2]: clock.now})
    await forward(forwarder)
    assert [delivery.repeated for delivery in platform.deliveries] == [False, True]
    assert len({delivery.webhook_id for delivery in platform.deliveries}) == 1
    assert set(await redis.keys("event:*")) == events


async def test_a_refusal_is_kept_with_its_reason_for_the_page(
    to: To, click: Click, clock: SetClock, parts: Parts, platform: AccountPlatform, redis: ArqRedis
) -> None:
    refusal = {"outcome": "refused", "reason": "Closed:\n evil.example", "next_url": "https://x.example/appeal"}
    platform.answers = [(200, refusal)]
    link = await click()
    await forward(await to(platform.app))
    judgement = await parts.ledger.look(link, clock.now)
    assert judgement.outcome == "refused"
    assert judgement.action
    sealed = await parts.actions.answer(judgement.action)
    assert sealed
    assert b"Closed" not in sealed
    answer = Answer.model_validate_json(parts.sealer.open(judgement.action, sealed))
    assert answer == Answer(reason="Closed: evil. example", next_url="https://x.example/appeal")
    assert len(await redis.keys("event:*")) == 1


@pytest.mark.parametrize("gone", ["erased", "key retired"])
async def test_a_confirmation_whose_event_is_gone_changes_the_state_all_the_same(
    gone: str, to: To, click: Click, clock: SetClock, parts: Parts, platform: AccountPlatform, redis: ArqRedis
) -> None:
    link = await click()
    (event,) = await redis.keys("event:*")
    if gone == "erased":
        await redis.delete(event)
    else:
        await redis.set(event, b"d" * 16 + Sealer([OLD]).seal("x", b"{}"))
    await forward(await to(platform.app))
    assert (await parts.ledger.look(replace(link, identity="another"), clock.now)).outcome == "done"
    assert await redis.zcard("link:due") == 0


async def test_an_action_whose_key_is_retired_is_a_dead_letter(
    to: To, click: Click, clock: SetClock, redis: ArqRedis
) -> None:
    await click(sealer=Sealer([OLD]))
    forwarder = await to(answering(lambda _: Response()))
    for wait in (timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)):
        # It may be a key that this worker has not been given yet.
        await forward(forwarder)
        assert await due_in(redis, clock) == wait.total_seconds() * 1000
        clock.forward(seconds=wait.total_seconds())
    await forward(forwarder)
    assert (await redis.zcard("link:dead"), await redis.zcard("link:due")) == (1, 0)


async def test_an_action_is_forwarded_once_its_key_is_there(
    to: To, click: Click, clock: SetClock, settings: Settings, platform: AccountPlatform
) -> None:
    later = Sealer([*settings.payload_keys, OLD])
    await click(sealer=later)
    forwarder = await to(platform.app)
    await forward(forwarder)
    assert platform.deliveries == []
    clock.forward(minutes=5)
    await forward(replace(forwarder, sealer=later))
    assert [delivery.settled for delivery in platform.deliveries] == [True]
