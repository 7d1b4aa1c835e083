"""Forwarding to a real endpoint: one that fails, hangs, moves or answers nonsense."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from arq.connections import ArqRedis
from starlette.requests import Request
from starlette.responses import Response

from notifier.actions import Answer
from notifier.clock import moment
from notifier.composition import Parts
from notifier.sandbox.platform import AccountPlatform
from notifier.sandbox.serving import serving
from notifier.webhook import new_client
from tests.conftest import SetClock
from tests.platform.conftest import ACCOUNT, MINUTE, Click, To, answering, due_in, forward

# A status, its headers, and how long until the next attempt (None: never).
FAILURES: list[tuple[int, dict[str, str], int | None]] = [
    (503, {}, 5_000),
    (301, {"location": "/elsewhere"}, 5_000),
    (307, {"location": "/elsewhere"}, 5_000),
    (404, {}, 5_000),
    (429, {"retry-after": "120"}, 120_000),
    (503, {"retry-after": "1"}, 5_000),
    (503, {"retry-after": "DATE"}, 600_000),
    (503, {"retry-after": "9" * 30}, 86_400_000),
    (503, {"retry-after": "soon"}, 5_000),
    (503, {"retry-after": "-5"}, 5_000),
    (503, {"retry-after": "\u00b2"}, 5_000),
    (503, {"retry-after": "Wed, 99 Foo 2015 07:28:00 +99999999"}, 5_000),
    (503, {"retry-after": "Wed, 21 Oct 2015 07:28:00"}, 5_000),
    (410, {}, None),
]
BODIES = [
        b"", b"ok", b"{", b"[]", b"null", b"7", b"\xff\xfe", b"[" * 15_000, b"9" * 6_000, b"x" * 1_000_000,
        b'{"outcome": 7}', b'{"outcome": "other"}', b'{"reason": 7, "next_url": []}',
        rb'{"reason": "\ud800", "next_url": "https://x.example/\ud800"}', b'{"next_url": "javascript:alert(1)"}',
        b'{"next_url": "https://["}', b'{"reason": "' + "\u0301\u0323".encode() * 4_000 + b'"}',
    ]  # fmt: skip


async def test_a_platform_that_fails_is_asked_again_by_the_schedule_with_the_same_id(
    to: To, click: Click, clock: SetClock, redis: ArqRedis, parts: Parts
) -> None:
    seen: list[str] = []

    def failing(request: Request) -> Response:
        seen.append(request.headers["webhook-id"])
        return Response(status_code=500)

    forwarder = await to(answering(failing))
    link = await click()
    waits = []
    for _ in range(10):
        await forward(forwarder)
        waits.append(await due_in(redis, clock))
        clock.forward(ms=(waits[-1] or 1) - 1)
        await forward(forwarder)  # not a millisecond early
        clock.forward(ms=1)
    hours = [h * 60 * MINUTE for h in (2, 5, 10, 14, 20, 24)]
    assert waits == [5_000, 5 * MINUTE, 30 * MINUTE, *hours, None]
    assert len(seen) == 10
    assert len(set(seen)) == 1
    assert await redis.zcard("link:dead") == 1
    assert (await parts.ledger.look(link, link.issued)).outcome == "pending"


async def test_each_failure_waits_as_long_as_it_should(
    to: To, click: Click, clock: SetClock, redis: ArqRedis, subtests: pytest.Subtests
) -> None:
    clock.now = clock.now // 1000 * 1000
    date = format_datetime(moment(clock.now + 600_000), usegmt=True)
    for status, headers, wait in FAILURES:
        paths: list[str] = []
        given = {name: value.replace("DATE", date).encode("latin-1") for name, value in headers.items()}

        def failing(request: Request, paths: list[str] = paths, status: int = status) -> Response:
            paths.append(request.url.path)
            return Response(status_code=status)

        with subtests.test(status=status, headers=headers):
            await redis.flushall()
            await click()
            await forward(await to(answering(failing, given)))
            assert await due_in(redis, clock) == wait
            assert paths == ["/webhooks"]
            assert await redis.zcard("link:dead") == (1 if wait is None else 0)


async def test_any_body_with_a_200_is_done(
    to: To, click: Click, clock: SetClock, parts: Parts, redis: ArqRedis, subtests: pytest.Subtests
) -> None:
    said = b""
    forwarder = await to(answering(lambda _: Response(said)))
    for said in BODIES:
        with subtests.test(said=said[:40]):
            await redis.flushall()
            link = await click("authorize_device")
            await forward(forwarder)
            judgement = await parts.ledger.look(link, clock.now)
            assert judgement.outcome == "done"
            assert await redis.zcard("link:due") == 0
            sealed = await parts.actions.answer(judgement.action) if judgement.action else None
            if sealed and judgement.action:
                assert Answer.model_validate_json(parts.sealer.open(judgement.action, sealed)).next_url is None


async def test_a_platform_that_is_down_or_hangs_is_asked_again(
    to: To, click: Click, clock: SetClock, platform: AccountPlatform, redis: ArqRedis
) -> None:
    # The platform takes only what was signed within five minutes of now, which is where this ends.
    clock.forward(minutes=-35, seconds=-5)
    platform.down = True
    forwarder = await to(platform.app)
    await click()
    await forward(forwarder)
    assert await due_in(redis, clock) == 5_000
    platform.down = False
    release = asyncio.Event()

    async def dripping(scope: Any, receive: Any, send: Any) -> None:
        """A byte now and then, without end."""
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while not release.is_set():
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
                await asyncio.sleep(0.02)

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await release.wait()

    for app, wait in ((silent, 5 * MINUTE), (dripping, 30 * MINUTE)):
        clock.forward(ms=await due_in(redis, clock) or 0)
        async with asyncio.timeout(3):
            slow = await to(app)
            await forward(replace(slow, webhook=replace(slow.webhook, timeout=timedelta(seconds=0.3))))
        assert await due_in(redis, clock) == wait
    release.set()
    clock.forward(ms=await due_in(redis, clock) or 0)
    await forward(forwarder)
    assert platform.accounts[ACCOUNT].state == "deactivated"
    assert await due_in(redis, clock) is None


async def test_an_idle_connection_is_given_up_before_the_platform_closes_it() -> None:
    """Servers do so after 5 s, which is when the first retry comes."""
    came: list[object] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            came.append(scope["client"])
            await Response()(scope, receive, send)

    async with serving(app, "127.0.0.1", 0, "") as port, new_client() as http:
        for pause in (0, 3):
            await asyncio.sleep(pause)
            assert (await http.post(f"http://127.0.0.1:{port}/")).status_code == 200
    first, second = came
    assert first != second


async def test_a_store_that_is_full_delays_what_a_confirmation_starts_and_buries_nothing(
    to: To, click: Click, clock: SetClock, platform: AccountPlatform, redis: ArqRedis, parts: Parts
) -> None:
    forwarder = await to(platform.app)
    link = await click()
    await redis.config_set("maxmemory", 1)
    try:
        await forward(forwarder)
        wait = await due_in(redis, clock)
    finally:
        await redis.config_set("maxmemory", 0)
    # The platform has it and the page says so; the owner's notice is a new event, for which there is no room.
    assert platform.accounts[ACCOUNT].state == "deactivated"
    assert (await parts.archive.counts())["accepted"] == 1
    assert wait == 5_000
    clock.forward(ms=wait)
    ((taken, _),) = await forwarder._claim(9)
    assert taken.lost == 0
    clock.forward(seconds=20)
    await forward(forwarder)
    assert await due_in(redis, clock) is None
    assert (await parts.archive.counts())["accepted"] == 2
    assert [delivery.repeated for delivery in platform.deliveries] == [False, True]
    assert (await parts.ledger.look(link, clock.now)).outcome == "done"
