"""A request's body as strict JSON: bytes come in, bounded; plain Python values go out, or an error that says why not.

Stricter than `json` alone: UTF-8 without a byte order mark, no NaN or Infinity, no duplicate names, a bounded depth.
"""

import json
from typing import Any

from starlette.requests import Request

from notifier.errors import Malformed, TooLarge, UnsupportedMediaType

MOST_BYTES = 64 * 1024
DEEPEST = 16
JSON_TYPES = ("application/json",)
EVENT_TYPES = ("application/cloudevents+json", *JSON_TYPES)


async def read_optional_json(request: Request) -> Any:
    """The same, where no body at all says as much as `{}`."""
    return await read_json(request) if request.headers.get("content-length", "0") != "0" else {}


async def read_json(request: Request, types: tuple[str, ...] = JSON_TYPES) -> Any:
    """Raises UnsupportedMediaType, TooLarge or Malformed."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() not in types:
        raise UnsupportedMediaType(f"Content-Type must be {' or '.join(types)}")
    charset = parameters.replace(" ", "").lower().removeprefix("charset=").strip('"')
    if charset not in ("", "utf-8"):
        raise UnsupportedMediaType("the charset must be utf-8")
    return parse(await _read(request))


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise TooLarge(f"the body must be at most {MOST_BYTES} bytes")
    return bytes(body)


def parse(body: bytes) -> Any:
    """Raises Malformed."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("the body must be JSON in UTF-8") from None
    if text.startswith("\ufeff"):
        raise Malformed("the body must be JSON in UTF-8 without a byte order mark")
    if _depth(text) > DEEPEST:
        raise Malformed(f"the JSON must be at most {DEEPEST} levels deep")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise Malformed(f"the body must be JSON: it breaks at line {error.lineno} column {error.colno}") from None
    except ValueError:
        # An integer of more digits than Python reads.
        raise Malformed("the JSON has a number that is out of range") from None


def _depth(text: str) -> int:
    """The deepest nesting, counted before parsing: the parser recurses."""
    depth = deepest = 0
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("the JSON has a name twice in one object")
    return found


def _no_constant(_: str) -> None:
    raise Malformed("the JSON has NaN or Infinity, which are no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Malformed("the JSON has a number that is out of range")
    return number
