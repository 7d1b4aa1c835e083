"""A notice comes in, with which of its variants and how long its values should be; the message that an owner could get
goes out.

Typical values are those of `examples.py`; the longest and the shortest are what still may come, so that a layout which
holds with all three holds. All are in letters of GSM-7: what makes an SMS UCS-2 is then the catalog's.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from links.purposes import purposes
from links.tokens import Tokens
from notifier import examples, ids
from notifier.catalogs.variants import Variant, variants
from notifier.clock import ms
from notifier.events import Channel, Context, Recipient
from notifier.linkage import Linkage, Urls
from notifier.notices import HOLDS, NOTICES
from notifier.records import Accepted, PrintedCode
from notifier.rendering.negotiation import SOURCE_LOCALE
from notifier.rendering.renderer import About, Voice

Length = Literal["typical", "longest", "shortest"]
LENGTHS: tuple[Length, ...] = get_args(Length)

AT = datetime.fromisoformat(examples.AT)
_ON_REQUEST = timedelta(hours=24)
# Of a hold of which the notice does not say how long it is.
_HELD = timedelta(hours=24)
_CODES: Mapping[Length, PrintedCode] = {
    "typical": PrintedCode("481516", 30),
    "longest": PrintedCode("4815162342", 30),
    "shortest": PrintedCode("4815", 1),
}
LONG_REASON = (
    "The document that you sent is not readable: the lower left corner is cut off, and the date of issue is covered by "
    "a reflection. Send a photograph of the whole page, taken in daylight."
)
_HOST = "https://a-very-long-name-of-a-company.example"
_VALUES: Mapping[Length, Mapping[str, str]] = {
    "typical": {"location": "Tirana, Albania", "reason": "Your identity card has expired."},
    "longest": {
        "ip": "2001:db8:85a3:1234:5678:8a2e:370:7334",
        "device": "Samsung Internet 27.0 on Android 15 (Samsung Galaxy S24 Ultra Enterprise Edition), screen reader on",
        "location": "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch, Wales, United Kingdom",
        "withdrawal_id": "withdrawal-2026-03-09-000000000000000000005512",
        "amount": "123456789012.123456789012345678",
        "fee": "0.000000000000012345",
        "asset": "USDT-POLYGON",
        "address": "addr1q9ld26v2lv8wvrxxmvg90pn8n8n5k6tdst06q2s856rwmvnueldzuuqmnsye359fqrk8h"
        "wvenjnqultn7djtrlft7jn7dy7wv",
        "network": "BNB Smart Chain (BEP20)",
        "reason": LONG_REASON,
        "old_email": "a.very.long.address.of.a.person@a-very-long-name-of-a-company.example",
        "new_email": "another.very.long.address.of.a.person@a-very-long-name-of-a-company.example",
        "verify_url": f"{_HOST}/account/security/identity/verification/start?case=000000000000005512",
        "next_url": f"{_HOST}/account/security/identity/verification/again?case=000000000000005512",
        "appeal_url": f"{_HOST}/account/security/decisions/000000000000005512/appeal",
        "orders_url": f"{_HOST}/account/orders?state=open&sort=newest&page=1",
        "sign_out_url": f"{_HOST}/account/security/sessions/sign-out-everywhere",
    },
    "shortest": {
        "ip": "192.0.2.7",
        "device": "iOS",
        "withdrawal_id": "1",
        "amount": "1",
        "fee": "0",
        "asset": "T",
        "address": "0x1",
        "network": "X",
        "reason": "Error",
        "old_email": "a@b.example",
        "new_email": "c@d.example",
    },
}
_OWNERS: Mapping[Length, Mapping[str, str]] = {
    "typical": {},
    "longest": {
        "name": "Maria Konstantina Papadopoulou-Christodoulou von Hohenberg",
        "antiphishing_phrase": "the quick brown fox jumps over the lazy dog, and nobody in this house is surprised",
        "timezone": "America/Argentina/ComodRivadavia",
        "email": "a.very.long.address.of.a.person@a-very-long-name-of-a-company.example",
    },
    "shortest": {"email": "a@b.example", "phone": "+4741234567", "timezone": "UTC"},
}


@dataclass(frozen=True, slots=True)
class Message:
    """What the renderer needs of one."""

    accepted: Accepted
    urls: Urls
    code: PrintedCode | None
    about: About


def sample_voice(brand: str, public_url: str) -> Voice:
    """As the settings would make it, with the lives and delays that are usual."""
    return Voice(
        brand=brand,
        base_url=public_url,
        support_email="help@northbank.example",
        life_emergency=purposes()["deactivate"].life,
        life_on_request=_ON_REQUEST,
        reactivation_delay=timedelta(hours=2),
        life_activation=purposes()["activate_account"].life,
        holds=HOLDS,
    )


class Samples:
    """Messages whose links begin with `base_url`, and open nothing; each is made once."""

    def __init__(self, base_url: str) -> None:
        table = purposes()
        self._linkage = Linkage(base_url, Tokens([bytes(32)], table, lambda: ms(AT)), table, _ON_REQUEST)
        self._made: dict[tuple[str, Channel, Length, str], Message] = {}

    def message(self, notice: str, channel: Channel, length: Length = "typical", variant: str = "") -> Message:
        """One message of a notice; of its first variant where none is named."""
        name = variant or next(iter(variants(notice)))
        asked = notice, channel, length, name
        if asked not in self._made:
            self._made[asked] = self._make(notice, channel, length, variants(notice)[name])
        return self._made[asked]

    def _make(self, notice: str, channel: Channel, length: Length, variant: Variant) -> Message:
        code = _CODES[length] if NOTICES[notice].code is not None else None
        id = ids.derived_id(channel, notice)
        context = sample_context(notice, length, variant)
        recipient = _recipient(channel, length)
        accepted = Accepted(
            event=notice,
            account="acct-1001",
            notice=notice,
            recipient=recipient,
            context=context,
            locale=SOURCE_LOCALE,
            accepted=ms(AT),
            notifications={id: channel},
            code=notice if code else None,
            held_until=_held_until(notice, context) if variant.held == "until" else None,
            stopped=variant.held == "for_now",
        )
        goes_to = getattr(context, variant.to) if variant.to else recipient.email
        return Message(accepted, self._linkage.urls(accepted, id, channel), code, About(notice, goes_to))


def sample_context(notice: str, length: Length, variant: Variant | None = None) -> Context:
    """The data of a notice's event, in letters of GSM-7."""
    model = NOTICES[notice].context
    typical = {name: _ascii(value) for name, value in examples.EXAMPLES[notice].context.items()}
    wanted = typical | {name: value for name, value in _VALUES[length].items() if name in model.model_fields}
    if length == "shortest":
        wanted = {name: value for name, value in wanted.items() if model.model_fields[name].is_required()}
    own = variant.context if variant else {}
    given = {name: value for name, value in {**wanted, **own}.items() if value is not None}
    return model.model_validate(given)


def _held_until(notice: str, context: Context) -> int:
    return ms(getattr(context, "resumes_at", None) or AT + HOLDS.get(notice, _HELD))


def _recipient(channel: Channel, length: Length) -> Recipient:
    typical = examples.data("login_succeeded")["recipient"]
    owner = _OWNERS[length] if length == "shortest" else typical | _OWNERS[length]
    other = "phone" if channel == "email" else "email"
    return Recipient.model_validate({name: value for name, value in owner.items() if name != other})


def _ascii(value: str) -> str:
    return unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
