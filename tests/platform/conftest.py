"""What the tests of forwarding stand on: a forwarder to any application that is served, and actions that are due."""

import asyncio
import base64
import math
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from arq.connections import ArqRedis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from links.ledger import Link
from notifier import ids
from notifier.actions import Action
from notifier.clock import moment
from notifier.composition import Parts
from notifier.config import Settings
from notifier.contexts import Activity
from notifier.events import Event, Recipient
from notifier.platform import Forwarder
from notifier.rounds import Held
from notifier.sandbox.platform import AccountPlatform
from notifier.sandbox.serving import serving
from notifier.sealing import Sealer
from notifier.webhook import Webhook, new_client
from tests.conftest import SetClock

OLD, NEW = (secrets.token_bytes(32) for _ in range(2))
ACCOUNT = "acc-1"
MINUTE = 60_000

Click = Callable[..., Awaitable[Link]]
To = Callable[[Any], Awaitable[Forwarder]]


def whsec(secret: bytes) -> str:
    return "whsec_" + base64.b64encode(secret).decode()


@pytest.fixture
def parts(settings: Settings, redis: ArqRedis, clock: SetClock) -> Parts:
    return Parts(settings, redis, clock)


@pytest.fixture
def platform() -> AccountPlatform:
    return AccountPlatform(whsec(NEW))


@pytest.fixture
async def to(parts: Parts) -> AsyncIterator[To]:
    """A forwarder to an application that is served on a port; without jitter."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(new_client())

        async def forwarder(app: Any) -> Forwarder:
            port = await stack.enter_async_context(serving(app, "127.0.0.1", 0, ""))
            return Forwarder(
                ledger=parts.ledger,
                actions=parts.actions,
                outbox=parts.outbox,
                archive=parts.archive,
                sealer=parts.sealer,
                webhook=Webhook(http, f"http://127.0.0.1:{port}/webhooks", [NEW], parts.clock),
                accept=parts.intake.accept,
                clock=parts.clock,
                jitter=lambda: 1,
            )

        yield forwarder


@pytest.fixture
def click(parts: Parts, clock: SetClock) -> Click:
    """An accepted event whose link is clicked: its action is due."""

    async def click(purpose: str = "deactivate", sealer: Sealer | None = None) -> Link:
        event = Event(
            id=secrets.token_hex(8),
            source="https://accounts.example",
            account=ACCOUNT,
            notice="new_device",
            recipient=Recipient(email="anna@example.com"),
            channels=("email",),
            context=Activity(occurred_at=moment(clock.now), ip="192.0.2.7", device="Firefox"),
            reference="opaque",
        )
        acceptance = await parts.intake.accept(event)
        row, id = parts.tokens.purposes[purpose], ids.new_id("action")
        (notification,) = acceptance.notifications
        link = Link(row, row.letter + notification, ids.digest(ACCOUNT), clock.now, clock.now + 7 * 86_400_000)
        action = Action(
            type=row.action,
            account=ACCOUNT,
            event=acceptance.event,
            notice=event.notice,
            notification=notification,
            reference=event.reference,
            clicked=clock.now,
            ip="198.51.100.9",
            user_agent="Müller/1.0",
            locale="sq",
        )
        sealed = action.seal(sealer or parts.sealer, id)
        assert (await parts.ledger.consume(link, clock.now, id, sealed)).outcome == "accepted"
        return link

    return click


def answering(answer: Callable[[Request], Response], headers: dict[str, bytes] | None = None) -> Starlette:
    async def webhooks(request: Request) -> Response:
        response = answer(request)
        response.raw_headers.extend((name.encode(), value) for name, value in (headers or {}).items())
        return response

    return Starlette(routes=[Route("/{path:path}", webhooks, methods=["GET", "POST"])])


async def due_in(redis: ArqRedis, clock: SetClock) -> int | None:
    """Milliseconds until the one action is due again."""
    rows = await redis.zrange("link:due", 0, -1, withscores=True)
    return int(rows[0][1]) - clock.now if rows else None


async def forward(forwarder: Forwarder) -> None:
    """All that is due, as a round does."""
    while batch := await forwarder.actions.claim(forwarder.clock(), 30_000, 16):
        await asyncio.gather(*(forwarder.attempt(Held(claim, math.inf)) for claim in batch))
