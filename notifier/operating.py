"""What the operator's commands do with the store: a bounce or ids come in, what became of them goes out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

from notifier import bounces
from notifier.composition import Parts, open_store
from notifier.config import SettingsError, load
from notifier.dead_letters import DeadLetter, Kind
from notifier.errors import Refused
from notifier.telemetry import configure_logging

log = structlog.get_logger()

_PAGE = 200
# sysexits.h: a mail server keeps the bounce and tries again.
_TEMPFAIL = 75

Result = TypeVar("Result")


def read_bounce(mail: bytes, recipient: str) -> str:
    """Mark the notifications that a bounce is about."""

    async def marked(parts: Parts) -> str:
        if parts.return_path is None:
            raise SettingsError("NOTIFIER_BOUNCE_ADDRESS: is not set, so no mail from here can be told by its bounce")
        reports = bounces.read(mail, parts.return_path, recipient)
        known = [report for report in reports if await parts.receipts.tell(report)]
        return "\n".join(f"{report.notification}  {report.status}" for report in known) or "not about a mail from here"

    return run(marked)


def list_dead(kind: Kind) -> list[DeadLetter]:
    """Every dead letter of this kind, oldest first."""
    return run(lambda parts: _all(parts, kind))


def replay(ids: list[str], *, every: bool) -> list[tuple[str, str | None]]:
    """Each id, and why it could not be replayed if it could not."""

    async def replayed(parts: Parts) -> list[tuple[str, str | None]]:
        if every:
            letters = [*await _all(parts, "notification"), *await _all(parts, "action")]
            ids.extend(letter.id for letter in letters)
        return [(id, await _replayed(parts, id)) for id in ids]

    return run(replayed)


def run(work: Callable[[Parts], Awaitable[Result]]) -> Result:
    """Do this with the settings' store; ends the process with 75 while it does not answer."""
    configure_logging()

    async def main() -> Result:
        settings = load()
        redis = open_store(settings, patient=False)
        try:
            return await work(Parts(settings, redis))
        finally:
            await redis.aclose(close_connection_pool=True)

    try:
        return asyncio.run(main())
    except (RedisError, OSError) as error:
        # Said as well: to who lists dead letters, silence means that there are none.
        log.error("store_failed", error=type(error).__name__)
        raise SystemExit(_TEMPFAIL) from None


async def _all(parts: Parts, kind: Kind) -> list[DeadLetter]:
    letters: list[DeadLetter] = []
    while batch := await parts.dead_letters.list(kind, letters[-1].id if letters else "", _PAGE):
        letters += batch
    return letters


async def _replayed(parts: Parts, id: str) -> str | None:
    try:
        await parts.dead_letters.replay(id)
    except Refused as error:
        return error.detail
    return None
