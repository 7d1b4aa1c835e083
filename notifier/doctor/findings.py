"""What a check found: how bad it is, what it is about, what is so, and how to mend it."""

import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]
Check = Callable[[], Awaitable[Sequence["Finding"]]]

# For how many days a certificate must still be good. Those that renew themselves do so 30 days before.
_DAYS = 14


@dataclass(frozen=True, slots=True)
class Finding:
    """`fail`: something will not work; `warn`: it does, and should be better, or could not be checked."""

    level: Level
    about: str
    what: str
    mend: str = ""


def ok(about: str, what: str) -> Finding:
    """All is well."""
    return Finding("ok", about, what)


def warn(about: str, what: str, mend: str) -> Finding:
    """It works, and should be better; or nobody could tell."""
    return Finding("warn", about, what, mend)


def fail(about: str, what: str, mend: str) -> Finding:
    """It does not work."""
    return Finding("fail", about, what, mend)


def certified(about: str, what: str, ends: float | None, now: float) -> Finding:
    """Something answers, with a certificate that is good until `ends` (s since 1970; None where there is none)."""
    if ends is None:
        return ok(about, what)
    days = int((ends - now) // 86_400)
    told = f"{what}, certificate good for {days} days"
    return ok(about, told) if days >= _DAYS else warn(about, told, "renew the certificate")


def certificate_fault(error: BaseException | None) -> str | None:
    """What is wrong with a certificate, where that is behind an error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None
