"""An example of every notice: what it tells its owner, and an event that asks for it.

The schemas and the API's documentation show these; a test posts each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AT = "2026-03-09T14:05:00Z"
_ACTIVITY = {"occurred_at": AT, "ip": "203.0.113.24", "device": "Chrome 131 on Windows", "location": "Tiranë, Albania"}


@dataclass(frozen=True, slots=True)
class Example:
    """`says` in one sentence; `context` as `data.context` of its event."""

    says: str
    context: Mapping[str, str]


EXAMPLES: Mapping[str, Example] = {
    "login_succeeded": Example("You signed in.", _ACTIVITY),
    "ip_verification": Example("A sign-in from a new IP address: is it you? Prints a code.", _ACTIVITY),
    "new_device": Example("Authorize the new device. Prints a code, and carries a link that asks for it.", _ACTIVITY),
    "password_reset": Example("A reset of the password was asked for. Prints a code.", _ACTIVITY),
    "sms_authenticator_reset": Example("A reset of the SMS authenticator was asked for. Prints a code.", _ACTIVITY),
    "google_authenticator_reset": Example("A reset of the authenticator app was asked for. Prints a code.", _ACTIVITY),
    "withdrawal_confirmation": Example(
        "Confirm a withdrawal. Prints a code, and carries a link that asks for it.",
        {
            **_ACTIVITY,
            "withdrawal_id": "wd-5512",
            "amount": "0.25",
            "asset": "BTC",
            "address": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
            "network": "Bitcoin",
            "fee": "0.00012",
        },
    ),
    "verification_code": Example("A code, and what it is for.", {"purpose": "sign_in"}),
    "reactivation_requested": Example(
        "Confirm that you want the account back. Prints a code, and carries a link that asks for it.",
        {"occurred_at": AT},
    ),
    "account_deactivated": Example("The account is deactivated; when that can be undone.", {"occurred_at": AT}),
    "account_reactivated": Example(
        "The account is active again; until when withdrawals are on hold.", {"occurred_at": AT}
    ),
    "password_changed": Example("The password was changed; until when withdrawals are on hold.", _ACTIVITY),
    "two_factor_disabled": Example(
        "SMS or app authentication was switched off; until when withdrawals are on hold.",
        {**_ACTIVITY, "method": "authenticator"},
    ),
    "two_factor_reset": Example(
        "SMS or app authentication was reset; until when withdrawals are on hold.", {**_ACTIVITY, "method": "sms"}
    ),
    "email_changed": Example(
        "The e-mail address was changed; mailed to the old one and to the new one.",
        {**_ACTIVITY, "old_email": "arta@example.com", "new_email": "arta.hoxha@post.example"},
    ),
    "login_method_linked": Example(
        "Google, Apple or Telegram sign-in was linked.", {**_ACTIVITY, "provider": "telegram"}
    ),
    "withdrawals_suspended": Example(
        "Withdrawals are on hold: why, and until when.",
        {"reason": "Pagesa juaj e fundit po kontrollohet.", "resumes_at": "2026-03-11T09:30:00Z"},
    ),
    "withdrawals_resumed": Example(
        "Withdrawals work again. Sent by the service itself when the last hold ends; posted, it ends every hold.",
        {"occurred_at": AT},
    ),
    "unusual_activity": Example(
        "Withdrawals are stopped until the owner's identity is verified.",
        {**_ACTIVITY, "verify_url": "https://platform.example/verify"},
    ),
    "identity_verification_result": Example(
        "The owner's identity is verified, or not: why, and the next step.",
        {
            "result": "rejected",
            "reason": "Dokumenti ka skaduar.",
            "next_url": "https://platform.example/verify/again",
        },
    ),
    "withdrawal_appeal_received": Example("An appeal against a hold on withdrawals arrived.", {"occurred_at": AT}),
    "withdrawal_appeal_result": Example("The appeal was accepted, or not, and why.", {"result": "approved"}),
    "account_activation": Example("Activate the account. Carries a link that lives 3 days.", {"occurred_at": AT}),
    "account_activation_reminder": Example(
        "The account is not active yet. Sent by the service itself a day before that link dies, unless it was used.",
        {"occurred_at": AT},
    ),
    "account_blocked": Example(
        "The account is temporarily unavailable: why, and the ways on.",
        {
            "occurred_at": AT,
            "reason": "Na duhen dokumente të reja.",
            "appeal_url": "https://platform.example/appeal",
            "orders_url": "https://platform.example/orders",
            "sign_out_url": "https://platform.example/sign-out",
        },
    ),
    "document_review_result": Example(
        "The documents were accepted, with a link to reactivate the account; or not, and why.", {"result": "approved"}
    ),
}


def data(notice: str) -> dict[str, Any]:
    """`data` of the example event."""
    return {
        "recipient": {
            "email": "arta@example.com",
            "phone": "+355691234567",
            "locale": "sq",
            "timezone": "Europe/Tirane",
            "name": "Arta Hoxha",
            "antiphishing_phrase": "blue heron",
        },
        "channels": ["email", "sms"],
        "context": dict(EXAMPLES[notice].context),
        "reference": "whatever you want back with a click",
    }


def event(notice: str) -> dict[str, Any]:
    """The event in structured mode."""
    return {
        "specversion": "1.0",
        "id": f"{notice}-8841",
        "source": "https://platform.example/accounts",
        "type": f"account.{notice}",
        "time": AT,
        "subject": "acct-1001",
        "datacontenttype": "application/json",
        "data": data(notice),
    }
