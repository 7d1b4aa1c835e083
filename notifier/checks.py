"""Checks of a field's value: made at the door, and not again whenever what was accepted is read from the store."""

from collections.abc import Callable

from pydantic import AfterValidator, ValidationInfo
from pydantic_core import PydanticCustomError

# The context (pydantic's) in which what is kept is read.
KEPT = object()


def within(detail: str, *steps: str) -> PydanticCustomError:
    """What the check of a whole model raises, of one place in it."""
    return PydanticCustomError("within", "{detail}", {"detail": detail, "steps": steps})


def checked(check: Callable[[str], str]) -> AfterValidator:
    """A field's check; gives its canonical form, or raises ValueError."""

    def once(value: str, info: ValidationInfo) -> str:
        return value if info.context is KEPT else check(value)

    return AfterValidator(once)
