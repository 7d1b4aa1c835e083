"""A page behind a link comes in, with which of its variants and how long its values should be; what `clicks.py` would
give it goes out.
"""

from datetime import timedelta
from typing import Any, get_args

from links.pages import PageOutcome
from links.purposes import purposes
from notifier.catalogs.samples import AT, LONG_REASON, Length, sample_context

# The outcomes that show the form are the page `confirm`.
OUTCOMES = tuple(outcome for outcome in get_args(PageOutcome) if outcome not in ("open", "malformed", "wrong"))
STATUSES = ("404", "400", "429", "500")


def page_variants(page: str) -> tuple[str, ...]:
    """What a page may be about, the most usual first."""
    names = tuple(purposes())
    if page == "confirm":
        return names
    if page == "outcome":
        return tuple(f"{outcome}-{purpose}" for outcome in OUTCOMES for purpose in names)
    return STATUSES


def facts(page: str, variant: str, length: Length) -> dict[str, Any]:
    """What `clicks.py` gives a page."""
    full = length == "longest"
    if page == "problem":
        return {"status": int(variant), "languages": (), "retry_after": 37 if variant == "429" else None}
    outcome, _, purpose = variant.rpartition("-")
    told: dict[str, Any] = {
        "purpose": purpose,
        "outcome": outcome or None,
        "account": "a•••@example.com",
        "notice": "withdrawal_confirmation",
        "context": sample_context("withdrawal_confirmation", length),
        "at": AT if outcome else None,
        "opens": AT + timedelta(hours=2) if outcome else None,
        "reason": LONG_REASON if full else None,
        "next_url": "https://platform.example/next" if full else None,
        "challenge": purpose in ("authorize_device", "confirm_withdrawal"),
        "challenge_error": "mismatch" if full else None,
        "attempts_left": 1 if full else None,
        "languages": (),
    }
    return told if length != "shortest" else told | {"at": None, "opens": None}
