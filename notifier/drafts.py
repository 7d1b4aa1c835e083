"""An event that a person writes: a file's text or the words of a command line come in, a CloudEvent as JSON goes out.

What is wrong with it, besides its being none, the service says.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notifier import examples
from notifier.notices import NOTICES, Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a command line says of an event; `facts` are `name=value`, the fields of its context."""

    notice: str | None
    account: str | None
    recipient: Mapping[str, str | None]
    channels: Sequence[str] = ()
    facts: Sequence[str] = ()
    reference: str | None = None
    send_at: str | None = None
    source: str
    id: str

    def event(self, now: datetime) -> dict[str, Any]:
        """Raises ValueError. It happened now, unless it says when."""
        if self.notice is None or self.account is None:
            raise ValueError("give a file, or --notice and --account")
        context = dict(map(_fact, self.facts))
        if "occurred_at" in _known(self.notice).context.model_fields:
            context.setdefault("occurred_at", now.isoformat(timespec="seconds"))
        data: dict[str, Any] = {
            "recipient": {name: value for name, value in self.recipient.items() if value is not None},
            "context": context,
            "reference": self.reference,
            "send_at": self.send_at,
            "channels": list(self.channels) or None,
        }
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": f"account.{self.notice}",
            "subject": self.account,
            "data": {name: value for name, value in data.items() if value is not None},
        }


def parse(text: str) -> Mapping[str, Any]:
    """The event of a file; raises ValueError."""
    try:
        event = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"must be JSON: it breaks at line {error.lineno} column {error.colno}") from None
    if not isinstance(event, dict):
        raise ValueError("must be one event, a JSON object")
    return event


def example(notice: str, id: str) -> str:
    """An event of this notice to begin with, as a file; raises ValueError."""
    return json.dumps(examples.event(_known(notice).name) | {"id": id}, indent=2, ensure_ascii=False)


def _known(notice: str) -> Notice:
    if notice not in NOTICES:
        raise ValueError(f"there is no such notice; there are {', '.join(NOTICES)}")
    return NOTICES[notice]


def _fact(words: str) -> tuple[str, str]:
    name, equals, value = words.partition("=")
    if not (name and equals):
        raise ValueError("a fact must be name=value, such as ip=203.0.113.24")
    return name, value
