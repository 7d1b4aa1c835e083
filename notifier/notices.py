"""The table of notices: for each its data model, lane, deadline, links, code and hold.

A new notice is a row here and a folder of templates with the same name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from notifier.events import Activity, CodePurpose, Context, Occurrence, Withdrawal


class Lane(StrEnum):
    """Queues that never delay one another, most urgent first."""

    CRITICAL = "critical"
    ALERT = "alert"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Notice:
    """One kind of message.

    `own` is the purpose of the link that the message is about, `links` those it carries besides. What it is about is
    told by `subject`, from its context: a newer link for the same subject supersedes an older one. `emergency` says
    whether its SMS carries the one short link. `code` is the purpose of the code it prints (`""`: the context names
    it, None: it prints none); the page of the own link may ask for that code. A message is never sent past `deadline`
    after its acceptance; where it prints a code, past the code's life.
    """

    name: str
    context: type[Context]
    lane: Lane
    own: str | None = None
    links: tuple[str, ...] = ()
    subject: Callable[[Any], str] | None = None
    emergency: bool = True
    code: str | None = None
    deadline: timedelta = timedelta(days=3)

    @property
    def purposes(self) -> tuple[str, ...]:
        """Of all its links."""
        return (self.own, *self.links) if self.own else self.links


_BOTH = ("deactivate", "reactivate")


def _reset(name: str) -> Notice:
    return Notice(name, Activity, Lane.CRITICAL, links=_BOTH, code=name)


NOTICES: Mapping[str, Notice] = {
    notice.name: notice
    for notice in (
        Notice("login_succeeded", Activity, Lane.ALERT, links=_BOTH),
        Notice("ip_verification", Activity, Lane.CRITICAL, links=_BOTH, code="ip_verification"),
        Notice(
            "new_device",
            Activity,
            Lane.CRITICAL,
            own="authorize_device",
            links=_BOTH,
            subject=lambda context: context.device,
            code="new_device",
        ),
        _reset("password_reset"),
        _reset("sms_authenticator_reset"),
        _reset("google_authenticator_reset"),
        Notice(
            "withdrawal_confirmation",
            Withdrawal,
            Lane.CRITICAL,
            own="confirm_withdrawal",
            links=_BOTH,
            subject=lambda context: context.withdrawal_id,
            code="withdrawal",
        ),
        Notice("verification_code", CodePurpose, Lane.CRITICAL, emergency=False, code=""),
        Notice(
            "reactivation_requested",
            Occurrence,
            Lane.CRITICAL,
            own="reactivate",
            subject=lambda _: "reactivation",
            code="reactivation",
        ),
        Notice("account_deactivated", Occurrence, Lane.CRITICAL, links=("reactivate",)),
        Notice("account_reactivated", Occurrence, Lane.CRITICAL, links=("deactivate",)),
    )
}
