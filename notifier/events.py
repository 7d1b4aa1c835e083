"""What producers post: the CloudEvents envelope, the recipient, and what the fields of all are made of. All frozen.

JSON that was parsed comes in; an `Event` whose every field is checked goes out. The notices' own data: contexts.py.
"""

import ipaddress
import re
import zoneinfo
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializeAsAny,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from notifier.checks import checked, within
from notifier.recipients import EmailAddress, PhoneNumber
from notifier.text import harmless

Channel = Literal["email", "sms", "inbox"]
# A code is printed where only its owner reads: the inbox shows itself to whoever is signed in.
CodeChannel = Literal["email", "sms"]
CODE_CHANNELS: tuple[CodeChannel, ...] = get_args(CodeChannel)
# By which field of its recipient a channel reaches them. The inbox is the account's own, and needs none.
_ADDRESSES: Mapping[Channel, str] = {"email": "email", "sms": "phone"}

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


class Model(BaseModel):
    """Frozen; a field that is not known is refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Context(Model):
    """Base of the notices' own data, `data.context`."""

    def read_at(self, email: str | None) -> Self:
        """As it is for who reads it at this address; None for an SMS."""
        return self

    @property
    def web_addresses(self) -> tuple[str, ...]:
        """Where its message may lead besides our own pages."""
        return tuple(value for name, value in self if name.endswith("_url") and value)


class Recipient(Model):
    """The owner: where to reach them, and how to speak to them. Needs an email or a phone, but for the inbox alone."""

    email: EmailAddress | None = None
    phone: PhoneNumber | None = None
    locale: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description="A language tag (BCP 47); one that is not served is answered in the nearest that is."
    )
    timezone: Zone = Field("UTC", description="A zone of the IANA database, in which times are shown.")
    name: Text | None = None
    antiphishing_phrase: Text | None = Field(
        None, description="The owner's own words, by which they know a genuine message."
    )

    def address(self, channel: Channel) -> str | None:
        """Where this channel reaches the owner."""
        field = _ADDRESSES.get(channel)
        address: str | None = getattr(self, field) if field else None
        return address


def _once_each(channels: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(channels))


Channels = Annotated[tuple[Channel, ...], AfterValidator(_once_each)]
CodeChannels = Annotated[tuple[CodeChannel, ...], AfterValidator(_once_each)]
_HAS_ADDRESS: list[Any] = [
    {"required": [field], "properties": {field: {"type": "string"}}} for field in _ADDRESSES.values()
]


class Addressed(Model):
    """To whom, and on which channels; none given means every one that the recipient has an address for."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"properties": {"recipient": {"anyOf": _HAS_ADDRESS}}},
                {"required": ["channels"], "properties": {"channels": {"contains": {"const": "inbox"}}}},
            ]
        }
    )

    recipient: Recipient
    channels: Channels = Field(
        (),
        description="None given: every one that the recipient has an address for. The inbox is only where it is named.",
    )

    @property
    def reached(self) -> tuple[Channel, ...]:
        """The channels given, or those that there is an address for."""
        return self.channels or tuple(channel for channel in _ADDRESSES if self.recipient.address(channel))

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.reached:
            raise within("needs an email or a phone", "recipient")
        for channel in self.channels:
            field = _ADDRESSES.get(channel)
            if field and self.recipient.address(channel) is None:
                raise within(f"is needed, as channels has {channel}", "recipient", field)
        return self


class Delivery(Addressed):
    """`data` of an event, its context not yet read."""

    context: dict[str, Any]
    reference: Opaque | None = Field(None, description="Opaque; comes back to you with every action.")
    send_at: Timestamp | None = Field(
        None, description="When to send it, up to 30 days ahead; at once where it is past, or not given."
    )


class Envelope(BaseModel):
    """A CloudEvents 1.0 event; extension attributes are allowed by that specification and not kept."""

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        hide_input_in_errors=True,
        json_schema_extra={"propertyNames": {"pattern": "^[a-z0-9]{1,64}$"}},
    )

    specversion: Literal["1.0"] = "1.0"
    id: Name = Field(description="Yours, and with `source` once for each event: the same again changes nothing.")
    source: Name = Field(description="Which service of yours, as a URI.")
    type: Annotated[str, StringConstraints(max_length=128)] = Field(description="`account.` and the notice.")
    time: Timestamp | None = None
    subject: Identifier = Field(description="The account's id.")
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Annotated[str, StringConstraints(max_length=1024)] | None = Field(
        None, description="None, or the URL of the notice's schema."
    )
    data: Delivery

    @model_validator(mode="after")
    def _extensions(self) -> Self:
        for name in self.model_extra or {}:
            if not re.fullmatch(r"[a-z0-9]{1,64}", name):
                raise within("is no attribute: the names of CloudEvents are lower-case letters and digits", name)
        return self


class Event(Model):
    """A checked event: `account` is its subject, `notice` its type without `account.`; it is sent at `send_at`."""

    id: str
    source: str
    account: str
    notice: str
    recipient: Recipient
    channels: tuple[Channel, ...]
    context: SerializeAsAny[Context]
    reference: str | None = None
    send_at: AwareDatetime | None = None
