"""The table of purposes: what each kind of link may do, for how long, and what its click forwards.

A new purpose is a row here and its strings in the page templates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Purpose:
    """One kind of link.

    `letter` names it in a token. `life` counts from the message's acceptance. A protective link survives newer
    messages, and every copy works until the account is deactivated; a dangerous one dies with a confirmed
    deactivation, and one that supersedes also when a newer one is issued for the same subject. `action` is the type of
    what a click forwards.
    """

    name: str
    letter: str
    life: timedelta
    protective: bool
    supersedes: bool
    action: str


_TABLE = (
    Purpose("deactivate", "d", timedelta(days=7), True, False, "account.deactivation_confirmed"),
    Purpose("reactivate", "r", timedelta(days=7), False, False, "account.reactivation_confirmed"),
    Purpose("authorize_device", "a", timedelta(minutes=30), False, True, "device.authorized"),
    Purpose("confirm_withdrawal", "w", timedelta(minutes=30), False, True, "withdrawal.confirmed"),
)


def purposes(lives: Mapping[str, timedelta] | None = None) -> Mapping[str, Purpose]:
    """The table by name, with the lives that the operator has set in place of the defaults."""
    set_lives = lives or {}
    return {row.name: replace(row, life=set_lives.get(row.name, row.life)) for row in _TABLE}
