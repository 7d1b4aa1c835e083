"""The table of purposes: what each kind of link may do, for how long, and what its click forwards.

A new purpose is a row here and its strings in the page templates.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Purpose:
    """One kind of link.

    `letter` names it in a token. `life` counts from the message's acceptance. `action` is the type of what a click
    forwards. A `protective` link survives newer messages, and every copy works until what it does is done; a
    dangerous one (not protective) dies with a confirmed deactivation. One that `supersedes` voids older ones for the
    same subject. One that is `shared` is one link in all messages of an event: used in one, used in all. One with a
    `challenge` asks on its page for the code printed in the same message, if that prints one: a person can type it, a
    mail scanner does not.
    """

    name: str
    letter: str
    life: timedelta
    action: str
    protective: bool = False
    supersedes: bool = False
    challenge: bool = False
    shared: bool = False


_TABLE = (
    Purpose("deactivate", "d", timedelta(days=7), "account.deactivation_confirmed", protective=True),
    Purpose("reactivate", "r", timedelta(days=7), "account.reactivation_confirmed", supersedes=True, challenge=True),
    Purpose("authorize_device", "a", timedelta(minutes=30), "device.authorized", supersedes=True, challenge=True),
    Purpose("confirm_withdrawal", "w", timedelta(minutes=30), "withdrawal.confirmed", supersedes=True, challenge=True),
    Purpose("activate_account", "c", timedelta(days=3), "account.activated", supersedes=True, shared=True),
)
# A text message has room for one link; its page offers the first of these that its message carries and that applies.
SHORT = ("deactivate", "reactivate", "activate_account")
NAMES = frozenset(row.name for row in _TABLE)


def purposes(
    lives: Mapping[str, timedelta] | None = None, challenges: Iterable[str] | None = None
) -> Mapping[str, Purpose]:
    """The table by name, with the operator's lives and challenges in place of the defaults."""
    asked = {row.name for row in _TABLE if row.challenge} if challenges is None else set(challenges)
    return {
        row.name: replace(row, life=(lives or {}).get(row.name, row.life), challenge=row.name in asked)
        for row in _TABLE
    }
