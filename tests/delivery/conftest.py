"""What the tests of delivery stand on: the stage as a worker wires it, on the real store, with transports in memory."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from arq.connections import ArqRedis

import worker
from notifier.clock import moment
from notifier.composition import Parts
from notifier.config import Settings
from notifier.delivery import Delivery
from notifier.events import Channel, Event, Recipient
from notifier.notices import NOTICES, Lane
from notifier.rounds import Held
from notifier.transports.base import Mail, Receipt, Sms, Step, at_once
from notifier.transports.memory import MemoryTransport
from tests.conftest import SetClock

Post = Callable[..., Awaitable[str]]


class Mails(MemoryTransport[Mail]):
    """Keeps what it was given to send, also when it then fails; `before` each is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Mail] = []
        self.before: Callable[[Mail], Awaitable[None]] | None = None

    async def send(self, message: Mail, turn: Step = at_once) -> Receipt:
        self.given.append(message)
        if self.before:
            await self.before(message)
        return await super().send(message, turn)


@pytest.fixture
def parts(settings: Settings, redis: ArqRedis, clock: SetClock) -> Parts:
    return Parts(settings, redis, clock)


@pytest.fixture
def mails() -> Mails:
    return Mails()


@pytest.fixture
def texts() -> MemoryTransport[Sms]:
    return MemoryTransport()


@pytest.fixture
def delivery(parts: Parts, mails: Mails, texts: MemoryTransport[Sms]) -> Delivery:
    return worker.delivery(parts, mails, texts)


@pytest.fixture
def post(parts: Parts, clock: SetClock) -> Post:
    """Has a notice accepted; gives the id of its notification."""
    count = iter(range(1000))

    async def posted(
        notice: str = "login_succeeded",
        channel: Channel = "email",
        email: str | None = "arta@mail.example",
        send_at: datetime | None = None,
    ) -> str:
        row = NOTICES[notice].context
        facts = {"occurred_at": moment(clock.now), "ip": "203.0.113.24", "device": "Chrome"}
        accepted = await parts.intake.accept(
            Event(
                id=str(next(count)),
                source="tests",
                account="acct-1",
                notice=notice,
                recipient=Recipient(email=email, phone="+355691234567", locale="sq"),
                channels=(channel,),
                send_at=send_at,
                context=row.model_validate({name: facts[name] for name in row.model_fields if name in facts}),
            )
        )
        (id,) = accepted.notifications
        return id

    return posted


async def told(parts: Parts, id: str) -> tuple[str, list[dict[str, Any]]]:
    """Where a notification stands: its status, and its timeline."""
    notification = await parts.archive.find(id)
    assert notification is not None
    return notification.status, await parts.archive.timeline(id)


async def dead(parts: Parts) -> list[str]:
    return [id.decode() for id in await parts.redis.zrange("dead", 0, -1)]


async def due(parts: Parts) -> bool:
    return any([(await parts.archive.waiting(lane))[0] for lane in Lane])


async def deliver(delivery: Delivery, lane: Lane) -> None:
    """All that is due, as a round does."""
    while batch := await delivery.outbox.claim(lane, delivery.clock(), 64):
        await asyncio.gather(*(delivery.attempt(Held(claim, math.inf), one) for claim, one in batch))
