"""One string of one catalog, with all that a rule may ask about it."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from babel.messages.catalog import Message

from notifier.catalogs.files import ids, strings
from notifier.catalogs.usage import Form
from notifier.rendering.gate import PLACEHOLDER

_LIMIT = re.compile(r"[Aa]t most (\d+) characters")


@dataclass(frozen=True)
class Phrase:
    """`ids` is the English (and its plural), `strings` the translation in each form, `forms` where it is seen."""

    locale: str
    ids: tuple[str, ...]
    strings: tuple[str, ...]
    note: str
    forms: Collection[Form]

    @classmethod
    def of(cls, message: Message, locale: str, forms: Collection[Form]) -> "Phrase":
        """As Babel has it."""
        return cls(locale, ids(message), strings(message), " ".join(message.auto_comments), forms)

    @cached_property
    def placeholders(self) -> frozenset[str]:
        """Of its English."""
        return frozenset(PLACEHOLDER.findall(" ".join(self.ids)))

    @cached_property
    def limit(self) -> int | None:
        """How many characters its comment allows."""
        found = _LIMIT.search(self.note)
        return int(found[1]) if found else None

    @property
    def only_sms(self) -> bool:
        """Where typographic marks cost a segment, and plain ones are right."""
        return set(self.forms) == {"sms"}
