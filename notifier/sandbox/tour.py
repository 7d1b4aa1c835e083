"""The tour of the demo: an HTTP client of the API comes in; real events in five languages are posted through it."""

import secrets
from datetime import UTC, datetime
from typing import Any

import httpx

_OWNERS: dict[str, dict[str, str]] = {
    "en": {
        "email": "emma@mail.example",
        "phone": "+447400123456",
        "timezone": "Europe/London",
        "name": "Emma Hughes",
        "location": "Leeds, United Kingdom",
        "antiphishing_phrase": "blue heron",
    },
    "sq": {
        "email": "arta@mail.example",
        "phone": "+355691234567",
        "timezone": "Europe/Tirane",
        "name": "Arta Hoxha",
        "location": "Tiranë, Shqipëri",
        "antiphishing_phrase": "shqiponja e bardhë",
    },
    "no": {
        "email": "ingrid@mail.example",
        "phone": "+4741234567",
        "timezone": "Europe/Oslo",
        "name": "Ingrid Dahl",
        "location": "Bergen, Norge",
        "antiphishing_phrase": "rød bølge",
    },
    "ru": {
        "email": "anna@mail.example",
        "phone": "+79161234567",
        "timezone": "Europe/Moscow",
        "name": "Анна Соколова",
        "location": "Казань, Россия",
        "antiphishing_phrase": "тихий берег",
    },
    "sv": {
        "email": "elsa@mail.example",
        "phone": "+46701234567",
        "timezone": "Europe/Stockholm",
        "name": "Elsa Lindqvist",
        "location": "Göteborg, Sverige",
        "antiphishing_phrase": "grön gran",
    },
}
_ALERTS = (
    "login_succeeded",
    "ip_verification",
    "new_device",
    "password_reset",
    "sms_authenticator_reset",
    "google_authenticator_reset",
    "withdrawal_confirmation",
)
_WITHDRAWAL = {
    "amount": "0.25",
    "asset": "BTC",
    "address": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "network": "Bitcoin",
    "fee": "0.00012",
}


def event(notice: str, locale: str, tour: str) -> dict[str, Any]:
    """An event of this notice for the tour's owner who reads this language; `tour` makes its id new."""
    owner = dict(_OWNERS[locale])
    location = owner.pop("location")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    context: dict[str, str] = {
        "occurred_at": now,
        "ip": "203.0.113.24",
        "device": "Chrome 131 on Windows",
        "location": location,
    }
    if notice == "verification_code":
        context = {"purpose": "sign_in"}
    if notice == "withdrawal_confirmation":
        context |= _WITHDRAWAL | {"withdrawal_id": f"wd-{tour}-{locale}"}
    return {
        "specversion": "1.0",
        "id": f"tour-{tour}-{notice}-{locale}",
        "source": "https://northbank.example/accounts",
        "type": f"account.{notice}",
        "time": now,
        "subject": f"acct-{owner['email'].split('@')[0]}",
        "data": {"recipient": {**owner, "locale": locale}, "context": context},
    }


async def post_tour(client: httpx.AsyncClient) -> int:
    """Every alert and a code in every language; returns how many events were accepted."""
    tour = secrets.token_hex(4)
    events = [event(notice, locale, tour) for locale in _OWNERS for notice in (*_ALERTS, "verification_code")]
    for posted in events:
        (await client.post("/v1/events", json=posted)).raise_for_status()
    return len(events)
