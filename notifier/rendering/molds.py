"""A template and the facts of a message or page come in, its words go out: what repeats from one to the next is written
once.

A template is run with *blanks* in place of all that is merely printed (a name, a device, a time, a link); what it says
around them is the mold of all with the same other facts, and is filled by joining strings. A template that
looks into a value (compares, cuts or counts it) breaks on its blank, and is run for every message as before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Never

from jinja2 import Template
from markupsafe import Markup, escape

# A filter's words for a value: the facts give its locale and zone.
Filter = Callable[..., str]

# What templates print and do not decide by.
_PRINTED = frozenset(
    (
        "account", "email", "recipient_name", "antiphishing_phrase", "code",
        "happened", "reactivation_opens", "activate_until", "withdrawals_resume",
        "at", "opens", "reason", "next_url",
    )
)  # fmt: skip
_PRINTED_CONTEXT = frozenset(
    (
        "occurred_at", "ip", "device", "location", "reason", "resumes_at",
        "withdrawal_id", "amount", "asset", "address", "network", "fee",
    )
)  # fmt: skip
# What a template takes for nothing is none of a blank's values: those are all something.
_NONE = (None, "")
# Around a blank's number. Private use: no fact has them (text.py), no template needs them.
_OPEN, _CLOSE = "\ue000", "\ue001"
# In case many differ: all but the few that are always used would be in vain.
_MOST = 512


class Looked(Exception):
    """A template looked into a blank."""


@dataclass(frozen=True, slots=True, eq=False)
class Blank:
    """Stands for a fact while a mold is made: `path` leads to it, `through` a filter to its words."""

    path: tuple[str, ...]
    blanks: list["Blank"]
    through: Filter | None = None
    arguments: tuple["Blank", ...] = ()

    def filtered(self, through: Filter, *arguments: Any) -> Markup:
        """As it is printed through a filter."""
        if not all(isinstance(each, Blank) for each in arguments):
            raise Looked
        return Blank(self.path, self.blanks, through, arguments).__html__()

    def __html__(self) -> Markup:
        self.blanks.append(self)
        return Markup(f"{_OPEN}{len(self.blanks) - 1}{_CLOSE}")  # noqa: S704  # digits

    def __str__(self) -> str:
        return str(self.__html__())

    def __eq__(self, other: object) -> Never:
        raise Looked

    def __hash__(self) -> Never:
        raise Looked

    def __len__(self) -> Never:
        raise Looked

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class _Mold:
    """What is said, and before each but the first piece the fact that stands there."""

    pieces: tuple[str, ...]
    blanks: tuple[Blank, ...]
    escaped: bool

    def fill(self, facts: Mapping[str, Any]) -> str:
        said = [self.pieces[0]]
        for blank, piece in zip(self.blanks, self.pieces[1:], strict=True):
            words = _words(blank, facts)
            said += (str(escape(words)) if self.escaped else words, piece)
        return "".join(said)


class Molds:
    """Of one catalog's templates."""

    def __init__(self) -> None:
        self._molds: dict[tuple[object, ...], _Mold | None] = {}
        # Kinds that were met once: a message may be the only one of its kind, and what is made of it in vain.
        self._met: set[tuple[object, ...]] = set()

    def write(self, template: Template, facts: Mapping[str, Any]) -> str:
        """What the template says of these facts."""
        if set(facts.get("origins", ())) - {f"{facts.get('base_url')}/"}:
            # It leads to addresses that no other message has.
            return template.render(facts)
        key = (template.name, *_kind(facts))
        if key in self._molds:
            mold = self._molds[key]
            return mold.fill(facts) if mold else template.render(facts)
        text = template.render(facts)
        if key in self._met:
            self._molds[key] = _made(template, facts, text)
        elif len(self._met) >= _MOST:
            self._met.clear()
            self._molds.clear()
        self._met.add(key)
        return text


def _kind(facts: Mapping[str, Any]) -> list[object]:
    """All that a template may decide by."""
    kind: list[object] = []
    for name, value in facts.items():
        if name in _PRINTED:
            kind.append(value in _NONE)
        elif name == "links":
            kind += [url is None for url in value.values()]
        elif name == "context":
            kind += [each in _NONE if field in _PRINTED_CONTEXT else each for field, each in value or ()]
        elif name == "origins":
            # Our own or none: see above.
            kind.append(bool(value))
        elif name != "timezone":
            kind.append(value)
    return kind


def _made(template: Template, facts: Mapping[str, Any], text: str) -> _Mold | None:
    """None where the template needs the facts themselves."""
    blanks: list[Blank] = []

    def held(value: Any, *path: str) -> Any:
        return value if value in _NONE else Blank(path, blanks)

    blank = {name: held(value, name) if name in _PRINTED else value for name, value in facts.items()}
    if "links" in facts:
        blank["links"] = {name: held(url, "links", name) for name, url in facts["links"].items()}
    if facts.get("context"):
        context = {
            field: held(value, "context", field) if field in _PRINTED_CONTEXT else value
            for field, value in facts["context"]
        }
        blank["context"] = SimpleNamespace(**context)
    try:
        said = template.render(blank)
        first, *rest = said.split(_OPEN)
        pairs = [piece.split(_CLOSE) for piece in rest]
        escaped = bool(template.name and template.name.endswith(".html"))
        order = tuple(blanks[int(number)] for number, _ in pairs)
        mold = _Mold((first, *(piece for _, piece in pairs)), order, escaped)
        # Filled with what it was made from it must say what the template did.
        return mold if mold.fill(facts) == text else None
    except (Looked, AttributeError, TypeError, ValueError, IndexError):
        return None


def _words(blank: Blank, facts: Mapping[str, Any]) -> str:
    value = _fact(blank.path, facts)
    if blank.through is None:
        return str(value)
    return blank.through(facts, value, *(_fact(each.path, facts) for each in blank.arguments))


def _fact(path: tuple[str, ...], facts: Mapping[str, Any]) -> Any:
    if len(path) == 1:
        return facts[path[0]]
    whole, field = path
    return facts[whole][field] if whole == "links" else getattr(facts[whole], field)
