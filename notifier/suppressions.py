"""Addresses and numbers that nothing will ever be taken for: one that bounced comes in; whether it did comes out.

Kept as an HMAC under our keys: of a plain digest, every phone number there is could be tried.
"""

import base64
import hmac
from collections.abc import Sequence
from datetime import timedelta

from redis.asyncio import Redis

from links.durability import run
from links.store import WHEN_FULL
from notifier.events import Channel

# Mailboxes are made anew and numbers given to others; and a bounce may have been somebody's mistake.
_KEEP = round(timedelta(days=90).total_seconds() * 1000)
# What was refused is settled though the store is full, and this with it.
_ADD = WHEN_FULL + "redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])"


class Suppressions:
    """In Redis, under the newest of `keys` (the last)."""

    def __init__(self, redis: Redis, keys: Sequence[bytes]) -> None:
        self._redis = redis
        self._keys = keys

    async def add(self, channel: Channel, address: str) -> None:
        """It bounced for good."""
        await run(self._redis, _ADD, [_key(self._keys[-1], channel, address)], [_KEEP])

    async def holds(self, channel: Channel, address: str) -> bool:
        """Whether it did, and was not lifted since."""
        return bool(await self._redis.exists(*self._all(channel, address)))

    async def lift(self, channel: Channel, address: str) -> bool:
        """Use it again; False when it was not suppressed."""
        return bool(await self._redis.delete(*self._all(channel, address)))

    def _all(self, channel: Channel, address: str) -> list[str]:
        return [_key(key, channel, address) for key in self._keys]


def _key(key: bytes, channel: Channel, address: str) -> str:
    mac = hmac.digest(key, f"notifier.suppression:{channel}:{address.casefold()}".encode(), "sha256")
    return f"suppressed:{base64.b32encode(mac[:16]).decode().rstrip('=').lower()}"
