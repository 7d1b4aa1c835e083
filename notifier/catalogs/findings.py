"""What a check finds: where, how bad, what is wrong, what would be right. The table says how bad each rule's are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# An error must not reach an owner; a warning is against the language's own form; a note costs money.
Level = Literal["error", "warning", "note"]

RULES: Mapping[str, Level] = {
    # The file.
    "syntax": "error",
    "plural-forms": "error",
    "stale": "error",
    "obsolete": "warning",
    # The templates.
    "comment": "error",
    "literal": "error",
    # A string, whatever its language.
    "empty": "error",
    "fuzzy": "error",
    "untranslated": "error",
    "placeholders": "error",
    "tags": "error",
    "markup": "error",
    "link": "error",
    "hidden": "error",
    "length": "error",
    "space-in-sms": "error",
    # A string, by its language.
    "edges": "warning",
    "spaces": "warning",
    "ending": "warning",
    "opening": "warning",
    "spacing": "warning",
    "quotes": "warning",
    "apostrophe": "warning",
    "glossary": "warning",
    "allowed": "warning",
    # What is rendered.
    "subject": "error",
    "sms-letters": "note",
}
# What may not be served even for a moment. The rest is unfinished work, which falls back or only looks wrong.
UNSERVABLE = frozenset({"syntax", "plural-forms", "placeholders", "tags", "markup", "link", "hidden"})


@dataclass(frozen=True, slots=True)
class Finding:
    """`line` is the msgid's, or 0 for the file as a whole; `string` the msgid, where it is about one."""

    file: str
    line: int
    rule: str
    problem: str
    remedy: str
    locale: str = ""
    string: str = ""

    @property
    def level(self) -> Level:
        """How bad it is."""
        return RULES[self.rule]


@dataclass(frozen=True, slots=True)
class Objection:
    """What a rule has against one string; the checker adds where that stands."""

    rule: str
    problem: str
    remedy: str
