"""The notices' own data, `data.context`, one model per kind of notice: parsed JSON comes in, frozen facts go out.

A field whose name ends in `_url` leads to the platform's own pages: its message shows the host beside the link.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints

from notifier.event_types import (
    Amount,
    Destination,
    Identifier,
    IpAddress,
    Prose,
    PurposeName,
    Text,
    Timestamp,
    WebAddress,
)
from notifier.events import Context
from notifier.recipients import EmailAddress


def _lowered(value: Any) -> Any:
    # These write their own names with a capital.
    return value.lower() if isinstance(value, str) else value


class Occurrence(Context):
    """Something happened."""

    occurred_at: Timestamp = Field(description="When; shown in the owner's zone.")


class Activity(Occurrence):
    """Something was done with the account, from an address and a device."""

    ip: IpAddress = Field(description="From which IP address.")
    device: Text = Field(description="From which device: free text, shown as one harmless line of 120 characters.")
    location: Text | None = Field(None, description="From where: free text.")


class Withdrawal(Activity):
    """A withdrawal waits for its owner's word."""

    withdrawal_id: Identifier = Field(description="Yours; a newer link for the same one supersedes the older.")
    amount: Amount = Field(description="In units of `asset`.")
    asset: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\-]{1,16}$")] = Field(examples=["BTC"])
    address: Destination = Field(description="Where it goes.")
    network: Text = Field(examples=["Bitcoin"])
    fee: Amount = Field(description="In units of `asset`.")


class CodePurpose(Context):
    """What a code is for."""

    purpose: PurposeName = Field(description="`sign_in`, `reactivation`, `withdrawal`, `change_email`, …")


class TwoFactor(Activity):
    """A second factor was changed."""

    method: Literal["sms", "authenticator"] = Field(description="Codes by SMS, or of the authenticator app.")


class EmailChange(Activity):
    """The account has another e-mail address. Mails go to both, whatever `recipient.email` is."""

    old_email: EmailAddress = Field(description="The address before; shown masked.")
    new_email: EmailAddress = Field(description="The address from now on; shown masked.")

    def read_at(self, email: str | None) -> Self:
        """Who reads the new address may be a stranger: where the owner sits is not for them."""
        hidden = {"ip": "", "device": "", "location": None}
        return self.model_copy(update=hidden) if email == self.new_email else self


class LoginMethod(Activity):
    """Another service signs in to the account."""

    provider: Annotated[Literal["google", "apple", "telegram"], BeforeValidator(_lowered)] = Field(
        description="Whose sign-in was linked."
    )


class Occasion(Context):
    """Something about the account is to be told."""

    occurred_at: Timestamp | None = Field(None, description="When; none given: when the event was accepted.")


class Suspension(Context):
    """Withdrawals are stopped."""

    reason: Prose = Field(description="Why, in the owner's language.")
    resumes_at: Timestamp | None = Field(
        None, description="Until when; none given: until you post `withdrawals_resumed`, or an appeal is approved."
    )


class Suspicion(Occasion):
    """Something unusual was seen, and withdrawals are stopped until the owner's identity is verified."""

    verify_url: WebAddress | None = Field(None, description="Where the owner verifies their identity.")
    reason: Prose | None = Field(None, description="What was seen, in the owner's language.")
    ip: IpAddress | None = Field(None, description="From which IP address.")
    device: Text | None = Field(None, description="From which device: free text.")
    location: Text | None = Field(None, description="From where: free text.")


class Review(Occasion):
    """Somebody has looked at what the owner had sent."""

    result: Literal["approved", "rejected"]
    reason: Prose | None = Field(None, description="Why, in the owner's language.")
    next_url: WebAddress | None = Field(None, description="Where the owner takes the next step.")

    def read_at(self, email: str | None) -> Self:
        """“You are verified. Reason: …” reads as if something were wrong."""
        return self.model_copy(update={"reason": None}) if self.result == "approved" else self


class Block(Occasion):
    """The account cannot be used for now."""

    reason: Prose | None = Field(None, description="Why, in the owner's language.")
    appeal_url: WebAddress | None = Field(None, description="Where the owner appeals.")
    orders_url: WebAddress | None = Field(None, description="Where the owner sees their orders.")
    sign_out_url: WebAddress | None = Field(None, description="Where the owner signs out everywhere.")
