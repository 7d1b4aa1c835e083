"""Notifications on their way: accepted events go in, claims to deliver come out; each is settled once.

One that is to be sent later waits in the same queue, by the time when it is due.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis

from links.durability import Acknowledge, run
from links.store import (
    APPLY,
    WHEN_FULL,
    Basis,
    Claim,
    Write,
    claim,
    renew,
    words,
    write_if,
    write_if_absent,
    write_if_claimed,
)
from notifier.clock import rfc3339
from notifier.events import Channel
from notifier.notices import Lane
from notifier.notifications import (
    COUNTS,
    DEAD,
    KEEP,
    NOTIFICATION,
    Notification,
    Rendered,
    account_index,
    knock,
    noted,
    queue,
    read,
)
from notifier.tally import counted, taken_over

# A worker that dies gives back what it had after this, and somebody looks every second: sent again within 30 s.
LEASE = timedelta(seconds=20)
_LEASE = round(LEASE.total_seconds() * 1000)
_BODY_DIGEST = 16
_WAITING = WHEN_FULL + APPLY + (Path(__file__).parent / "waiting.lua").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Entry:
    """One notification of an event, as it is first recorded; times in ms. `locale` is what it will be written in, and
    `locale_reason` why. It is sent at `due` or soon after.
    """

    id: str
    channel: Channel
    notice: str
    lane: Lane
    locale: str
    locale_reason: str
    deadline: int
    due: int


class Outbox:
    """The notifications that wait or are being sent, in Redis. What is accepted counts once it is where `acknowledge`
    says; until then `record` and `add` raise Unconfirmed.
    """

    def __init__(self, redis: Redis, acknowledge: Acknowledge = "memory") -> None:
        self._redis = redis
        self._acknowledge = acknowledge

    async def record(
        self,
        event: str,
        account: str,
        body: bytes,
        sealed: bytes,
        entries: Sequence[Entry],
        accepted: int,
        *,
        keep: timedelta,
        beside: Sequence[Write] = (),
        owned: Sequence[str] = (),
        basis: Basis | None = None,
    ) -> tuple[bytes, bytes] | None:
        """Record the event, its notifications and the writes `beside` them in one step, unless the event is known.

        None when recorded; else the known event's (body digest, sealed payload). `body` is 16 bytes; the payload is
        kept for `keep` from `accepted` on. `account` is a digest; `owned` are keys of others that are erased with the
        account. Raises Changed where `basis` has.
        """
        span = round(keep.total_seconds() * 1000)
        writes = [
            *beside,
            *_recorded(event, account, entries, accepted, [_event(event), *owned]),
            # The event last: Lua does not roll back; whatever fails before leaves an event that may be posted again.
            ("SET", _event(event), body + sealed, "PX", span),
        ]
        known = await write_if_absent(self._redis, _event(event), writes, self._acknowledge, basis)
        return None if known is None else (known[:_BODY_DIGEST], known[_BODY_DIGEST:])

    async def add(self, event: str, account: str, entry: Entry, accepted: int) -> bool:
        """One more notification of an event that is recorded already; False when it is there."""
        writes = _recorded(event, account, [entry], accepted, [])
        return await write_if(self._redis, NOTIFICATION + entry.id, "event", "", writes, self._acknowledge)

    async def payload(self, event: str) -> bytes | None:
        """The sealed payload of an event; None once it is no longer kept."""
        held: bytes | None = await self._redis.get(_event(event))
        return None if held is None else held[_BODY_DIGEST:]

    async def drop(self, event: str) -> None:
        """Nothing of this event will be sent: its payload is kept no longer than that of an event of this moment."""
        await self._redis.pexpire(_event(event), KEEP, lt=True)

    async def claim(self, lane: Lane, now: int, count: int) -> list[tuple[Claim, Notification]]:
        """Up to `count` notifications that are due, ours for the lease; or one that is suspected to kill its worker."""
        batch: list[tuple[Claim, Notification]] = []
        for taken in await claim(self._redis, queue(lane), NOTIFICATION, now, _LEASE, count):
            try:
                batch.append((taken, read(taken.id, taken.fields)))
            except (KeyError, ValueError):
                # Damaged, or another version's: a dead letter, or it would stop the others of every batch it is in.
                await self.settle(replace(taken, fields={}), lane, "failed", now, reason="unreadable")
        return batch

    async def renew(self, lane: Lane, now: int, claims: Collection[Claim]) -> set[str]:
        """Another lease for these; gives the ids of those that are not ours any more."""
        return await renew(self._redis, queue(lane), NOTIFICATION, now + _LEASE, claims)

    async def settle(
        self, taken: Claim, lane: Lane, status: str, now: int, rendered: Rendered | None = None, **facts: str | int
    ) -> bool:
        """This notification is done: `sent`, `expired`, … False when another worker has taken it since.

        `rendered` is to be told before.
        """
        key = NOTIFICATION + taken.id
        writes: list[Write] = [
            ("ZREM", queue(lane), taken.id),
            ("HSET", key, "status", status),
            ("HINCRBY", COUNTS, status, 1),
            counted("notifications", status, *_about(taken), str(facts.get("by", ""))),
            *_attempted(taken.id, rendered, now, status, facts),
        ]
        if status == "sent":
            first_due = taken.fields.get("due") or taken.fields["accepted"]
            writes += taken_over(lane, now - int(first_due))
        if status == "failed":
            writes += [("ZREMRANGEBYSCORE", DEAD, "-inf", now - KEEP), ("ZADD", DEAD, now, taken.id)]
        return await write_if_claimed(self._redis, key, taken.fence, writes)

    async def retry(
        self,
        taken: Claim,
        lane: Lane,
        due: int,
        now: int,
        rendered: Rendered | None = None,
        *,
        doubtful: bool = False,
        **facts: str | int,
    ) -> bool:
        """An attempt failed for now: due again at `due`. `doubtful`: the message may have gone all the same."""
        key = NOTIFICATION + taken.id
        writes: list[Write] = [
            ("ZADD", queue(lane), due, taken.id),
            ("HSET", key, "status", "retrying", *(("doubtful", 1) if doubtful else ())),
            ("HINCRBY", key, "attempts", 1),
            counted("attempts_failed", _about(taken)[0], str(facts.get("reason", "")), str(facts.get("by", ""))),
            *_attempted(taken.id, rendered, now, "attempt_failed", facts),
        ]
        return await write_if_claimed(self._redis, key, taken.fence, writes)

    async def cancel(self, notification: Notification, now: int) -> str | None:
        """A notification that waits will never be sent. None when that is so; else why not: `in_hand` (a worker is
        sending it, or was when it died), `doubtful` (an attempt ended without an answer, so it may have been sent),
        `gone`, or the status that it has come to.
        """
        key = NOTIFICATION + notification.id
        writes: list[Write] = [
            ("ZREM", queue(notification.lane), notification.id),
            ("HSET", key, "status", "cancelled"),
            ("PEXPIRE", key, KEEP),
            ("HINCRBY", COUNTS, "cancelled", 1),
            counted("notifications", "cancelled", notification.channel, notification.notice, notification.locale, ""),
            *noted(notification.id, now, "cancelled", {}),
        ]
        stands = await run(self._redis, _WAITING, [key], words(writes))
        return stands.decode() or None


def _recorded(event: str, account: str, entries: Sequence[Entry], accepted: int, owned: Sequence[str]) -> list[Write]:
    writes: list[Write] = [("HINCRBY", COUNTS, "accepted", len(entries))]
    latest = max([accepted, *(entry.due for entry in entries)])
    index: list[str | int] = [word for key in owned for word in (latest, key)]
    for entry in entries:
        key = NOTIFICATION + entry.id
        later = entry.due > accepted
        index += [entry.due, key]
        writes += [
            (
                "HSET", key, "event", event, "channel", entry.channel, "notice", entry.notice, "lane", entry.lane,
                "locale", entry.locale, "locale_reason", entry.locale_reason,
                "accepted", accepted, "deadline", entry.deadline, "status", "accepted",
                *(("due", entry.due) if later else ()),
            ),
            ("PEXPIRE", key, _keep(entry.due, accepted)),
            ("ZADD", queue(entry.lane), entry.due, entry.id),
            *(_waits(entry.id, accepted, entry.due) if later else ()),
            counted("notifications", "accepted", entry.channel, entry.notice, entry.locale, ""),
        ]  # fmt: skip
    knocks = [knock(lane) for lane in {entry.lane for entry in entries if entry.due <= accepted}]
    return [
        *writes,
        *knocks,
        ("ZREMRANGEBYSCORE", account_index(account), "-inf", accepted - KEEP),
        ("ZADD", account_index(account), *index),
        *_kept_until(account_index(account), _keep(latest, accepted)),
    ]


def _about(taken: Claim) -> tuple[str, str, str]:
    """Its channel, notice and locale; none of a record that cannot be read."""
    channel, notice, locale = (taken.fields.get(name, b"").decode() for name in ("channel", "notice", "locale"))
    return channel, notice, locale


def _waits(id: str, at: int, due: int) -> list[Write]:
    return noted(id, at, "scheduled", {"send_at": rfc3339(due)}, _keep(due, at))


def _keep(due: int, now: int) -> int:
    """Everything is kept as long after it is due as it would be if it were due now."""
    return KEEP + due - now


def _kept_until(key: str, span: int) -> list[Write]:
    """Writes by which a key is kept for this span at least; to GT alone a key without an end has the latest of all."""
    return [("PEXPIRE", key, span, "NX"), ("PEXPIRE", key, span, "GT")]


def _attempted(id: str, rendered: Rendered | None, at: int, what: str, facts: Mapping[str, str | int]) -> list[Write]:
    return [*(_rendered(id, rendered) if rendered else ()), *noted(id, at, what, facts)]


def _rendered(id: str, rendered: Rendered) -> list[Write]:
    said = {"locale": rendered.locale, "locale_reason": rendered.reason}
    return [
        # Its catalog may have changed since it was accepted.
        ("HSET", NOTIFICATION + id, "rendered", 1, *(word for pair in said.items() for word in pair)),
        counted("written", rendered.locale, rendered.reason),
        *noted(id, rendered.at, "rendered", said),
    ]


def _event(digest: str) -> str:
    return f"event:{digest}"
