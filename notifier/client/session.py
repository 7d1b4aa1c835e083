"""What both clients are made with: the service's URL and a key come in, the request of each call goes out."""

import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, TypedDict

from notifier.client.calls import Call
from notifier.client.patience import Patience, Tries

_USER_AGENT = f"notifier-client/{version('notifier')}"


class Sent(TypedDict):
    """A request, as httpx's `request` takes it."""

    method: str
    url: str
    params: dict[str, str]
    headers: dict[str, str]
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Session:
    """`now` gives seconds that only grow, `chance` numbers in [0, 1), `ids` an Idempotency-Key for each call."""

    url: str
    key: str = field(repr=False)
    patience: Patience
    now: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    ids: Callable[[], str] = lambda: str(uuid.uuid4())

    def tries(self) -> Tries:
        """Of one call."""
        return Tries(self.patience, self.now, self.chance)

    def request(self, call: Call[Any]) -> Sent:
        """The same bytes on every try."""
        headers = {"authorization": f"Bearer {self.key}", "user-agent": _USER_AGENT, "accept": "application/json"}
        if call.key is not None:
            headers["idempotency-key"] = call.key
        content = None
        if call.body is not None:
            headers["content-type"] = call.media_type
            content = json.dumps(call.body, allow_nan=False).encode()
        return {
            "method": call.method,
            "url": self.url.rstrip("/") + call.path,
            "params": dict(call.query),
            "headers": headers,
            "content": content,
        }
