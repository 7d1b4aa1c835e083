"""The table of notices: for each its data model, lane, deadline, links, code and hold.

A new notice is a row here and a folder of templates with the same name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from links.purposes import SHORT
from notifier.contexts import (
    Activity,
    Block,
    CodePurpose,
    EmailChange,
    LoginMethod,
    Occasion,
    Occurrence,
    Review,
    Suspension,
    Suspicion,
    TwoFactor,
    Withdrawal,
)
from notifier.events import Context


class Lane(StrEnum):
    """Queues that never delay one another, most urgent first."""

    CRITICAL = "critical"
    ALERT = "alert"
    BULK = "bulk"

    @property
    def urgency(self) -> int:
        """0 goes first."""
        return list(Lane).index(self)


def always(_: Context) -> bool:
    """Whatever the context."""
    return True


@dataclass(frozen=True, slots=True)
class Notice:
    """One kind of message.

    `own` is the purpose of the link that the message is about, `links` those it carries besides; none of them where
    `offers` says no to its context. What it is about is told by `subject`, from its context: a newer link for the same
    subject supersedes an older one. `code` is the purpose of the code it prints (`""`: the context names it, None: it
    prints none); the page of the own link may ask for that code. A message is never sent past `deadline` after it was
    due; where it prints a code or has a link of its own, past their life.

    `mails` gives the addresses that its mail goes to, from its context, where that is not the recipient's. `hold` is
    how long after it withdrawals are on hold, unless the settings say otherwise; `leads_to` the notice that follows,
    with its hold, where its owner goes on. By `reminder` the service reminds of the own link, so long before its end.
    """

    name: str
    context: type[Context]
    lane: Lane
    own: str | None = None
    links: tuple[str, ...] = ()
    offers: Callable[[Any], bool] = always
    subject: Callable[[Any], str] | None = None
    code: str | None = None
    deadline: timedelta = timedelta(days=3)
    mails: Callable[[Any], tuple[str, ...]] | None = None
    leads_to: str | None = None
    hold: timedelta | None = None
    reminder: tuple[str, timedelta] | None = None

    @property
    def purposes(self) -> tuple[str, ...]:
        """Of all the links that it may carry."""
        return (self.own, *self.links) if self.own else self.links

    def carries(self, context: Context) -> tuple[str, ...]:
        """The purposes of the links that a message with this context carries."""
        return self.purposes if self.offers(context) else ()

    def emergency(self, context: Context) -> bool:
        """Whether its SMS carries the one short link."""
        return any(purpose in SHORT for purpose in self.carries(context))


_BOTH = ("deactivate", "reactivate")


def _reset(name: str, leads_to: str) -> Notice:
    return Notice(name, Activity, Lane.CRITICAL, links=_BOTH, code=name, leads_to=leads_to)


def _change(name: str, context: type[Context], **more: Any) -> Notice:
    return Notice(name, context, Lane.ALERT, links=("deactivate",), **more)


def _news(name: str, context: type[Context], **more: Any) -> Notice:
    return Notice(name, context, Lane.BULK, **more)


def _approved(context: Review) -> bool:
    return context.result == "approved"


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
        _reset("password_reset", "password_changed"),
        _reset("sms_authenticator_reset", "two_factor_reset"),
        _reset("google_authenticator_reset", "two_factor_reset"),
        Notice(
            "withdrawal_confirmation",
            Withdrawal,
            Lane.CRITICAL,
            own="confirm_withdrawal",
            links=_BOTH,
            subject=lambda context: context.withdrawal_id,
            code="withdrawal",
        ),
        Notice("verification_code", CodePurpose, Lane.CRITICAL, code=""),
        Notice(
            "reactivation_requested",
            Occurrence,
            Lane.CRITICAL,
            own="reactivate",
            subject=lambda _: "reactivation",
            code="reactivation",
        ),
        Notice("account_deactivated", Occurrence, Lane.CRITICAL, links=("reactivate",)),
        Notice("account_reactivated", Occurrence, Lane.CRITICAL, links=("deactivate",), hold=timedelta(hours=48)),
        _change("password_changed", Activity, hold=timedelta(hours=24)),
        _change("two_factor_disabled", TwoFactor, hold=timedelta(hours=24)),
        _change("two_factor_reset", TwoFactor, hold=timedelta(hours=48)),
        _change(
            "email_changed",
            EmailChange,
            mails=lambda context: (context.old_email, context.new_email),
            hold=timedelta(hours=48),
        ),
        _change("login_method_linked", LoginMethod),
        _change("withdrawals_suspended", Suspension),
        _news("withdrawals_resumed", Occasion),
        _change("unusual_activity", Suspicion),
        _news("identity_verification_result", Review),
        _news("withdrawal_appeal_received", Occasion),
        _news("withdrawal_appeal_result", Review),
        Notice(
            "account_activation",
            Occasion,
            # Somebody who has just opened an account waits for it.
            Lane.CRITICAL,
            own="activate_account",
            subject=lambda _: "activation",
            reminder=("account_activation_reminder", timedelta(hours=24)),
        ),
        _news("account_activation_reminder", Occasion, own="activate_account", subject=lambda _: "activation"),
        Notice("account_blocked", Block, Lane.ALERT, links=("reactivate",)),
        _news("document_review_result", Review, links=("reactivate",), offers=_approved),
    )
}
# How long after each of these withdrawals are on hold.
HOLDS: Mapping[str, timedelta] = {name: notice.hold for name, notice in NOTICES.items() if notice.hold is not None}
