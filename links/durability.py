"""Writes to Redis come in; they return once they are where they must be before anybody is told: in the server's
memory, on its disk, or on its disk and a replica's; or raise `Unconfirmed` when that is not known within a second.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Literal

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

Word = str | bytes | int
Command = tuple[Word, ...]
Acknowledge = Literal["memory", "disk", "replica"]

# WAITAOF speaks of what its own connection has written. With this write before it, it speaks of all that anybody has
# written up to now: also of an event that an earlier call recorded and was not told of.
# Also in a store that is full, which takes an owner's click (Redis 7, "eval-flags").
_MARK: Command = ("EVAL", "#!lua flags=allow-oom\nredis.call('SET', KEYS[1], '', 'EX', 86400)", 1, "confirmed")
# A replica says what it has on disk when it is asked, and otherwise once a second. Each of these asks; their waits, in
# ms, make less than a second.
_ASKED = (10, 20, 40, 80, 150, 250)
_CONFIRMATION: dict[Acknowledge, Sequence[Command]] = {
    "memory": (),
    "disk": (_MARK, *(("WAITAOF", 1, 0, ms) for ms in _ASKED)),
    # WAIT (received, perhaps not yet on disk) is what there is before Redis 7.2.
    "replica": (_MARK, ("WAIT", 1, 200), *(("WAITAOF", 1, 1, ms) for ms in _ASKED)),
}


class Unconfirmed(RedisError):
    """Written, and not known to be where it must be. The same call again will do later, and writes nothing twice."""


async def run(
    redis: Redis, script: str, keys: Sequence[str], args: Sequence[Word], acknowledge: Acknowledge = "memory"
) -> Any:
    """What a Lua script returns; raises Unconfirmed, also for what an earlier call has written."""
    if acknowledge == "memory":
        try:
            return await redis.evalsha(_digest(script), len(keys), *keys, *args)  # type: ignore[misc,arg-type]
        except NoScriptError:
            # Not loaded and called again, as redis-py does: SCRIPT FLUSH or a failover may come in between as well, and
            # a mail that was sent would not be marked.
            pass
    # Not EVALSHA: a server that was promoted a moment ago knows no scripts.
    return (await _pipelined(redis, [("EVAL", script, len(keys), *keys, *args)], acknowledge))[0]


@cache
def _digest(script: str) -> str:
    """What EVALSHA knows a script by."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


async def write_all(redis: Redis, writes: Iterable[Command], acknowledge: Acknowledge = "memory") -> None:
    """Apply `writes` in one step; raises Unconfirmed."""
    await _pipelined(redis, [("MULTI",), *writes, ("EXEC",)], acknowledge)


async def confirm(redis: Redis, acknowledge: Acknowledge) -> None:
    """Whether a write is confirmed now; raises Unconfirmed when not."""
    await _pipelined(redis, [], acknowledge)


async def _pipelined(redis: Redis, commands: Sequence[Command], acknowledge: Acknowledge) -> list[Any]:
    """The answers to `commands`, which go out with the waiting in one transmission, and so on one connection.

    After a failover in between, another connection would speak for a server that has never seen the writes.
    """
    confirmation = _CONFIRMATION[acknowledge]
    async with redis.pipeline(transaction=False) as pipe:
        for command in (*commands, *confirmation):
            pipe.execute_command(*command)
        answers = await pipe.execute(raise_on_error=False)
    answered, confirmed = answers[: len(commands)], answers[len(commands) :]
    _raise_first(answered)
    if confirmation:
        _check(confirmed, acknowledge)
    return answered


def _check(answers: Sequence[Any], acknowledge: Acknowledge) -> None:
    if isinstance(answers[-1], ResponseError) and str(answers[-1]).startswith("unknown command"):
        if acknowledge == "disk":
            raise Unconfirmed("the server has no WAITAOF: Redis 7.2 or newer is needed")
        answers = answers[:2]
    _raise_first(answers)
    last = answers[-1]
    local, replicas = last if isinstance(last, list) else (1, last)
    if not local or replicas < (acknowledge == "replica"):
        raise Unconfirmed("the write was not confirmed in time")


def _raise_first(answers: Iterable[Any]) -> None:
    for answer in answers:
        if isinstance(answer, list):  # of EXEC
            _raise_first(answer)
        elif isinstance(answer, Exception):
            raise answer
