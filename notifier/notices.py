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

    `links` are the purposes its mail links to. `emergency` says whether its SMS carries the one short link.
    `code` is the purpose of the code it prints (`""`: the context names it, None: it prints none). A message is
    never sent past `deadline` after its acceptance; where it prints a code, past the code's life.
    `subject` tells of a context what its links are about: a newer link for the same subject supersedes an older one.
    `on_request` shortens the `reactivate` link to the life it has when the owner asked for it.
    """

    name: str
    context: type[Context]
    lane: Lane
    links: tuple[str, ...] = ()
    emergency: bool = True
    code: str | None = None
    subject: Callable[[Any], str] | None = None
    on_request: bool = False
    deadline: timedelta = timedelta(days=3)


_BOTH = ("deactivate", "reactivate")

NOTICES: Mapping[str, Notice] = {
    notice.name: notice
    for notice in (
        Notice("login_succeeded", Activity, Lane.ALERT, _BOTH),
        Notice("ip_verification", Activity, Lane.CRITICAL, _BOTH, code="ip_verification"),
        Notice(
            "new_device",
            Activity,
            Lane.CRITICAL,
            ("authorize_device", *_BOTH),
            code="new_device",
            subject=lambda context: context.device,
        ),
        Notice("password_reset", Activity, Lane.CRITICAL, _BOTH, code="password_reset"),
        Notice("sms_authenticator_reset", Activity, Lane.CRITICAL, _BOTH, code="sms_authenticator_reset"),
        Notice("google_authenticator_reset", Activity, Lane.CRITICAL, _BOTH, code="google_authenticator_reset"),
        Notice(
            "withdrawal_confirmation",
            Withdrawal,
            Lane.CRITICAL,
            ("confirm_withdrawal", *_BOTH),
            code="withdrawal",
            subject=lambda context: context.withdrawal_id,
        ),
        Notice("verification_code", CodePurpose, Lane.CRITICAL, emergency=False, code=""),
        Notice(
            "reactivation_requested", Occurrence, Lane.CRITICAL, ("reactivate",), code="reactivation", on_request=True
        ),
        Notice("account_deactivated", Occurrence, Lane.CRITICAL, ("reactivate",)),
        Notice("account_reactivated", Occurrence, Lane.CRITICAL, ("deactivate",)),
    )
}
