"""A request's body as strict JSON: bytes come in, bounded; plain Python values go out, or an error that says why not.

Stricter than `json` alone: UTF-8 without a byte order mark, no NaN or Infinity, no duplicate names, a bounded depth.
"""

import asyncio
import json
import re
from typing import Any

from starlette.requests import ClientDisconnect, Request

from notifier.errors import Malformed, TooLarge, TooSlow, UnsupportedMediaType

MOST_BYTES = 64 * 1024
DEEPEST = 16
# A body that has not come by then is not waited for; a batch of 1 MiB needs less than 1 Mbit/s for it.
PATIENCE_S = 10
JSON_TYPES = ("application/json",)
_UTF_8 = ("charset=utf-8", 'charset="utf-8"')

# A string, which may not be closed, or what opens and closes. Possessive: each step back that might be taken would be
# held in memory, a hundred times the text's size.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\[\s\S])*+"?|[\[\]{}]')


async def read_json(request: Request, types: tuple[str, ...] = JSON_TYPES) -> Any:
    """Raises UnsupportedMediaType, TooLarge, TooSlow or Malformed."""
    check_type(request, types)
    return parse(await read_bytes(request))


async def read_optional_json(request: Request) -> Any:
    """The same, where no body at all says as much as `{}`."""
    return await read_json(request) if await read_bytes(request) else {}


def media_type(request: Request) -> str:
    """The Content-Type without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def check_type(request: Request, types: tuple[str, ...]) -> None:
    """Raises UnsupportedMediaType for any but these, or any charset but UTF-8."""
    if media_type(request) not in types:
        raise UnsupportedMediaType(f"Content-Type must be {' or '.join(types)}")
    _, *parameters = request.headers["content-type"].replace(" ", "").lower().split(";")
    if any(each.startswith("charset=") and each not in _UTF_8 for each in parameters):
        raise UnsupportedMediaType("the charset must be utf-8")


async def read_bytes(request: Request, most: int = MOST_BYTES) -> bytes:
    """A body of any kind, the same however often it is asked for; raises UnsupportedMediaType, TooLarge or TooSlow."""
    held: bytes | None = getattr(request.state, "body", None)
    if held is None:
        # Nothing that unpacks to more than was sent (a "bomb") is taken.
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("the body must have no Content-Encoding")
        too_large = TooLarge(f"the body must be at most {most} bytes")
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > most:
            raise too_large
        try:
            async with asyncio.timeout(PATIENCE_S):
                held = await _bounded(request, most, too_large)
        except TimeoutError:
            raise TooSlow(f"the body must be here within {PATIENCE_S} seconds") from None
        request.state.body = held
    if len(held) > most:
        # Read before, for who may send more than is taken here.
        raise TooLarge(f"the body must be at most {most} bytes")
    return held


async def _bounded(request: Request, most: int, too_large: TooLarge) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise too_large
    except ClientDisconnect:
        # Nobody is there to read it; nor is it a fault of ours.
        raise Malformed("the body ended early") from None
    return bytes(body)


def parse(body: bytes, deepest: int = DEEPEST) -> Any:
    """Raises Malformed."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("the body must be JSON in UTF-8") from None
    if text.startswith("\ufeff"):
        raise Malformed("the body must be JSON in UTF-8 without a byte order mark")
    if _deeper(text, deepest):
        raise Malformed(f"the JSON must be at most {deepest} levels deep")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise Malformed(f"the body must be JSON: it breaks at line {error.lineno} column {error.colno}") from None
    except ValueError:
        # An integer of more digits than Python reads.
        raise Malformed("the JSON has a number that is out of range") from None


def _deeper(text: str, deepest: int) -> bool:
    """Whether it is nested deeper than that; counted before parsing: the parser recurses."""
    if text.count("[") + text.count("{") <= deepest:
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "[" | "{":
                depth += 1
                if depth > deepest:
                    return True
            case "]" | "}":
                depth -= 1
    return False


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
