"""Owners, the events about them, and how a person reads a mail and finds its links."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from notifier.notices import NOTICES
from tests.service import Service, until

ALERTS = [name for name, notice in NOTICES.items() if {"deactivate", "reactivate"} <= set(notice.links)]
WITHDRAWAL = {
    "amount": "1234.5",
    "asset": "BTC",
    "address": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "network": "Bitcoin",
    "fee": "0.0001",
}


@dataclass(frozen=True)
class Owner:
    """An account of its own; `tag` is the language tag as a producer writes it."""

    number: int
    tag: str = "en"

    @property
    def account(self) -> str:
        return f"acct-{self.number}"

    @property
    def email(self) -> str:
        return f"owner{self.number}@mail.example"

    @property
    def phone(self) -> str:
        return f"+3556912{self.number:05}"

    @property
    def recipient(self) -> dict[str, str]:
        return {"email": self.email, "phone": self.phone, "locale": self.tag, "timezone": "Europe/Tirane"}

    def event(self, notice: str, number: int = 0, **context: str) -> dict[str, Any]:
        facts: dict[str, str] = {"occurred_at": datetime.now(UTC).isoformat()}
        if notice in ALERTS:
            facts |= {"ip": "203.0.113.24", "device": "Chrome 131 on Windows", "location": "Tiranë"}
        if notice == "withdrawal_confirmation":
            facts |= WITHDRAWAL | {"withdrawal_id": f"wd-{self.number}"}
        return {
            "specversion": "1.0",
            "id": f"{notice}-{self.number}-{number}",
            "source": "https://platform.example/tests",
            "type": f"account.{notice}",
            "subject": self.account,
            "data": {
                "recipient": self.recipient,
                "context": facts | context,
                "reference": f"ref-{self.number}",
            },
        }


async def post(service: Service, event: dict[str, Any]) -> Any:
    answer = await service.api.post("/v1/events", json=event)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def mailed(service: Service, owner: Owner, event: dict[str, Any]) -> EmailMessage:
    """The mail that an event leads to."""
    id = next(made["id"] for made in (await post(service, event))["notifications"] if made["channel"] == "email")
    return await until(lambda: next(iter(service.mails(owner.email, id)), None))


def body(mail: EmailMessage, subtype: str = "plain") -> str:
    part = mail.get_body((subtype,))
    assert part
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def link(mail: EmailMessage, letter: str) -> str:
    """The link with this purpose's letter, '' when there is none."""
    found = re.search(rf"^http\S+/l/{letter}\S+$", body(mail), re.MULTILINE)
    return found.group() if found else ""


def code(mail: EmailMessage) -> str:
    """The code that is printed in the mail."""
    found = re.search(r"\b(\d{6})\b$", body(mail), re.MULTILINE)
    assert found
    return found.group(1)


def short_link(text: str) -> str:
    found = re.search(r"http\S+/l/\S+", text)
    assert found
    return found.group()
