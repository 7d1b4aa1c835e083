"""The tour of the demo: a client of the API comes in; real events in five languages are posted through it."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from notifier.client import AsyncNotifier, Event, Problem, Recipient
from notifier.client.notices import Told
from notifier.examples import EXAMPLES

_OWNERS: dict[str, dict[str, str]] = {
    "en": {
        "email": "emma@mail.example",
        "phone": "+447400123456",
        "timezone": "Europe/London",
        "name": "Emma Hughes",
        "location": "Leeds, United Kingdom",
        "reason": "We are checking your last payment.",
        "antiphishing_phrase": "blue heron",
    },
    "sq": {
        "email": "arta@mail.example",
        "phone": "+355691234567",
        "timezone": "Europe/Tirane",
        "name": "Arta Hoxha",
        "location": "Tiranë, Shqipëri",
        "reason": "Po kontrollojmë pagesën tuaj të fundit.",
        "antiphishing_phrase": "shqiponja e bardhë",
    },
    "no": {
        "email": "ingrid@mail.example",
        "phone": "+4741234567",
        "timezone": "Europe/Oslo",
        "name": "Ingrid Dahl",
        "location": "Bergen, Norge",
        "reason": "Vi kontrollerer den siste betalingen din.",
        "antiphishing_phrase": "rød bølge",
    },
    "ru": {
        "email": "anna@mail.example",
        "phone": "+79161234567",
        "timezone": "Europe/Moscow",
        "name": "Анна Соколова",
        "location": "Казань, Россия",
        "reason": "Мы проверяем ваш последний платёж.",
        "antiphishing_phrase": "тихий берег",
    },
    "sv": {
        "email": "elsa@mail.example",
        "phone": "+46701234567",
        "timezone": "Europe/Stockholm",
        "name": "Elsa Lindqvist",
        "location": "Göteborg, Sverige",
        "reason": "Vi kontrollerar din senaste betalning.",
        "antiphishing_phrase": "grön gran",
    },
}
# What happens to one account, in this order, and how many hours ago: a way back opens two hours after its account was
# deactivated, and here it can be tried at once. Of the last one everything is new, and its links work.
_FLOWS: dict[str, dict[str, int]] = {
    "-comes-back": {"account_deactivated": 3, "reactivation_requested": 0},
    "-holds": {"password_changed": 5, "two_factor_disabled": 4, "two_factor_reset": 3, "email_changed": 0},
    # The appeal is accepted, so that the service itself tells a little later that withdrawals work again.
    "-unusual": {
        "unusual_activity": 72,
        "identity_verification_result": 24,
        "withdrawal_appeal_received": 20,
        "withdrawal_appeal_result": 0,
    },
    "-blocked": {"account_blocked": 48, "document_review_result": 0},
    "": dict.fromkeys(
        (
            "login_succeeded",
            "ip_verification",
            "new_device",
            "password_reset",
            "sms_authenticator_reset",
            "google_authenticator_reset",
            "withdrawal_confirmation",
            "verification_code",
        ),
        0,
    ),
}
_PLACES = {notice: (suffix, hours) for suffix, flow in _FLOWS.items() for notice, hours in flow.items()}
# Each of the others has an account of its own.
_ORDER = (*_PLACES, *(notice for notice in EXAMPLES if notice not in _PLACES))
_NOTICES = {told.notice: told for told in Told.__subclasses__()}


def event(notice: str, locale: str, tour: str) -> Event:
    """An event of this notice for the tour's owner who reads this language; `tour` makes its id new."""
    owner = dict(_OWNERS[locale])
    now = datetime.now(UTC).replace(microsecond=0)
    suffix, hours = _PLACES.get(notice, (f"-{notice}", 0))
    # What only this event can say, where its notice has it; the rest is the example's.
    own: dict[str, Any] = {
        "occurred_at": now - timedelta(hours=hours),
        "resumes_at": now + timedelta(days=2),
        "location": owner.pop("location"),
        "reason": owner.pop("reason"),
        "withdrawal_id": f"wd-{tour}-{locale}",
        "old_email": owner["email"],
        "new_email": f"new.{owner['email']}",
    }
    context = EXAMPLES[notice].context
    return Event(
        source="https://northbank.example/accounts",
        id=f"tour-{tour}-{notice}-{locale}",
        account=f"acct-{owner['email'].split('@')[0]}{suffix}",
        recipient=Recipient(**owner, locale=locale),
        notice=_NOTICES[notice](**{name: own.get(name, value) for name, value in context.items()}),
    )


async def post_tour(client: AsyncNotifier) -> int:
    """Every notice in every language; returns how many events were accepted."""
    tour = secrets.token_hex(4)
    for locale in _OWNERS:
        for result in await client.send_batch([event(notice, locale, tour) for notice in _ORDER]):
            if isinstance(result, Problem):
                raise result
    return len(_OWNERS) * len(EXAMPLES)
