"""What producers post: the CloudEvents envelope and the recipient. All frozen.

JSON that was parsed comes in; an `Event` whose every field is checked goes out. The notices' own data: contexts.py;
what the fields of all are made of: event_types.py.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    StringConstraints,
    model_validator,
)

from notifier.checks import within
from notifier.event_types import Identifier, Name, Opaque, Text, Timestamp, Zone
from notifier.recipients import EmailAddress, PhoneNumber

Channel = Literal["email", "sms", "inbox"]
# A code is printed where only its owner reads: the inbox shows itself to whoever is signed in.
CodeChannel = Literal["email", "sms"]
CODE_CHANNELS: tuple[CodeChannel, ...] = get_args(CodeChannel)
# By which field of its recipient a channel reaches them. The inbox is the account's own, and needs none.
_ADDRESSES: Mapping[Channel, str] = {"email": "email", "sms": "phone"}


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
