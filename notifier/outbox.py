"""Notifications on their way: accepted events go in, claims to deliver come out. The one file that knows their keys.

event:<digest of source and id>   16 bytes digest of the body, then the sealed `Accepted` (also the dedupe key)
ntf:<id>                          hash: the fields of `Notification`, and how often it was claimed
ntf:<id>:timeline                 list of JSON entries
due:<lane>                        sorted set: when each waiting notification is next due (ms)
dead                              sorted set: notifications given up, by when
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis

from links.store import Claim, Write, claim, has_due, write_if_absent, write_if_claimed
from notifier.events import Channel
from notifier.notices import Lane

RETENTION = timedelta(days=7)
LEASE = timedelta(seconds=30)
_KEEP = round(RETENTION.total_seconds() * 1000)
_LEASE = round(LEASE.total_seconds() * 1000)
_BODY_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One notification of an event, as it is first recorded; times in ms. `locale` is what it will be written in."""

    id: str
    channel: Channel
    notice: str
    lane: Lane
    locale: str
    deadline: int


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification as it stands; times in ms."""

    id: str
    event: str
    channel: Channel
    notice: str
    lane: Lane
    locale: str
    accepted: int
    deadline: int
    status: str
    attempts: int


class Outbox:
    """The notifications, in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def record(
        self, event: str, body: bytes, sealed: bytes, entries: Sequence[Entry], accepted: int, beside: Sequence[Write]
    ) -> tuple[bytes, bytes] | None:
        """Record the event, its notifications and the writes `beside` them in one step, unless the event is known.

        None when recorded; else the known event's (body digest, sealed payload). `body` is 16 bytes.
        """
        # The event last: Lua does not roll back, and whatever fails before leaves an event that may be posted again.
        writes = [*beside, *_recorded(event, entries, accepted), ("SET", _event(event), body + sealed, "PX", _KEEP)]
        known = await write_if_absent(self._redis, _event(event), writes)
        return None if known is None else (known[:_BODY_DIGEST], known[_BODY_DIGEST:])

    async def add(self, event: str, entries: Sequence[Entry], accepted: int) -> None:
        """More notifications of an event that is recorded already, in one step."""
        await self._write(_recorded(event, entries, accepted))

    async def payload(self, event: str) -> bytes | None:
        """The sealed payload of an event; None once it is no longer kept."""
        held: bytes | None = await self._redis.get(_event(event))
        return None if held is None else held[_BODY_DIGEST:]

    async def find(self, id: str) -> Notification | None:
        """A notification by its id."""
        fields = await self._redis.hgetall(_notification(id))  # type: ignore[misc]
        return _read(id, {name.decode(): value for name, value in fields.items()}) if fields else None

    async def timeline(self, id: str) -> list[dict[str, Any]]:
        """What has happened to a notification since it was accepted, oldest first."""
        rows = await self._redis.lrange(_notification(id) + ":timeline", 0, -1)  # type: ignore[misc]
        # A click is noted just after it counted; the action that it made may have been forwarded by then.
        return sorted((json.loads(row) for row in rows), key=lambda entry: int(entry["at"]))

    async def note(self, id: str, at: int, what: str, **facts: str | int) -> None:
        """Add to a notification's timeline."""
        await self._write(_noted(id, at, what, facts))

    async def _write(self, writes: Sequence[Write]) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            for write in writes:
                pipe.execute_command(*write)
            await pipe.execute()

    async def claim(self, lane: Lane, now: int, count: int) -> list[tuple[Claim, Notification]]:
        """Up to `count` notifications that are due, ours for the lease."""
        batch: list[tuple[Claim, Notification]] = []
        for taken in await claim(self._redis, _due(lane), _notification(""), now, _LEASE, count):
            try:
                batch.append((taken, _read(taken.id, taken.fields)))
            except (KeyError, ValueError):
                # Damaged, or another version's: a dead letter, or it would stop the others of every batch it is in.
                await self.settle(taken, lane, "failed", now, reason="unreadable")
        return batch

    async def has_due(self, lane: Lane, now: int) -> bool:
        """Whether any notification of the lane is due."""
        return await has_due(self._redis, _due(lane), now)

    async def settle(
        self, taken: Claim, lane: Lane, status: str, now: int, rendered: int | None = None, **facts: str | int
    ) -> bool:
        """This notification is done: `sent`, `expired`, … False when another worker has taken it since.

        `rendered` is when it was, to be told before.
        """
        key = _notification(taken.id)
        writes: list[Write] = [
            ("ZREM", _due(lane), taken.id),
            ("HSET", key, "status", status),
            *_attempted(taken.id, rendered, now, status, facts),
        ]
        if status == "failed":
            writes.append(("ZADD", "dead", now, taken.id))
        return await write_if_claimed(self._redis, key, taken.fence, writes)

    async def retry(
        self, taken: Claim, lane: Lane, due: int, now: int, rendered: int | None = None, **facts: str | int
    ) -> bool:
        """An attempt failed for now: due again at `due`."""
        key = _notification(taken.id)
        return await write_if_claimed(
            self._redis,
            key,
            taken.fence,
            [
                ("ZADD", _due(lane), due, taken.id),
                ("HSET", key, "status", "retrying"),
                ("HINCRBY", key, "attempts", 1),
                *_attempted(taken.id, rendered, now, "attempt_failed", facts),
            ],
        )


def _recorded(event: str, entries: Sequence[Entry], accepted: int) -> list[Write]:
    writes: list[Write] = []
    for entry in entries:
        key = _notification(entry.id)
        writes += [
            (
                "HSET", key, "event", event, "channel", entry.channel, "notice", entry.notice, "lane", entry.lane,
                "locale", entry.locale, "accepted", accepted, "deadline", entry.deadline, "status", "accepted",
            ),
            ("PEXPIRE", key, _KEEP),
            ("ZADD", _due(entry.lane), accepted, entry.id),
        ]  # fmt: skip
    return writes


def _attempted(id: str, rendered: int | None, at: int, what: str, facts: dict[str, str | int]) -> list[Write]:
    before = [] if rendered is None else _noted(id, rendered, "rendered", {})
    return [*before, *_noted(id, at, what, facts)]


def _noted(id: str, at: int, what: str, facts: dict[str, str | int]) -> list[Write]:
    key = _notification(id) + ":timeline"
    entry = json.dumps({"at": at, "what": what, **facts}, separators=(",", ":"))
    # A link may be shown without end: the newest 100 entries tell enough.
    return [("RPUSH", key, entry), ("LTRIM", key, -100, -1), ("PEXPIRE", key, _KEEP)]


def _read(id: str, fields: dict[str, bytes]) -> Notification:
    text = {name: value.decode() for name, value in fields.items()}
    return Notification(
        id=id,
        event=text["event"],
        channel="email" if text["channel"] == "email" else "sms",
        notice=text["notice"],
        lane=Lane(text["lane"]),
        locale=text["locale"],
        accepted=int(text["accepted"]),
        deadline=int(text["deadline"]),
        status=text["status"],
        attempts=int(text.get("attempts", 0)),
    )


def _event(digest: str) -> str:
    return f"event:{digest}"


def _notification(id: str) -> str:
    return f"ntf:{id}"


def _due(lane: Lane) -> str:
    return f"due:{lane}"
