"""Actions that owners confirmed come in from the ledger; signed POSTs go out to the account platform until it answers.

Signed after Standard Webhooks (https://www.standardwebhooks.com). At least once, with an id that stays the same; a
platform that is down delays an action and never loses it. Its confirmation starts the notice that tells the owner.
"""

import asyncio
import base64
import contextlib
import hmac
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import structlog
from redis.exceptions import RedisError

from links.ledger import Ledger, State
from links.store import Claim
from notifier import ids
from notifier.actions import Action, Answer
from notifier.clock import Clock, moment, rfc3339
from notifier.errors import Conflict
from notifier.events import Event, Occurrence
from notifier.outbox import Outbox
from notifier.records import Accepted
from notifier.sealing import Sealer, Unsealable
from notifier.text import harmless

log = structlog.get_logger()

TIMEOUT = timedelta(seconds=15)
# Longer than the timeout, so that nobody else takes an action which is on its way.
_LEASE = 30_000
_BATCH = 16
_MOST_ANSWER_BYTES = 20_000
# After the first attempt, at 0 s (Standard Webhooks, "Retries").
_SCHEDULE = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=h) for h in (2, 5, 10, 14, 20, 24)),
]
# The platform's confirmation of these is told to the owner. No producer's source can hold a control character, so
# none can post under this one.
_TELLS: dict[str, tuple[State, str]] = {
    "account.deactivation_confirmed": ("deactivated", "account_deactivated"),
    "account.reactivation_confirmed": ("active", "account_reactivated"),
}
_SOURCE = "\x00platform"


@dataclass(frozen=True, slots=True)
class Told:
    """What the platform made of an action: `again` asks for another attempt, `stopped` for none."""

    outcome: Literal["done", "refused", "again", "stopped"]
    detail: str
    answer: Answer | None = None
    retry_after: float = 0


def sign(secrets: Sequence[bytes], id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one v1 signature for each secret, newest first, so that either verifies."""
    signed = b".".join((id.encode(), str(timestamp).encode(), body))
    return " ".join(
        f"v1,{base64.b64encode(hmac.digest(secret, signed, 'sha256')).decode()}" for secret in reversed(secrets)
    )


@dataclass(frozen=True, slots=True)
class Forwarder:
    """The stage's tools, handed in by the worker. `accept` takes the notice that follows a confirmation."""

    ledger: Ledger
    outbox: Outbox
    sealer: Sealer
    http: httpx.AsyncClient
    url: str
    secrets: Sequence[bytes]
    accept: Callable[[Event], Awaitable[object]]
    clock: Clock
    jitter: Callable[[], float] = field(default=lambda: random.uniform(1, 1.2))
    timeout: timedelta = TIMEOUT

    async def forward(self) -> None:
        """Forward all that is due."""
        while batch := await self.ledger.claim(self.clock(), _LEASE, _BATCH):
            ended = await asyncio.gather(*(self._attempt(taken) for taken in batch), return_exceptions=True)
            for error in ended:
                # One that this version cannot read comes back when its lease ends, and must not stop the others.
                if isinstance(error, RedisError):
                    raise error
                if error:
                    log.error("forwarding_failed", error=type(error).__name__)

    async def _attempt(self, taken: Claim) -> None:
        try:
            action = Action.open(self.sealer, taken.id, taken.fields["payload"])
        except Unsealable:
            await self.ledger.bury(taken, self.clock())
            log.error("action_dead", action=taken.id, reason="payload_key_retired")
            return
        told = await self._post(taken.id, action)
        now, attempts = self.clock(), int(taken.fields.get("attempts", 0))
        await self.outbox.note(action.notification, now, "forwarded", outcome=told.outcome, detail=told.detail)
        log.info("forwarded", action=taken.id, type=action.type, outcome=told.outcome, detail=told.detail)
        if told.outcome == "done" or told.outcome == "refused":
            if told.outcome == "done":
                await self._tell(taken.id, action, now)
            sealed = self.sealer.seal(taken.id, told.answer.model_dump_json().encode()) if told.answer else None
            await self.ledger.finish(taken, told.outcome, now, sealed)
        elif told.outcome == "stopped" or attempts >= len(_SCHEDULE):
            await self.ledger.bury(taken, now)
            log.error("action_dead", action=taken.id, reason=told.detail)
        else:
            wait = max(_SCHEDULE[attempts].total_seconds() * self.jitter(), told.retry_after)
            await self.ledger.retry(taken, now + round(wait * 1000))

    async def _post(self, id: str, action: Action) -> Told:
        body = json.dumps(
            {
                "type": action.type,
                "timestamp": rfc3339(action.clicked),
                "data": {
                    "account_id": action.account,
                    "event_id": action.event,
                    "notice": action.notice,
                    "reference": action.reference,
                    "clicked_at": rfc3339(action.clicked),
                    "ip": action.ip,
                    "user_agent": action.user_agent,
                    "locale": action.locale,
                },
            },
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        timestamp = self.clock() // 1000
        headers = {
            "content-type": "application/json",
            "webhook-id": f"msg_{id}",
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self.secrets, f"msg_{id}", timestamp, body),
        }
        try:
            # httpx bounds each read; a platform that sends a byte now and then must end too.
            async with asyncio.timeout(self.timeout.total_seconds()):
                answer = await self._bounded(body, headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            return Told("again", f"unreachable_{type(error).__name__}")
        return answer

    async def _bounded(self, body: bytes, headers: dict[str, str]) -> Told:
        async with self.http.stream(
            "POST", self.url, content=body, headers=headers, follow_redirects=False
        ) as response:
            said = b""
            async for chunk in response.aiter_bytes():
                said += chunk
                if len(said) > _MOST_ANSWER_BYTES:
                    break
            if response.is_success:
                return _read(said)
            if response.status_code == httpx.codes.GONE:
                return Told("stopped", "http_410")
            after = _seconds(response.headers.get("retry-after"), self.clock())
            return Told("again", f"http_{response.status_code}", retry_after=after)

    async def _tell(self, id: str, action: Action, now: int) -> None:
        """A confirmation changes the account's state, and its owner is told, once by the action's id.

        Both may be done again, should this worker die before the action is finished. Where the event is no longer kept
        nobody can be told.
        """
        if action.type not in _TELLS:
            return
        state, notice = _TELLS[action.type]
        # Links are retired up to the click, not up to now: the notice below is accepted now and brings a fresh one.
        at = now if state == "deactivated" else min(action.clicked, now - 1)
        since = await self.ledger.tell(ids.digest(action.account), state, at)
        event = await self._event(action)
        if event is None:
            return
        # An earlier attempt may have told it with another time.
        with contextlib.suppress(Conflict):
            await self.accept(
                Event(
                    id=id,
                    source=_SOURCE,
                    account=action.account,
                    notice=notice,
                    recipient=event.recipient,
                    channels=tuple(dict.fromkeys(event.notifications.values())),
                    context=Occurrence(occurred_at=moment(since if state == "deactivated" else now)),
                    reference=action.reference,
                )
            )

    async def _event(self, action: Action) -> Accepted | None:
        """The event whose link was clicked; None when it is no longer kept, or its key no longer listed."""
        sealed = await self.outbox.payload(action.event)
        try:
            return Accepted.open(self.sealer, action.event, sealed) if sealed is not None else None
        except Unsealable:
            return None


def _read(said: bytes) -> Told:
    """Any 2xx is success; its JSON may say more."""
    try:
        parsed: Any = json.loads(said)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        return Told("done", "http_2xx")
    reason, next_url = parsed.get("reason"), parsed.get("next_url")
    answer = Answer(
        reason=harmless(reason) if isinstance(reason, str) and reason else None,
        next_url=next_url if isinstance(next_url, str) and _is_web(next_url) else None,
    )
    outcome: Literal["done", "refused"] = "refused" if parsed.get("outcome") == "refused" else "done"
    more = answer.reason or answer.next_url
    return Told(outcome, "http_2xx", answer if more or outcome == "refused" else None)


def _is_web(url: str) -> bool:
    try:
        url.encode()  # half of a surrogate pair is JSON, and no text
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and len(url) <= 2_000


def _seconds(retry_after: str | None, now: int) -> float:
    """Retry-After (RFC 9110) in seconds from now, at most a day."""
    if not retry_after:
        return 0
    if retry_after.isdecimal():
        return min(float(retry_after), 86_400)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - datetime.fromtimestamp(now / 1000, UTC)).total_seconds(), 0), 86_400)
