"""The event that peers take, as an experienced developer would check it; and the settings of both."""

import os
import secrets
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, EmailStr, StringConstraints

SOCKET = os.environ.get("PEER_SOCKET", "")
SMTP_PORT = int(os.environ.get("PEER_SMTP_PORT", "0"))
BRAND, SENDER = "Northbank", "Northbank <security@northbank.example>"
BASE_URL, SUPPORT = "https://notify.example.com", "help@northbank.example"
LINK_KEY = b"a key of thirty-two bytes or more"
CODE_LIFE_S = 1800
# Which links a notice carries, and whether a code.
LINKS = {
    "login_succeeded": ("deactivate", "reactivate"),
    "new_device": ("authorize_device", "deactivate", "reactivate"),
    "password_reset": ("deactivate", "reactivate"),
    "withdrawal_confirmation": ("confirm_withdrawal", "deactivate", "reactivate"),
    "verification_code": (),
}
CODES = frozenset(LINKS) - {"login_succeeded"}
ALL_LINKS = ("deactivate", "reactivate", "authorize_device", "confirm_withdrawal", "activate_account")

Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class Recipient(BaseModel):
    """To whom."""

    email: EmailStr
    locale: Annotated[str, StringConstraints(max_length=64)]
    timezone: str = "UTC"
    name: Text | None = None
    antiphishing_phrase: Text | None = None


class Facts(BaseModel):
    """What happened."""

    occurred_at: datetime | None = None
    ip: Text | None = None
    device: Text | None = None
    location: Text | None = None
    withdrawal_id: Text | None = None
    amount: Text | None = None
    asset: Text | None = None
    address: Text | None = None
    network: Text | None = None
    fee: Text | None = None
    purpose: Text | None = None


class Data(BaseModel):
    """`data` of the event."""

    recipient: Recipient
    channels: tuple[Literal["email"], ...] = ("email",)
    context: Facts


class Posted(BaseModel):
    """A CloudEvent."""

    specversion: Literal["1.0"]
    id: Text
    source: Text
    type: Text
    subject: Text
    data: Data


def code() -> str:
    """Six digits."""
    return f"{secrets.randbelow(1_000_000):06}"


def job(posted: Posted, id: str) -> dict[str, Any]:
    """What a worker needs of it."""
    return {
        "id": id,
        "account": posted.subject,
        "notice": posted.type.removeprefix("account."),
        "recipient": posted.data.recipient.model_dump(mode="json"),
        "context": posted.data.context.model_dump(mode="json", exclude_none=True),
    }
