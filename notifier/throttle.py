"""How often is too often: a rule's name and whom it is about come in; nothing goes out, or `TooMany`.

Counted by the library `limits` over moving windows in Redis, for all processes together. Whom a rule is about is kept
as a digest.
"""

import ipaddress
import math
import time
from collections.abc import Mapping
from copy import copy
from typing import Self

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from notifier import ids
from notifier.errors import TooMany

# The rules, and what they are unless the operator says otherwise.
DEFAULTS: Mapping[str, RateLimitItem] = {
    name: parse(rate)
    for name, rate in {
        # Requests and events by one key: a runaway loop's ends here, the notices of a fleet's bad day do not. Counted
        # by allowance.py, since so much in a moving window would take a megabyte of the store.
        "api_key": "60000/minute",
        # Sendings of codes: apart, and in all, to one address; for one account; by one producer.
        "code_spacing": "1/minute",
        "code_address": "5/10minute",
        "code_account": "20/hour",
        "code_producer": "600/minute",
        # Guesses, over all of an account's codes: each code has its own five besides.
        "verify_account": "100/10minute",
        # Presses of a page's button: from one network, and on one account's links. A network may be a carrier's, or a
        # proxy that nobody has named: an incident's clicks must pass.
        "visitor": "6000/minute",
        "link_account": "120/minute",
        # Messages to one block of phone numbers: whoever is paid for a block's traffic asks for much of it.
        "sms_block": "1000/hour",
    }.items()
}
_BLOCK = 4


class Throttle:
    """Rules by name, counted in `redis`."""

    def __init__(self, redis: Redis, rules: Mapping[str, RateLimitItem]) -> None:
        self._rules = rules
        shared = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="limit",
            connection_pool=redis.connection_pool,  # type: ignore[arg-type]  # passed on to redis-py as it is
        )
        self._shared = MovingWindowRateLimiter(shared)
        self._floor = MovingWindowRateLimiter(MemoryStorage())

    def under(self, rules: Mapping[str, RateLimitItem]) -> Self:
        """The same counts, under these rules instead of those of their names."""
        if not rules:
            return self
        other = copy(self)
        other._rules = {**self._rules, **rules}
        return other

    async def take(self, **whom: str) -> None:
        """Count one for each rule named, in that order; raises TooMany at the first that has no more.

        While Redis is away this raises as Redis does: what nobody counts is not sent.
        """
        for name, identity in whom.items():
            await self._take(self._shared, name, identity)

    async def take_or_floor(self, **whom: str) -> None:
        """The same, but while Redis is away each process counts for itself."""
        for name, identity in whom.items():
            try:
                await self._take(self._shared, name, identity)
            except (RedisError, OSError):
                await self._take(self._floor, name, identity)

    async def _take(self, limiter: MovingWindowRateLimiter, name: str, identity: str) -> None:
        rule, key = self._rules[name], ids.digest(identity)
        if not await limiter.hit(rule, name, key):
            window = await limiter.get_window_stats(rule, name, key)
            raise TooMany(f"{name} allows {rule}", max(1, math.ceil(window.reset_time - time.time())))


def network(address: str) -> str:
    """The network that an address is counted with: a /24, or the /64 that one IPv6 customer has."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False))


def block(number: str) -> str:
    """The block of ten thousand that a phone number is counted with."""
    return number[:-_BLOCK]
