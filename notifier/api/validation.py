"""JSON values come in, models go out; what pydantic finds wrong goes out as `Invalid`, each field by its pointer."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from notifier.errors import FieldProblem, Invalid

Model = TypeVar("Model", bound=BaseModel)

# Our words for what pydantic says in its own; the rest of its messages say what would be right and repeat no input.
_WORDS = {
    "missing": "is needed",
    "extra_forbidden": "is not a field here",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
}


def read(model: type[Model], value: Any, at: str = "") -> Model:
    """`value` as `model`; `at` is the pointer of `value` in the body."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise Invalid([_problem(problem["loc"], problem["type"], problem["msg"], at) for problem in problems]) from None


def _problem(loc: tuple[int | str, ...], kind: str, message: str, at: str) -> FieldProblem:
    pointer = at + "".join("/" + str(step).replace("~", "~0").replace("/", "~1")[:64] for step in loc)
    return FieldProblem(pointer or "/", _WORDS.get(kind, message.removeprefix("Value error, ")))
