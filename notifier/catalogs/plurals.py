"""Which numbers take which form: a gettext expression or a locale comes in, the numbers in their groups go out."""

import gettext
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeVar

from babel import Locale

# No language looks beyond the last two digits of a number that a message of ours may have.
_NUMBERS = range(200)

Groups = frozenset[frozenset[int]]
Name = TypeVar("Name", int, str)


@cache
def forms(expression: str) -> Mapping[int, frozenset[int]]:
    """For each form of a gettext expression the numbers that take it. Raises ValueError."""
    form = gettext.c2py(expression)
    return _grouped((form(number), number) for number in _NUMBERS)


@cache
def categories(locale: str) -> Mapping[str, frozenset[int]]:
    """For each of CLDR's categories the whole numbers that are of it."""
    category = Locale.parse(locale).plural_form
    return _grouped((category(number), number) for number in _NUMBERS)


def groups(of: str | Locale) -> Groups:
    """The numbers that go together, whatever their form is called."""
    return frozenset((categories(str(of)) if isinstance(of, Locale) else forms(of)).values())


def _grouped(pairs: Iterable[tuple[Name, int]]) -> Mapping[Name, frozenset[int]]:
    found: dict[Name, set[int]] = {}
    for name, number in pairs:
        found.setdefault(name, set()).add(number)
    return {name: frozenset(numbers) for name, numbers in found.items()}
