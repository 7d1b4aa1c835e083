"""Who waits for news in this process, of an account's inbox or of an action's end: what it is about comes in, a
`Reader` that is woken goes out.

One subscription to a channel serves all. A wake-up is a hint that may come for nothing, or get lost with a connection:
what there is to be read stands in the store.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.exceptions import RedisError

from notifier.errors import Overloaded

_AGAIN_S = 1
_COME_BACK_S = 5


@dataclass(eq=False, slots=True)
class Reader:
    """Somebody who waits for news of one thing; `ended` when this process stops."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    async def wait(self, seconds: float) -> bool:
        """False when nothing has woken it for so long; what wakes it from now on wakes the next wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        woken = self.woken.is_set()
        self.woken.clear()
        return woken


class News:
    """What is said on `channel`, a message names what there is news of; at most `most` readers."""

    def __init__(self, redis: Redis, channel: str, most: float = math.inf) -> None:
        self._redis = redis
        self._channel = channel
        self._most = most
        self._readers: dict[str, set[Reader]] = defaultdict(set)
        self._ended = False

    @contextmanager
    def reading(self, subject: str) -> Iterator[Reader]:
        """Somebody who waits as long as the block runs; raises Overloaded."""
        reader = self.join(subject)
        try:
            yield reader
        finally:
            self.leave(subject, reader)

    def join(self, subject: str) -> Reader:
        """Somebody more who waits; raises Overloaded."""
        if self._ended or sum(map(len, self._readers.values())) >= self._most:
            raise Overloaded("this process has as many listeners as it can serve", _COME_BACK_S)
        reader = Reader()
        self._readers[subject].add(reader)
        return reader

    def leave(self, subject: str, reader: Reader) -> None:
        """Somebody less."""
        self._readers[subject].discard(reader)
        if not self._readers[subject]:
            del self._readers[subject]

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
                    await heard.subscribe(self._channel)
                    while True:
                        self._tell(await heard.get_message(timeout=None))
            await asyncio.sleep(_AGAIN_S)

    def _tell(self, message: dict[str, object] | None) -> None:
        if message and message["type"] == "message":
            subject = message["data"]
            subjects = [subject.decode()] if isinstance(subject, bytes) else []
        else:
            # Subscribed, perhaps once more: nobody knows what was said meanwhile.
            subjects = list(self._readers)
        for subject in subjects:
            for reader in self._readers.get(subject, ()):
                reader.woken.set()
