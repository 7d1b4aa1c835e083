"""A notice comes in, the variants of its message go out: each with what its event tells, and what is known of a hold.

What a template says differently by its context, by its hold or by the address that it goes to is a row here, so that a
translator sees all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from notifier.contexts import LoginMethod, Review, TwoFactor
from notifier.notices import HOLDS, NOTICES

USUAL = "usual"
# Until when withdrawals are on hold: the end is known, nobody knows it, or they are not.
Held = Literal["until", "for_now"] | None


@dataclass(frozen=True, slots=True)
class Variant:
    """`context` goes over the other values of its event: None takes a field out. `to` names the field of the context
    that holds the address which its mail goes to, where that is not the recipient's.
    """

    context: Mapping[str, str | None] = field(default_factory=dict)
    held: Held = None
    to: str | None = None


_PURPOSES = (
    "sign_in",
    "reactivation",
    "withdrawal",
    "change_email",
    "change_phone",
    "change_password",
    "another",
)
_OWN: Mapping[str, Mapping[str, Variant]] = {
    "verification_code": {name: Variant({"purpose": name}) for name in _PURPOSES},
    "email_changed": {
        "old_address": Variant(held="until", to="old_email"),
        "new_address": Variant(held="until", to="new_email"),
    },
    "withdrawals_suspended": {
        "held_until": Variant({"resumes_at": "2026-03-11T09:30:00Z"}, "until"),
        "held_for_now": Variant({"resumes_at": None}, "for_now"),
    },
    "unusual_activity": {
        USUAL: Variant(held="for_now"),
        "without_address": Variant({"verify_url": None}, "for_now"),
    },
    "identity_verification_result": {"approved_still_held": Variant({"result": "approved"}, "until")},
    "withdrawal_appeal_result": {"approved_still_held": Variant({"result": "approved"}, "until")},
}
# The values by which messages with this context differ; the first is what its example tells.
_BY_FIELD: Mapping[type, tuple[str, tuple[str, ...]]] = {
    TwoFactor: ("method", ("authenticator", "sms")),
    LoginMethod: ("provider", ("telegram", "google", "apple")),
    Review: ("result", ("approved", "rejected")),
}


def variants(notice: str) -> Mapping[str, Variant]:
    """By their names, the most usual first; of a message that is always the same one, `USUAL`."""
    held: Held = "until" if notice in HOLDS else None
    name, values = _BY_FIELD.get(NOTICES[notice].context, ("", ()))
    found = {value: Variant({name: value}, held) for value in values} | dict(_OWN.get(notice, {}))
    if held:
        # The account had another hold before, of which nobody knows the end.
        return (found or {"held_until": Variant(held="until")}) | {"held_for_now": Variant(held="for_now")}
    return found or {USUAL: Variant()}
