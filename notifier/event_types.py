"""What the fields of producers' events are made of: a value of JSON comes in, its canonical form goes out, or a
ValueError that says what would be right. The documentation has of each what JSON Schema can say.
"""

import ipaddress
import re
import zoneinfo
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from notifier.checks import checked
from notifier.text import harmless

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
# Names with a dot are addresses on some networks (`alice.near`).
_LINK = re.compile(r"://|^www\.|\.[a-z]{2,}[/:?#]|^(javascript|data|mailto|tel|sms):", re.IGNORECASE)
# Over TLS, to a host that has a name, in the characters of RFC 3986 alone: nothing to misread on its way to a button.
_WEB_ADDRESS = (
    r"^https://([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])(:[0-9]{1,5})?"
    r"([/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?$"
)
_LINE = r"^[^\x00-\x1f\x7f]+$"
_IDENTIFIER = "^[!-~]{1,128}$"
_LONGEST_PROSE = 500
_AMOUNT = re.compile(r"\d{1,30}(\.\d{1,18})?", re.ASCII)


def _timestamp(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("must be a time with its zone (RFC 3339), such as 2026-03-09T14:05:00Z")
    try:
        at = datetime.fromisoformat(value.upper()).astimezone(UTC)
        # The first and last years are not whole in every owner's zone: such a message could never be written.
        if not datetime.min.year < at.year < datetime.max.year:
            raise ValueError
        return at
    except (ValueError, OverflowError):
        raise ValueError("must be a time that exists, such as 2026-03-09T14:05:00Z") from None


def _amount(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise ValueError('must be a decimal number in a string, up to 18 decimals, such as "0.25"')
    return Decimal(value)


def _ip(value: str) -> str:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        address = None
    if address is None or getattr(address, "scope_id", None):
        raise ValueError("must be an IPv4 or IPv6 address, such as 192.0.2.7")
    return str(address)


def _web_address(value: str) -> str:
    if not re.fullmatch(_WEB_ADDRESS, value, re.ASCII):
        raise ValueError("must be a web address that begins with https:// and a host's name, without spaces")
    return value


@cache
def _zones() -> frozenset[str]:
    # Two names of that database are no place's: this machine's own time, and a clock that nobody has set.
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def _zone(value: str) -> str:
    if value not in _zones():
        raise ValueError("must be a zone of the IANA database, such as Europe/Tirane")
    return value


def _encodable(value: str) -> str:
    # A lone surrogate is JSON but no text: nothing behind this could store or send it.
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must be text: it has half of a surrogate pair") from None
    return value


def _one_line(value: str) -> str:
    if not re.fullmatch(_LINE, value):
        raise ValueError("must be one line of text")
    return value


def _identifier(value: str) -> str:
    if not re.fullmatch(_IDENTIFIER, value):
        raise ValueError("must be ASCII letters, digits and signs, without spaces")
    return value


def _no_link(value: str) -> str:
    if _LINK.search(value):
        raise ValueError("must be the address of a wallet or an account, not of a page")
    return value


Timestamp = Annotated[AwareDatetime, BeforeValidator(_timestamp), Field(examples=["2026-03-09T14:05:00Z"])]
# Never as str() has it: 0.00000000 would become 0E-8, which nothing here would read back.
Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    PlainSerializer(lambda amount: f"{amount:f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,30}(\.[0-9]{1,18})?$", "examples": ["0.25"]}),
]
IpAddress = Annotated[
    str,
    StringConstraints(max_length=64),
    checked(_ip),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}], "examples": ["192.0.2.7"]}),
]
WebAddress = Annotated[
    str,
    StringConstraints(max_length=1024),
    checked(_web_address),
    WithJsonSchema(
        {"type": "string", "maxLength": 1024, "pattern": _WEB_ADDRESS, "examples": ["https://example.com/verify"]}
    ),
]
Zone = Annotated[str, StringConstraints(max_length=64), checked(_zone), Field(examples=["Europe/Tirane"])]
# Free text that a stranger may have chosen; see text.py.
Text = Annotated[str, StringConstraints(min_length=1, max_length=1024), checked(_encodable), checked(harmless)]
# A sentence or two of the platform's own to the owner.
Prose = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1024),
    checked(_encodable),
    checked(lambda value: harmless(value, _LONGEST_PROSE)),
]
Opaque = Annotated[str, StringConstraints(min_length=1, max_length=1024), checked(_encodable)]
# No control characters: sources of our own begin with one, so that no producer's can be mistaken for them.
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256),
    checked(_one_line),
    checked(_encodable),
    WithJsonSchema({"type": "string", "maxLength": 256, "pattern": _LINE}),
]
PurposeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Identifier = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128),
    checked(_identifier),
    WithJsonSchema({"type": "string", "pattern": _IDENTIFIER}),
]
# Shown as it is, since its owner compares it; so what a mail program would make a link of is none.
Destination = Annotated[Identifier, checked(_no_link)]
