"""CloudEvents over HTTP: a request comes in, its event or batch of events goes out as JSON values, not yet checked.

After "HTTP Protocol Binding for CloudEvents - Version 1.0.2": structured mode (and plain JSON of the same shape),
binary mode (attributes in `ce-` headers, the data in the body), and batches.
"""

import base64
import json
import re
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from notifier.api.body import DEEPEST, JSON_TYPES, MOST_BYTES, check_type, media_type, parse, read_bytes, read_json
from notifier.api.validation import pointer
from notifier.errors import FieldProblem, Invalid, Malformed, TooLarge

EVENT = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MOST_EVENTS = 1_000
MOST_BATCH_BYTES = 1024 * 1024

_PREFIX = b"ce-"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_VERSION = {"specversion": None}  # no event is one without it; who posts plain JSON need not know of CloudEvents
# In binary mode these two are the body and its Content-Type.
_NO_HEADERS = {"data": "is the body", "datacontenttype": "is told by Content-Type"}


async def read_event(request: Request) -> Any:
    """One event in any mode, as structured mode has it."""
    told = _attributes(request)
    if told and media_type(request) != EVENT:
        return {**_VERSION, **told, "data": await read_json(request)}
    event = unpacked(await read_json(request, (EVENT, *JSON_TYPES)))
    if media_type(request) == EVENT and isinstance(event, dict):
        event = {**_VERSION, **event}
    # A structured event's attributes may be repeated in headers, for who only routes it. They must tell the same.
    if told and isinstance(event, dict):
        others = [name for name, value in told.items() if _text(event.get(name)) != value]
        if others:
            raise Invalid([FieldProblem(pointer(name), "differs between header and body") for name in others])
    return event


async def read_batch(request: Request) -> list[Any]:
    """Up to 1,000 events, none larger than it might be alone."""
    check_type(request, (BATCH, *JSON_TYPES))
    body = await read_bytes(request, MOST_BATCH_BYTES)
    events = parse(body, DEEPEST + 1)
    if not isinstance(events, list):
        raise Invalid([FieldProblem("", "must be an array of events")])
    if len(events) > MOST_EVENTS:
        raise TooLarge(f"a batch has at most {MOST_EVENTS} events")
    return events


def unpacked(event: Any) -> Any:
    """An event with its data in `data`: the JSON format lets a sender that holds bytes give them as `data_base64`."""
    if not isinstance(event, dict) or "data_base64" not in event:
        return event
    try:
        data = parse(base64.b64decode(event["data_base64"], validate=True), DEEPEST - 1)
    except (TypeError, ValueError, Malformed):
        raise Invalid([FieldProblem("/data_base64", "must be base64 of a JSON object")]) from None
    if "data" in event:
        raise Invalid([FieldProblem("/data_base64", "must not be there beside data")])
    return {**{name: value for name, value in event.items() if name != "data_base64"}, "data": data}


def check_size(event: Any) -> None:
    """Raises TooLarge for an event of a batch that would be too large alone."""
    if len(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")) > MOST_BYTES:
        raise TooLarge(f"an event must be at most {MOST_BYTES} bytes")


def _attributes(request: Request) -> dict[str, str]:
    """What the `ce-` headers say; raises Invalid for one that comes twice, or cannot be read."""
    told: dict[str, str] = {}
    problems = []
    for header, value in request.headers.raw:
        if not header.startswith(_PREFIX):
            continue
        name = header[len(_PREFIX) :].decode("latin-1")
        if name in _NO_HEADERS:
            problems.append(FieldProblem(pointer(name), _NO_HEADERS[name]))
        elif name in told:
            problems.append(FieldProblem(pointer(name), "is given twice"))
        try:
            told[name] = _decoded(value)
        except UnicodeDecodeError:
            problems.append(FieldProblem(pointer(name), "must be ASCII, with UTF-8 percent-encoded"))
    if problems:
        raise Invalid(problems)
    return told


def _decoded(value: bytes) -> str:
    """Section 3.1.3.2: what is quoted is unquoted first, for older senders; then one round of percent-decoding."""
    unquoted = _QUOTED.sub(lambda quoted: _ESCAPED.sub(r"\1", quoted[1]), value.decode("ascii"))
    return unquote(unquoted, errors="strict")


def _text(value: Any) -> Any:
    """An attribute's value as a header has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value
