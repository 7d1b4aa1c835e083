"""What the tests of rendering stand on: the catalogs and templates that are shipped, and a message of any notice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from links.purposes import purposes
from links.tokens import Tokens
from notifier.assets import assets
from notifier.events import Channel, Recipient
from notifier.ids import new_id
from notifier.linkage import Linkage, Urls
from notifier.notices import HOLDS, NOTICES
from notifier.records import Accepted, PrintedCode
from notifier.rendering.i18n import Catalogs
from notifier.rendering.mime import MailText
from notifier.rendering.renderer import About, Renderer, Voice

BASE_URL = "https://notify.example.com"
CODE = "481516"
PRINTED = PrintedCode(CODE, 30)
NOW = datetime(2026, 3, 9, 14, 5, tzinfo=UTC)
UNTIL = NOW + timedelta(hours=30)
VOICE = Voice(
    brand="Northbank",
    base_url=BASE_URL,
    support_email="help@northbank.example",
    life_emergency=timedelta(days=7),
    life_on_request=timedelta(hours=24),
    reactivation_delay=timedelta(hours=2),
    life_activation=timedelta(days=3),
    holds=HOLDS,
)
# A value for each field of a context, whichever notices have it.
CONTEXT: dict[str, Any] = {
    "occurred_at": NOW,
    "ip": "203.0.113.24",
    "device": "Chrome 131, Windows",
    "location": "Tirana",
    "withdrawal_id": "wd-1",
    "amount": Decimal("1234.5"),
    "asset": "BTC",
    "address": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "network": "Bitcoin",
    "fee": Decimal("0.0001"),
    "purpose": "sign_in",
    "method": "sms",
    "old_email": "arta@mail.example",
    "new_email": "hoxha@post.example",
    "provider": "telegram",
    "reason": "Dokumenti skadoi me 1 mars.",
    "resumes_at": UNTIL,
    "verify_url": "https://northbank.example/verify?case=1&step=2",
    "result": "rejected",
    "next_url": "https://northbank.example/next",
    "appeal_url": "https://appeals.northbank.example/new",
    "orders_url": "https://northbank.example/orders",
    "sign_out_url": "https://northbank.example/sign-out",
}
# Of these notices the context decides what is said, or which links there are: each of these as well.
VARIANTS: dict[str, Sequence[dict[str, Any]]] = {
    "two_factor_disabled": [{"method": "authenticator"}],
    "two_factor_reset": [{"method": "authenticator"}],
    "identity_verification_result": [{"result": "approved"}],
    "withdrawal_appeal_result": [{"result": "approved"}],
    "document_review_result": [{"result": "approved"}],
}


@dataclass(frozen=True)
class Case:
    """One message, and everything that went into it."""

    renderer: Renderer
    accepted: Accepted
    urls: Urls
    code: PrintedCode | None

    @property
    def held(self) -> bool:
        return self.accepted.held_until is not None

    def mail(self, to: str = "arta@mail.example") -> MailText:
        return self.renderer.mail(self.accepted, self.urls, self.code, about=About(self.accepted.notice, to))

    def sms(self) -> str:
        return self.renderer.sms(self.accepted, self.urls, self.code)


Compose = Callable[..., Case]


@pytest.fixture(scope="session")
def catalogs() -> Catalogs:
    return Catalogs(assets("locales"))


@pytest.fixture(scope="session")
def renderer(catalogs: Catalogs) -> Renderer:
    return Renderer(assets("templates"), catalogs, VOICE)


@pytest.fixture(scope="session")
def linkage() -> Linkage:
    table = purposes()
    return Linkage(BASE_URL, Tokens([b"k" * 32], table, lambda: 0), table, timedelta(hours=24))


@pytest.fixture(scope="session")
def compose_message(renderer: Renderer, linkage: Linkage) -> Compose:
    """A message with every optional field, or with none; `recipient` and `context` change single fields.

    In full it says until when withdrawals are on hold, where its notice is one that may; else that nobody knows,
    where it must.
    """

    def made(
        notice: str,
        locale: str,
        channel: Channel,
        *,
        full: bool = True,
        recipient: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        by: Renderer = renderer,
    ) -> Case:
        row = NOTICES[notice]
        fields = {
            name: CONTEXT[name] for name, field in row.context.model_fields.items() if full or field.is_required()
        }
        optional = {
            "timezone": "Europe/Tirane",
            "name": "Arta Hoxha",
            "antiphishing_phrase": "korb i bardhë 7",
        }
        address = {"email": {"email": "arta@mail.example"}, "sms": {"phone": "+355691234567"}, "inbox": {}}[channel]
        id = new_id(channel)
        holds = notice in HOLDS or notice == "withdrawals_suspended"
        accepted = Accepted(
            event="e",
            account="acct-1",
            notice=notice,
            recipient=Recipient.model_validate(address | (optional if full else {}) | (recipient or {})),
            context=row.context.model_validate(fields | (context or {})),
            locale=locale,
            accepted=round(NOW.timestamp() * 1000),
            notifications={id: channel},
            code="c" if row.code is not None else None,
            held_until=round(UNTIL.timestamp() * 1000) if full and holds else None,
            stopped=not full and notice == "withdrawals_suspended",
        )
        return Case(by, accepted, linkage.urls(accepted, id, channel), PRINTED if row.code is not None else None)

    return made
