"""What was done with links: a read link and a moment go in, the outcome of showing or using it comes out.

Keeps each account's state (deactivated since when, what was retired when), each link's one use, the actions that were
consumed and are not yet forwarded, and an audit of it all. A link that is never used is not in here at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from redis.asyncio import Redis

from links.actions import ACTION, DUE, TALLY
from links.durability import Acknowledge, run, write_all
from links.purposes import Purpose
from links.store import APPLY, WHEN_FULL, Write, words

Outcome = Literal[
    "open",
    "accepted",
    "wrong",
    "locked",
    "pending",
    "done",
    "refused",
    "expired",
    "superseded",
    "revoked",
    "shut",
    "early",
    "idle",
]
# What was typed on a link's page against the code printed in its message; None where none is asked for.
Challenge = Literal["right", "wrong"] | None
State = Literal["deactivated", "active"]

# Wrong codes on one link's page, until it is locked.
CHALLENGE_ATTEMPTS = 5
_SHOWN_AGAIN = timedelta(hours=1)

_HERE = Path(__file__).parent
_AUDIT = (_HERE / "audit.lua").read_text("utf-8")
# An owner's click takes little room, and stops what must be stopped: it counts though the store is full.
_CONSUME = WHEN_FULL + APPLY + _AUDIT + (_HERE / "consume.lua").read_text("utf-8")
_SHOWN = WHEN_FULL + _AUDIT + (_HERE / "shown.lua").read_text("utf-8")
_TELL = WHEN_FULL + (_HERE / "tell.lua").read_text("utf-8")


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
    locked: too many were. pending: used, not yet confirmed. done, refused: the platform's answer. superseded: a newer
    one replaced it at `at`. revoked: voided at `at`. shut: the same, by a deactivation. early: opens at `at`. idle:
    nothing to reactivate.
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
    `keep_audit` is how old an audit's entries grow. A use, a revocation and news of an account count once they are
    where `acknowledge` says; until then these calls raise Unconfirmed.
    """

    def __init__(
        self,
        redis: Redis,
        purposes: Iterable[Purpose],
        *,
        reactivation_delay: timedelta,
        keep: timedelta,
        keep_audit: timedelta,
        acknowledge: Acknowledge = "memory",
    ) -> None:
        self._redis = redis
        self._purposes = tuple(purposes)
        self._acknowledge = acknowledge
        self._keep_audit = _ms(keep_audit)
        self.reactivation_delay = _ms(reactivation_delay)
        self._keep = _ms(keep)

    async def look(self, link: Link, now: int) -> Judgement:
        """What using the link now would do; changes nothing."""
        return await self._judge(link, now, "", b"", None, ())

    async def consume(
        self,
        link: Link,
        now: int,
        action: str,
        payload: bytes,
        challenge: Challenge = None,
        beside: Sequence[Write] = (),
    ) -> Judgement:
        """Use the link: `accepted` to exactly one caller, whose `payload` is then due to be forwarded as `action`, and
        whose writes `beside` are applied in the same step.
        """
        return await self._judge(link, now, action, payload, challenge, beside)

    async def _judge(
        self, link: Link, now: int, action: str, payload: bytes, challenge: Challenge, beside: Sequence[Write]
    ) -> Judgement:
        outcome, at, more = await run(
            self._redis,
            _CONSUME,
            [
                _account(link.account),
                f"link:use:{link.identity}",
                _newest(link),
                DUE,
                ACTION + action,
                f"link:wrong:{link.identity}",
                _audit(link.account),
                _void(link.account, link.purpose),
                TALLY,
            ],
            [
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
                *words(beside),
            ],
            self._acknowledge if action else "memory",
        )
        told: Outcome = outcome.decode()
        if told in ("open", "wrong", "locked"):
            return Judgement(told, int(at), attempts_left=int(more))
        return Judgement(told, int(at), more.decode() or None)

    async def shown(self, link: Link, outcome: str, now: int) -> None:
        """Into the audit, once an hour for each link and outcome: a scanner's thousand visits tell no more than one."""
        await run(
            self._redis,
            _SHOWN,
            [_audit(link.account), TALLY],
            [link.identity, link.purpose.name, outcome, now, self._keep_audit, _ms(_SHOWN_AGAIN)],
        )

    async def audit(self, account: str) -> list[Entry]:
        """What happened to an account's links, oldest first."""
        rows = await self._redis.lrange(_audit(account), 0, -1)  # type: ignore[misc]
        words = [["" if word == "-" else word for word in row.decode().split(" ")] for row in rows]
        return [Entry(int(at), what, purpose, link, reason) for at, what, purpose, link, reason in words]

    async def revoke(self, account: str, purposes: Iterable[Purpose], now: int) -> None:
        """Void every link with these purposes that was issued up to now."""
        writes: list[Write] = []
        for purpose in purposes:
            writes += [
                ("SET", _void(account, purpose), now, "PX", self._keep),
                *self._audited(account, now, "revoked", purpose.name),
            ]
        await write_all(self._redis, writes, self._acknowledge)

    async def issued(self, link: Link, *, later: bool = False) -> list[Write]:
        """Writes by which a link supersedes older ones for the same subject, until they would have expired anyway.

        The newest stays whichever of several is written last. A link that is issued `later` supersedes nothing until
        then. That there was an older one is for the audit alone.
        """
        key = _newest(link)
        writes: list[Write] = [
            ("ZADD", key, "GT", link.issued, link.identity if later else "issued"),
            # To GT alone a key without an end has the latest of all.
            ("PEXPIREAT", key, link.expires, "NX"),
            ("PEXPIREAT", key, link.expires, "GT"),
        ]
        if not later and await self._redis.exists(key):
            writes += self._audited(link.account, link.issued, "superseded", link.purpose.name)
        return writes

    async def withdraw(self, link: Link) -> None:
        """A link that was to be issued later is not, and supersedes nothing."""
        await self._redis.zrem(_newest(link), link.identity)

    async def tell(self, account: str, state: State, since: int) -> int:
        """The account's state became known: since when it holds, by all that is known by now.

        Deactivated kills every dangerous link issued up to then, but the way back; active retires every link. News that
        is older than what is known changes nothing, so it may be told again.
        """
        voided = [p for p in self._purposes if not p.protective and p.name != "reactivate"]
        keys = [_account(account), *(_void(account, purpose) for purpose in voided)]
        return int(await run(self._redis, _TELL, keys, [state, since, self._keep], self._acknowledge))

    async def deactivated(self, account: str) -> bool:
        """Whether the account is, by all that is known."""
        return bool(await self._redis.hexists(_account(account), "deactivated"))  # type: ignore[misc]

    async def erase(self, account: str) -> None:
        """Forget an account: its state, what is void, the audit. An action on its way stays until it is answered."""
        voids = (_void(account, purpose) for purpose in self._purposes)
        await self._redis.delete(_account(account), _audit(account), *voids)

    def _audited(self, account: str, now: int, what: str, purpose: str) -> list[Write]:
        key = _audit(account)
        return [
            ("RPUSH", key, f"{now} {what} {purpose} - -"),
            ("PEXPIRE", key, self._keep_audit),
            ("HINCRBY", TALLY, f"{what} {purpose} -", 1),
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
