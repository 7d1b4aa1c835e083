"""Who waits for news of an inbox, in this process: an account's digest comes in, a `Reader` that is woken goes out.

One subscription serves all. A wake-up is a hint that may come for nothing, or get lost with a connection: what there is
to be read stands in the inbox.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.exceptions import RedisError

from notifier.errors import Overloaded
from notifier.inbox import NEWS

# Each has a connection, and asks the store at least every few seconds.
MOST = 500
_AGAIN_S = 1
_COME_BACK_S = 5


@dataclass(eq=False, slots=True)
class Reader:
    """Somebody who waits for one account's news; `ended` when this process stops."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    async def wait(self, seconds: float) -> bool:
        """False when nothing has woken it for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        return self.woken.is_set()


class News:
    """At most `most` readers."""

    def __init__(self, redis: Redis, most: int = MOST) -> None:
        self._redis = redis
        self._most = most
        self._readers: dict[str, set[Reader]] = defaultdict(set)
        self._ended = False

    def join(self, account: str) -> Reader:
        """Somebody more who waits; raises Overloaded."""
        if self._ended or sum(map(len, self._readers.values())) >= self._most:
            raise Overloaded("this process has as many listeners as it can serve", _COME_BACK_S)
        reader = Reader()
        self._readers[account].add(reader)
        return reader

    def leave(self, account: str, reader: Reader) -> None:
        """Somebody less."""
        self._readers[account].discard(reader)
        if not self._readers[account]:
            del self._readers[account]

    def end(self) -> None:
        """Every reader ends, and nobody joins any more."""
        self._ended = True
        for readers in self._readers.values():
            for reader in readers:
                reader.ended = True
                reader.woken.set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Readers are woken as long as the block runs."""
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _listen(self) -> None:
        while True:
            with suppress(RedisError, OSError):
                async with self._redis.pubsub() as heard:
                    await heard.subscribe(NEWS)
                    while True:
                        self._tell(await heard.get_message(timeout=None))
            await asyncio.sleep(_AGAIN_S)

    def _tell(self, message: dict[str, object] | None) -> None:
        if message and message["type"] == "message":
            account = message["data"]
            accounts = [account.decode()] if isinstance(account, bytes) else []
        else:
            # Subscribed, perhaps once more: nobody knows what was said meanwhile.
            accounts = list(self._readers)
        for account in accounts:
            for reader in self._readers.get(account, ()):
                reader.woken.set()
