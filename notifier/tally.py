"""What is counted in the store: writes go out, to be applied in the same step as what they count; all counts come back.

So the counts agree with the records, outlive every process, and are the whole service's, whoever is asked. Labels are
words of ours, or of the operator's settings: never an address, an id, or what a caller made up.
"""

from collections.abc import Mapping
from typing import Literal

from redis.asyncio import Redis

from links.store import Write

TALLY = "tally"
# Upper bounds, in seconds, of how long a notification took from when it was first due until it was taken over.
BOUNDS = ("0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60", "300", "1800", "+Inf")

Family = Literal[
    "notifications",
    "attempts_failed",
    "reports",
    "latency",
    "latency_ms",
    "codes",
    "code_checks",
    "fallbacks",
    "written",
]
Counts = Mapping[tuple[str, ...], int]


def counted(family: Family, *labels: str, by: int = 1) -> Write:
    """One more of these; an empty label says that there is none."""
    return ("HINCRBY", TALLY, " ".join((family, *(label or "-" for label in labels))), by)


def taken_over(lane: str, after: int) -> list[Write]:
    """A notification of this lane was taken over so many ms after it was first due."""
    bound = next(bound for bound in BOUNDS if after <= float(bound) * 1000)
    return [counted("latency", lane, bound), counted("latency_ms", lane, by=max(after, 0))]


async def counts(redis: Redis, key: str = TALLY) -> Counts:
    """How many, by the family and its labels."""
    fields = await redis.hgetall(key)  # type: ignore[misc]
    return {tuple(name.decode().split(" ")): int(value) for name, value in fields.items()}
