"""JSON values come in, models go out; what pydantic finds wrong goes out as `Invalid`, each field by its pointer."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from notifier.errors import FieldProblem, Invalid

Model = TypeVar("Model", bound=BaseModel)

# Our words for what pydantic says in its own; the rest of its messages say what would be right and repeat no input,
# but what it is that should be so stands in the pointer.
_WORDS = {
    "missing": "is needed",
    "extra_forbidden": "is not a field here",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "string_unicode": "must be text: it has half of a surrogate pair",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be an array",
    "too_short": "must not be empty",
}
_SHOULD = re.compile(r"^(Input|Value|String|Tuple|List) should ")


def read(model: type[Model], value: Any, at: str = "") -> Model:
    """`value` as `model`; `at` is the pointer of `value` in the body."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise Invalid(field_problems(problems, at)) from None


def field_problems(found: Iterable[Mapping[str, Any]], at: str = "", skip: int = 0) -> list[FieldProblem]:
    """What pydantic found, in our words; the first `skip` steps of each place are not shown."""
    every = [
        ((*each["loc"][skip:], *each.get("ctx", {}).get("steps", ())), each["type"], each["msg"]) for each in found
    ]
    # A list whose only item was wrong is not also too short.
    inner = {loc[:-1] for loc, _, _ in every if loc}
    return [_problem(*each, at) for each in every if not (each[1] == "too_short" and each[0] in inner)]


def pointer(*steps: int | str) -> str:
    """A JSON pointer (RFC 6901); names that a stranger may have made up are cut."""
    return "".join("/" + str(step)[:64].replace("~", "~0").replace("/", "~1") for step in steps)


def _problem(loc: tuple[int | str, ...], kind: str, message: str, at: str) -> FieldProblem:
    return FieldProblem(
        at + pointer(*loc), _WORDS.get(kind, _SHOULD.sub("must ", message.removeprefix("Value error, ")))
    )
