"""How much a key may ask: the key and how much it wants come in; what it is granted and has left goes out.

One counter in the store for each key, whatever its rate. A process grants a 64th of the quota by itself and then tells
the store, which tells what is left: most requests cost no call, small quotas are counted exactly, and a large one is
passed by as many 64ths at most as there are processes. That a key was used is noted in the same call, once a minute.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from limits import RateLimitItem
from redis.asyncio import Redis

from links.durability import run
from links.store import WHEN_FULL
from notifier.setting_types import ApiKey

RULE = "api_key"
LAST_USED = "api-keys:used"
# Also in a store that is full: a code is checked in it.
_TAKE = WHEN_FULL + (Path(__file__).parent / "allowance.lua").read_text("utf-8")
_MINUTE = 60_000
_PARTS = 64


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key may ask: `quota` in `window` seconds, of which `left` until the window ends in `reset` seconds.

    `granted` is how much of what was wanted it got now.
    """

    granted: int
    quota: int
    window: int
    left: int
    reset: int

    @property
    def headers(self) -> Mapping[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 has them."""
        return {
            "ratelimit-policy": f'"{RULE}";q={self.quota};w={self.window}',
            "ratelimit": f'"{RULE}";r={self.left};t={self.reset}',
        }


@dataclass(slots=True)
class _Window:
    """What a process knows of a key's window: until when it lasts (ms), what was left when the store last told, what it
    has granted since, and in which minute it last noted that the key is used.
    """

    ends: int = 0
    left: int = 0
    untold: int = 0
    noted: int = 0


class Allowances:
    """Counts what keys ask, by `rule` where a key has none of its own: in `redis`, for all processes together."""

    def __init__(self, redis: Redis, rule: RateLimitItem) -> None:
        self._redis = redis
        self._rule = rule
        self._windows: dict[str, _Window] = {}

    async def take(self, key: ApiKey, wanted: int, now: int) -> Allowance:
        """As much of `wanted` as there is; `now` in ms. Raises as Redis does."""
        rule = key.limits.get(RULE, self._rule)
        quota, span = rule.amount, rule.get_expiry() * 1000
        name = key.id or key.digest[:16]
        window = self._windows.setdefault(name, _Window())
        if not 0 < window.ends - now <= span:
            window.ends, window.left, window.untold = now + span, quota, 0
        minute = now - now % _MINUTE
        unnoted = key.id if window.noted != minute else ""
        asked = window.untold + wanted
        if not window.left:
            # As the store told, and so it stays until the window ends: a loop that is over its limit costs no call.
            granted = 0
        elif unnoted or asked > min(quota // _PARTS, window.left):
            window.untold = 0
            try:
                taken, window.left, ends = await run(
                    self._redis, _TAKE, [f"limit:{RULE}:{name}", LAST_USED], [asked, quota, span, unnoted, minute]
                )
            except BaseException:
                window.untold += asked - wanted
                raise
            window.ends, window.noted = now + ends, minute
            granted = max(0, taken - (asked - wanted))
        else:
            window.untold, granted = asked, wanted
        left = max(0, window.left - window.untold)
        return Allowance(granted, quota, span // 1000, left, math.ceil((window.ends - now) / 1000))
