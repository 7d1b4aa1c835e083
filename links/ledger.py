"""What was done with links: a read link and a moment go in, the outcome of showing or using it comes out.

Keeps each account's state (deactivated since when, what was retired when), each link's one use, the actions that were
consumed and are not yet forwarded, and an audit of it all. A link that is never used is not in here at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from redis.asyncio import Redis

from links.purposes import Purpose
from links.store import Claim, Write, claim, has_due, write_if_claimed

Outcome = Literal[
    "open", "accepted", "wrong", "locked", "pending", "done", "refused", "expired", "superseded", "early", "idle"
]
# What was typed on a link's page against the code printed in its message; None where none is asked for.
Challenge = Literal["right", "wrong"] | None

# Wrong codes on one link's page, until it is locked.
CHALLENGE_ATTEMPTS = 5
_SHOWN_AGAIN = timedelta(hours=1)

_HERE = Path(__file__).parent
_CONSUME = (_HERE / "consume.lua").read_text("utf-8")
_AUDIT = (_HERE / "audit.lua").read_text("utf-8")
_DUE = "link:due"
_DEAD = "link:dead"
_ACTION = "link:action:"


@dataclass(frozen=True, slots=True)
class Link:
    """A link as its token and its message tell it; times in ms.

    `account` and `subject` are opaque (digests). A newer link with the same purpose and subject supersedes this one.
    `identity` is the signed jti: what is consumed. The page of a `challenged` link asks for the code of its message.
    """

    purpose: Purpose
    identity: str
    account: str
    issued: int
    expires: int
    subject: str | None = None
    challenged: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """An outcome, and the time that goes with it (ms).

    open: may be used, until `at`. accepted: this very call used it. wrong: the code was, `attempts_left` more may be.
    locked: too many were. pending: used, not yet confirmed. done, refused: the platform's answer. superseded: voided
    at `at`. early: opens at `at`. idle: nothing to reactivate.
    """

    outcome: Outcome
    at: int
    action: str | None = None
    attempts_left: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to an account's links. `what` is shown, consumed, not_done (why: `reason`), forwarded
    (`reason`: the answer), superseded or revoked; `link` names one, `purpose` all of a kind.
    """

    at: int
    what: str
    purpose: str
    link: str
    reason: str


class Ledger:
    """The uses of links, in Redis.

    `keep` is how long after its last change an active account's state matters: the longest life of a link.
    `keep_audit` is how old an audit's entries grow.
    """

    def __init__(self, redis: Redis, reactivation_delay: timedelta, keep: timedelta, keep_audit: timedelta) -> None:
        self._redis = redis
        self._consume = redis.register_script(_CONSUME)
        self._shown = redis.register_script(_AUDIT)
        self._keep_audit = _ms(keep_audit)
        self.reactivation_delay = _ms(reactivation_delay)
        self._keep = _ms(keep)

    async def look(self, link: Link, now: int) -> Judgement:
        """What using the link now would do; changes nothing."""
        return await self._judge(link, now, "", b"", None)

    async def consume(
        self, link: Link, now: int, action: str, payload: bytes, challenge: Challenge = None
    ) -> Judgement:
        """Use the link: `accepted` to exactly one caller, whose `payload` is then due to be forwarded as `action`."""
        return await self._judge(link, now, action, payload, challenge)

    async def _judge(self, link: Link, now: int, action: str, payload: bytes, challenge: Challenge) -> Judgement:
        outcome, at, more = await self._consume(
            keys=[
                _account(link.account),
                f"link:use:{link.identity}",
                _newest(link),
                _DUE,
                _ACTION + action,
                f"link:wrong:{link.identity}",
                _audit(link.account),
                _void(link.account, link.purpose),
            ],
            args=[
                1 if action else 0,
                now,
                link.issued,
                link.expires,
                link.purpose.name,
                self.reactivation_delay,
                action,
                payload,
                self._keep,
                challenge or "",
                CHALLENGE_ATTEMPTS,
                link.identity,
                self._keep_audit,
            ],
        )
        told: Outcome = outcome.decode()
        if told in ("open", "wrong", "locked"):
            return Judgement(told, int(at), attempts_left=int(more))
        return Judgement(told, int(at), more.decode() or None)

    async def shown(self, link: Link, outcome: str, now: int) -> None:
        """Into the audit, once an hour for each link and outcome: a scanner's thousand visits tell no more than one."""
        await self._shown(
            keys=[_audit(link.account)],
            args=[link.identity, link.purpose.name, outcome, now, self._keep_audit, _ms(_SHOWN_AGAIN)],
        )

    async def audit(self, account: str) -> list[Entry]:
        """What happened to an account's links, oldest first."""
        rows = await self._redis.xrange(_audit(account))
        return [
            Entry(
                int(id.split(b"-")[0]), *(fields[name].decode() for name in (b"what", b"purpose", b"link", b"reason"))
            )
            for id, fields in rows
        ]

    async def revoke(self, account: str, purposes: Iterable[Purpose], now: int) -> None:
        """Void every link with these purposes that was issued up to now."""
        async with self._redis.pipeline(transaction=True) as pipe:
            for purpose in purposes:
                for write in (
                    ("SET", _void(account, purpose), now, "PX", self._keep),
                    *self._audited(account, now, "revoked", purpose.name),
                ):
                    pipe.execute_command(*write)
            await pipe.execute()

    def issued(self, link: Link) -> list[Write]:
        """Writes by which a link supersedes older ones for the same subject, until they would have expired anyway."""
        return [
            ("SET", _newest(link), link.issued, "PXAT", link.expires),
            *self._audited(link.account, link.issued, "superseded", link.purpose.name),
        ]

    def deactivated(self, account: str, at: int, purposes: Iterable[Purpose]) -> list[Write]:
        """Writes that make the account deactivated since `at`, which kills every dangerous link but the way back."""
        voided = [p for p in purposes if not p.protective and p.name != "reactivate"]
        return [
            ("HSETNX", _account(account), "deactivated", at),
            *(("SET", _void(account, purpose), at, "PX", self._keep) for purpose in voided),
            ("HDEL", _account(account), "pending:deactivate"),
            ("PERSIST", _account(account)),
        ]

    def reactivated(self, account: str, at: int) -> list[Write]:
        """Writes that make the account active again and retire every link issued up to `at`."""
        return [
            ("HSET", _account(account), "retired", at),
            ("HDEL", _account(account), "deactivated", "pending:deactivate", "pending:reactivate"),
            ("PEXPIRE", _account(account), self._keep),
        ]

    async def claim(self, now: int, lease: int, count: int) -> list[Claim]:
        """Actions that are due to be forwarded."""
        return await claim(self._redis, _DUE, _ACTION, now, lease, count)

    async def has_due(self, now: int) -> bool:
        """Whether any action is due to be forwarded."""
        return await has_due(self._redis, _DUE, now)

    async def retry(self, action: Claim, due: int) -> bool:
        """The platform could not be reached: due again."""
        return await write_if_claimed(
            self._redis,
            _ACTION + action.id,
            action.fence,
            [("HINCRBY", _ACTION + action.id, "attempts", 1), ("ZADD", _DUE, due, action.id)],
        )

    async def bury(self, action: Claim, now: int) -> bool:
        """No more attempts: kept among the dead letters, still pending to its owner."""
        return await write_if_claimed(
            self._redis,
            _ACTION + action.id,
            action.fence,
            [("ZREM", _DUE, action.id), ("ZADD", _DEAD, now, action.id)],
        )

    async def finish(
        self,
        action: Claim,
        outcome: Literal["done", "refused"],
        now: int,
        answer: bytes | None,
        beside: Iterable[Write] = (),
    ) -> bool:
        """The platform has answered. `answer` (opaque) is kept as long as the link, for its page to tell."""
        record, use = _ACTION + action.id, action.fields["use"]
        purpose, link = action.fields["purpose"].decode(), action.fields["link"].decode()
        writes: list[Write] = [
            ("SET", use, f"{outcome} {now} {action.id if answer else ''}", "XX", "KEEPTTL"),
            ("HDEL", action.fields["account"], f"pending:{purpose}"),
            ("ZREM", _DUE, action.id),
            ("DEL", record),
            *self._audited_in(action.fields["audit"], now, "forwarded", purpose, link, outcome),
            *beside,
        ]
        if answer:
            writes += [("HSET", record, "answer", answer), ("PEXPIRE", record, self._keep)]
        return await write_if_claimed(self._redis, record, action.fence, writes)

    async def answer(self, action: str) -> bytes | None:
        """What the platform said to a finished action, if it said more than done."""
        held: bytes | None = await self._redis.hget(_ACTION + action, "answer")  # type: ignore[misc]
        return held

    def _audited(self, account: str, now: int, what: str, purpose: str) -> list[Write]:
        return self._audited_in(_audit(account), now, what, purpose, "", "")

    def _audited_in(
        self, stream: str | bytes, now: int, what: str, purpose: str, link: str, reason: str
    ) -> list[Write]:
        fields = ("what", what, "link", link, "purpose", purpose, "reason", reason)
        return [
            ("XADD", stream, "MINID", "~", now - self._keep_audit, "*", *fields),
            ("PEXPIRE", stream, self._keep_audit),
        ]


def _account(account: str) -> str:
    return f"link:account:{account}"


def _newest(link: Link) -> str:
    return f"link:newest:{link.purpose.letter}:{link.account}:{link.subject or ''}"


def _void(account: str, purpose: Purpose) -> str:
    return f"link:void:{purpose.letter}:{account}"


def _audit(account: str) -> str:
    return f"link:audit:{account}"


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
