"""What the tests of delivery stand on: the stage as a worker wires it, on the real store, with transports in memory."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from arq.connections import ArqRedis

from notifier.clock import moment
from notifier.composition import Parts, compose
from notifier.config import Settings
from notifier.delivery import Delivery
from notifier.events import Channel, Event, Recipient
from notifier.notices import NOTICES, Lane
from notifier.transports.base import Mail, Receipt, Sms
from notifier.transports.memory import MemoryTransport
from tests.conftest import SetClock

Post = Callable[..., Awaitable[str]]


class Mails(MemoryTransport[Mail]):
    """Keeps what it was given to send, also when it then fails; `before` each is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Mail] = []
        self.before: Callable[[Mail], Awaitable[None]] | None = None

    async def send(self, message: Mail) -> Receipt:
        self.given.append(message)
        if self.before:
            await self.before(message)
        return await super().send(message)


@pytest.fixture
def parts(settings: Settings, redis: ArqRedis, clock: SetClock) -> Parts:
    return compose(settings, redis, clock)


@pytest.fixture
def mails() -> Mails:
    return Mails()


@pytest.fixture
def texts() -> MemoryTransport[Sms]:
    return MemoryTransport()


@pytest.fixture
def delivery(parts: Parts, mails: Mails, texts: MemoryTransport[Sms]) -> Delivery:
    return Delivery(
        outbox=parts.outbox,
        codes=parts.codes,
        linkage=parts.linkage,
        renderer=parts.renderer,
        sealer=parts.sealer,
        mail=mails,
        sms=texts,
        sender=parts.settings.sender,
        clock=parts.clock,
    )


@pytest.fixture
def post(parts: Parts, clock: SetClock) -> Post:
    """Has a notice accepted; gives the id of its notification."""
    count = iter(range(1000))

    async def posted(notice: str = "login_succeeded", channel: Channel = "email") -> str:
        row = NOTICES[notice].context
        facts = {"occurred_at": moment(clock.now), "ip": "203.0.113.24", "device": "Chrome"}
        accepted = await parts.intake.accept(
            Event(
                id=str(next(count)),
                source="tests",
                account="acct-1",
                notice=notice,
                recipient=Recipient(email="arta@mail.example", phone="+355691234567", locale="sq"),
                channels=(channel,),
                context=row.model_validate({name: facts[name] for name in row.model_fields if name in facts}),
            )
        )
        (id,) = accepted.notifications
        return id

    return posted


async def told(parts: Parts, id: str) -> tuple[str, list[dict[str, Any]]]:
    """Where a notification stands: its status, and its timeline."""
    notification = await parts.outbox.find(id)
    assert notification is not None
    return notification.status, await parts.outbox.timeline(id)


async def dead(parts: Parts) -> list[str]:
    return [id.decode() for id in await parts.redis.zrange("dead", 0, -1)]


async def due(parts: Parts) -> bool:
    return await parts.outbox.has_due(Lane.ALERT, parts.clock() + 10**9)
