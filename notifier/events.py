"""What producers post: the CloudEvents envelope, the recipient, and one data model per kind of notice. All frozen.

JSON that was parsed comes in; an `Event` whose every field is checked goes out.
"""

import ipaddress
import re
import zoneinfo
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SerializeAsAny,
    StringConstraints,
    model_validator,
)

from notifier.recipients import EmailAddress, PhoneNumber
from notifier.text import harmless

Channel = Literal["email", "sms"]

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
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


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


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


Timestamp = Annotated[AwareDatetime, BeforeValidator(_timestamp)]
# Never as str() has it: 0.00000000 would become 0E-8, which nothing here would read back.
Amount = Annotated[Decimal, BeforeValidator(_amount), PlainSerializer(lambda amount: f"{amount:f}", return_type=str)]
IpAddress = Annotated[str, StringConstraints(max_length=64), AfterValidator(_ip)]
Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone)]
# Free text that a stranger may have chosen; see text.py.
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=1024), AfterValidator(_encodable), AfterValidator(harmless)
]
Opaque = Annotated[str, StringConstraints(min_length=1, max_length=1024), AfterValidator(_encodable)]
# No control characters: sources of our own begin with one, so that no producer's can be mistaken for them.
Name = Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$"), AfterValidator(_encodable)]
PurposeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]


class Model(BaseModel):
    """Frozen; a field that is not known is refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Context(Model):
    """Base of the notices' own data, `data.context`."""


class Occurrence(Context):
    """Something happened at `occurred_at`."""

    occurred_at: Timestamp


class Activity(Occurrence):
    """Something was done with the account, from an address and a device."""

    ip: IpAddress
    device: Text
    location: Text | None = None


class Withdrawal(Activity):
    """A withdrawal waits for its owner's word. `amount` and `fee` are in units of `asset`."""

    withdrawal_id: Identifier
    amount: Amount
    asset: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\-]{1,16}$")]
    address: Identifier
    network: Text
    fee: Amount


class CodePurpose(Context):
    """What a code is for: `sign_in`, `withdrawal`, …"""

    purpose: PurposeName


class Recipient(Model):
    """The owner: where to reach them, and how to speak to them."""

    email: EmailAddress | None = None
    phone: PhoneNumber | None = None
    locale: Annotated[str, StringConstraints(max_length=64)] | None = None
    timezone: Zone = "UTC"
    name: Text | None = None
    antiphishing_phrase: Text | None = None

    def address(self, channel: Channel) -> str | None:
        """Where this channel reaches the owner."""
        return self.email if channel == "email" else self.phone


def _once_each(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    return tuple(dict.fromkeys(channels))


Channels = Annotated[tuple[Channel, ...], AfterValidator(_once_each)]


class Addressed(Model):
    """To whom, and on which channels; none given means every one that the recipient has."""

    recipient: Recipient
    channels: Channels = ()

    @property
    def reached(self) -> tuple[Channel, ...]:
        """The channels given, or those that there is an address for."""
        every: tuple[Channel, ...] = ("email", "sms")
        return self.channels or tuple(channel for channel in every if self.recipient.address(channel))

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.reached:
            raise ValueError("recipient needs an email or a phone")
        for channel in self.channels:
            if self.recipient.address(channel) is None:
                field = "email" if channel == "email" else "phone"
                raise ValueError(f"channels has {channel}, so recipient.{field} is needed")
        return self


class Delivery(Addressed):
    """`data` of an event, its context not yet read."""

    context: dict[str, Any]
    reference: Opaque | None = None


class Envelope(BaseModel):
    """A CloudEvents 1.0 event; extension attributes are allowed by that specification and not kept."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    specversion: Literal["1.0"] = "1.0"
    id: Name
    source: Name
    type: Annotated[str, StringConstraints(max_length=128)]
    time: Timestamp | None = None
    subject: Identifier
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Annotated[str, StringConstraints(max_length=1024)] | None = None
    data: Delivery

    @model_validator(mode="after")
    def _extensions(self) -> Self:
        for name in self.model_extra or {}:
            if not re.fullmatch(r"[a-z0-9]{1,64}", name):
                raise ValueError("has an attribute that is none: CloudEvents names are lower-case letters and digits")
        return self


class Event(Model):
    """A checked event: `account` is its subject, `notice` its type without `account.`."""

    id: str
    source: str
    account: str
    notice: str
    recipient: Recipient
    channels: tuple[Channel, ...]
    context: SerializeAsAny[Context]
    reference: str | None = None
