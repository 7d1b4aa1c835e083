"""What is posted: mixed notices in five languages, each event once; bodies for `POST /v1/events` go out."""

import json
import random
from collections.abc import Iterator
from typing import Any

LOCALES = ("en", "de", "ru", "sq", "ja")
ZONES = {"en": "Europe/London", "de": "Europe/Berlin", "ru": "Europe/Moscow", "sq": "Europe/Tirane", "ja": "Asia/Tokyo"}
# Those with a code, links, or both; a hold on withdrawals, which no peer has, is in none.
MIXED = ("login_succeeded", "new_device", "password_reset", "withdrawal_confirmation", "verification_code")
_AT = "2026-03-09T14:05:00Z"


def context(notice: str, number: int) -> dict[str, str]:
    """`data.context` of the event with this number."""
    if notice == "verification_code":
        return {"purpose": "sign_in"}
    if notice == "withdrawal_appeal_received":
        return {"occurred_at": _AT}
    device, ip = f"Chrome {number % 50 + 100} on Windows", f"203.0.113.{number % 250}"
    # Each at a time of its own, as in life: a time that was written before is remembered.
    at = f"2026-03-09T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    facts = {"occurred_at": at, "ip": ip, "device": device, "location": "Tiranë, Albania"}
    if notice == "withdrawal_confirmation":
        facts |= {"withdrawal_id": f"wd-{number}", "amount": "0.25", "asset": "BTC", "network": "Bitcoin"}
        facts |= {"address": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "fee": "0.00012"}
    return facts


def event(notice: str, locale: str, run: str, number: int) -> dict[str, Any]:
    """One event; `run` keeps its id apart from those of other runs."""
    recipient = {
        "email": f"r{number}@example.com",
        "locale": locale,
        "timezone": ZONES.get(locale, "UTC"),
        "name": "Arta Hoxha",
        "antiphishing_phrase": "blue heron",
    }
    return {
        "specversion": "1.0",
        "id": f"{run}-{number}",
        "source": "https://platform.example/accounts",
        "type": f"account.{notice}",
        "subject": f"acct-{run}-{number}",
        "datacontenttype": "application/json",
        "data": {"recipient": recipient, "channels": ["email"], "context": context(notice, number)},
    }


def mixed(count: int, notices: tuple[str, ...] = MIXED, first: int = 0) -> Iterator[dict[str, Any]]:
    """Every notice in every locale, in turn."""
    run = f"{random.getrandbits(48):x}"
    for number in range(first, first + count):
        locale = LOCALES[number // len(notices) % len(LOCALES)]
        yield event(notices[number % len(notices)], locale, run, number)


def bodies(count: int, notices: tuple[str, ...] = MIXED, first: int = 0) -> list[bytes]:
    """The same as JSON."""
    return [json.dumps(each).encode() for each in mixed(count, notices, first)]
