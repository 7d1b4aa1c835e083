"""An action comes in and goes out to the account platform as one signed POST; what the platform made of it comes back.

Signed after Standard Webhooks (https://www.standardwebhooks.com).
"""

import asyncio
import base64
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from notifier import traces
from notifier.actions import Action, Answer
from notifier.clock import Clock, retry_after, rfc3339
from notifier.text import harmless

TIMEOUT = timedelta(seconds=15)
# For how many seconds an idle connection is kept: less than any server does (5 s are common, and the first retry comes
# after as many). One that the platform closes while a request is on its way looks like a failed attempt.
_IDLE = 2
_MOST_ANSWER_BYTES = 20_000
# Whatever the platform asks for: a day.
_LONGEST_WAIT = 86_400


def new_client() -> httpx.AsyncClient:
    """Keeps connections, and is patient for no longer than it may."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=_IDLE)
    return httpx.AsyncClient(timeout=TIMEOUT.total_seconds(), limits=limits)


@dataclass(frozen=True, slots=True)
class Told:
    """What the platform made of an action: `again` asks for another attempt, `stopped` for none."""

    outcome: Literal["done", "refused", "again", "stopped"]
    detail: str
    answer: Answer | None = None
    retry_after: float = 0


@dataclass(frozen=True, slots=True)
class Webhook:
    """Of the platform at `url`; `secrets` are oldest to newest."""

    http: httpx.AsyncClient
    url: str
    secrets: Sequence[bytes]
    clock: Clock
    timeout: timedelta = TIMEOUT

    async def post(self, id: str, action: Action) -> Told:
        """One attempt, which ends within the timeout; never raises for what the platform does."""
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
        step = traces.carried()
        if step:
            headers[traces.HEADER] = step
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
            after = retry_after(response.headers.get("retry-after", ""), self.clock())
            return Told("again", f"http_{response.status_code}", retry_after=min(after, _LONGEST_WAIT))


def sign(secrets: Sequence[bytes], id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one v1 signature for each secret, newest first, so that either verifies."""
    signed = b".".join((id.encode(), str(timestamp).encode(), body))
    return " ".join(
        f"v1,{base64.b64encode(hmac.digest(secret, signed, 'sha256')).decode()}" for secret in reversed(secrets)
    )


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
