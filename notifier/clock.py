"""The time, as everything here takes it: a function without arguments that gives ms since 1970."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

Clock = Callable[[], int]


def system_clock() -> int:
    """The machine's clock."""
    return time.time_ns() // 1_000_000


def moment(ms: int) -> datetime:
    """A time of ours as a datetime in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def ms(at: datetime) -> int:
    """A datetime with its zone as a time of ours."""
    return round(at.timestamp() * 1000)


def rfc3339(ms: int) -> str:
    """A time of ours as the API shows it: `2026-03-09T14:05:00.123Z`."""
    return moment(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def retry_after(header: str, now: int) -> float:
    """How many seconds from `now` a Retry-After (RFC 9110, section 10.2.3) asks for; 0 where it asks for nothing."""
    if header.isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return 0
    # One without a zone is in UTC.
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - moment(now)).total_seconds(), 0)
