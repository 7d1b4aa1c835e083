"""Takes received messages with their envelopes; keeps them as `.eml` files and gives them back,
newest first and parsed.
"""

import email
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default as modern
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Mail:
    """One message as it came over the wire, `sender` and `recipients` being its envelope."""

    id: str
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=modern)

    @property
    def from_(self) -> str:
        return str(self.message["from"] or self.sender)

    @property
    def subject(self) -> str:
        return str(self.message["subject"] or "")

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.message.items()]

    @cached_property
    def text(self) -> str | None:
        return self._body("plain")

    @cached_property
    def html(self) -> str | None:
        return self._body("html")

    def _body(self, subtype: str) -> str | None:
        part = self.message.get_body((subtype,))
        if part is None:
            return None
        try:
            text = str(part.get_content())
        except LookupError:  # a charset nobody knows must not hide the other messages
            payload = part.get_payload(decode=True)
            text = payload.decode(errors="replace") if isinstance(payload, bytes) else ""
        return text.replace("\r\n", "\n")

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "received_at": self.received_at.isoformat(),
            "from": self.from_,
            "envelope_from": self.sender,
            "to": list(self.recipients),
            "subject": self.subject,
            "message_id": self.message["message-id"],
            "text": self.text,
            "html": self.html,
        }


class Maildrop:
    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._mails: dict[str, Mail] = {}
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            # The names begin with the time, so they sort by age.
            for envelope in sorted(directory.glob("*.json")):
                mail = _read(envelope)
                self._mails[mail.id] = mail

    def __iter__(self) -> Iterator[Mail]:
        """Newest first."""
        return reversed(self._mails.values())

    def __len__(self) -> int:
        return len(self._mails)

    def get(self, id: str) -> Mail | None:
        return self._mails.get(id)

    def to(self, address: str) -> list[Mail]:
        wanted = address.casefold()
        return [m for m in self if wanted in (r.casefold() for r in m.recipients)]

    def keep(self, sender: str, recipients: list[str], raw: bytes) -> Mail:
        now = datetime.now(UTC)
        id = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
        mail = Mail(id, now, sender, tuple(recipients), raw)
        if self._directory is not None:
            _write(mail, self._directory)
        self._mails[id] = mail
        return mail

    def clear(self) -> None:
        self._mails.clear()
        if self._directory is not None:
            # Envelopes first: a message without one is not read back.
            for pattern in ("*.json", "*.eml"):
                for file in self._directory.glob(pattern):
                    file.unlink()


def _write(mail: Mail, directory: Path) -> None:
    envelope = {
        "received_at": mail.received_at.isoformat(),
        "from": mail.sender,
        "to": mail.recipients,
    }
    (directory / f"{mail.id}.eml").write_bytes(mail.raw)
    # The envelope last, and at once: a crash leaves a whole message or none.
    unfinished = directory / f"{mail.id}.tmp"
    unfinished.write_text(json.dumps(envelope), encoding="utf-8")
    unfinished.replace(directory / f"{mail.id}.json")


def _read(file: Path) -> Mail:
    envelope = json.loads(file.read_text(encoding="utf-8"))
    return Mail(
        id=file.stem,
        received_at=datetime.fromisoformat(envelope["received_at"]),
        sender=envelope["from"],
        recipients=tuple(envelope["to"]),
        raw=file.with_suffix(".eml").read_bytes(),
    )
