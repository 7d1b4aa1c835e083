"""When an account's withdrawals resume: what is known of its holds and an event come in, what is known then goes out.

hold:<account digest>   hash: until (ms) and stops (names of notices), of which the longest counts; event and notices,
                        by which the owner is told of its end; version, which changes with each change
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from redis.asyncio import Redis

from links.store import Basis, Write
from notifier.clock import ms
from notifier.contexts import Occurrence, Review, Suspension
from notifier.events import Context
from notifier.notices import HOLDS

# What tells the owner that withdrawals work again.
RESUMED = "withdrawals_resumed"
# An approval ends the holds that nobody gave an end: an appeal's every one, that of an identity those that wait for it.
_LIFTS: Mapping[str, frozenset[str]] = {
    "identity_verification_result": frozenset({"unusual_activity"}),
    "withdrawal_appeal_result": frozenset({"unusual_activity", "withdrawals_suspended"}),
}
# The notices that say how long withdrawals are on hold.
CONCERNED = frozenset({*HOLDS, *_LIFTS, "withdrawals_suspended", "unusual_activity", RESUMED})


@dataclass(frozen=True, slots=True)
class Hold:
    """An account's hold; times in ms.

    Withdrawals are on hold while there are `stops`, which are names of notices, and up to `until`. Of its end `notices`
    (ids) of `event` tell, which wait for it; none where nobody knows when that is.
    """

    until: int = 0
    stops: frozenset[str] = frozenset()
    event: str = ""
    notices: tuple[str, ...] = ()
    version: str = ""

    def end(self, now: int) -> int | None:
        """Until when withdrawals are on hold, where that is known and to come."""
        return self.until if self.until > now and not self.stops else None

    def after(self, notice: str, context: Context, now: int, spans: Mapping[str, timedelta]) -> "Hold":
        """The hold once an event of this notice has come, which was accepted `now`; no hold shortens a longer one.

        `spans` is as `Holds` has it.
        """
        if notice == RESUMED:
            return replace(self, until=0, stops=frozenset())
        if notice in _LIFTS:
            approved = isinstance(context, Review) and context.result == "approved"
            return replace(self, stops=self.stops - _LIFTS[notice]) if approved else self
        if notice == "unusual_activity" or (isinstance(context, Suspension) and context.resumes_at is None):
            return replace(self, stops=self.stops | {notice})
        if isinstance(context, Suspension) and context.resumes_at:
            return replace(self, until=max(self.until, ms(context.resumes_at)))
        if isinstance(context, Occurrence):
            # A time to come is taken as now.
            end = min(ms(context.occurred_at), now) + round(spans[notice].total_seconds() * 1000)
            return replace(self, until=max(self.until, end))
        return self


class Holds:
    """In Redis. What a hold said is known for `keep` after its end; without an end, until there is one.

    `spans` is for how long each notice starts a hold.
    """

    def __init__(self, redis: Redis, spans: Mapping[str, timedelta], keep: timedelta) -> None:
        self.spans = spans
        self._redis = redis
        self._keep = round(keep.total_seconds() * 1000)

    async def find(self, account: str) -> Hold:
        """An account's (a digest)."""
        fields = await self._redis.hgetall(_key(account))  # type: ignore[misc]
        text = {name.decode(): value.decode() for name, value in fields.items()}
        if not text:
            return Hold()
        return Hold(
            until=int(text["until"]),
            stops=frozenset(text["stops"].split()),
            event=text["event"],
            notices=tuple(text["notices"].split()),
            version=text["version"],
        )

    def basis(self, account: str, hold: Hold) -> Basis:
        """What must not have changed for writes that were made from this hold."""
        return Basis(_key(account), hold.version)

    def writes(self, account: str, hold: Hold, now: int) -> list[Write]:
        """Writes by which the account has this hold."""
        key = _key(account)
        fields: dict[str, str | int] = {
            "until": hold.until,
            "stops": " ".join(sorted(hold.stops)),
            "event": hold.event,
            "notices": " ".join(hold.notices),
            "version": hold.version,
        }
        end: Write = ("PERSIST", key) if hold.stops else ("PEXPIREAT", key, max(hold.until, now) + self._keep)
        return [("HSET", key, *(word for pair in fields.items() for word in pair)), end]

    async def erase(self, account: str) -> None:
        """Forget it."""
        await self._redis.delete(_key(account))


def _key(account: str) -> str:
    return f"hold:{account}"
