"""The OpenAPI 3.1 document: what each route takes, gives and refuses comes in by `operation`; one document goes out."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from notifier import errors
from notifier.api import problems
from notifier.api.answers import Problem
from notifier.api.specimens import PARAMETERS, SPECIMENS

_REF = "#/components/schemas/"
_PROBLEM = {"schema": {"$ref": _REF + Problem.__name__}}
# Whatever is asked, it may be answered with these.
_ALWAYS = (errors.Malformed, errors.HeadersTooLarge, errors.NotifierError, errors.Unavailable)
_WITH_KEY = (errors.Unauthenticated, errors.BadSignature, errors.Forbidden, errors.TooMany)
_WITH_BODY = (errors.TooSlow, errors.TooLarge, errors.UnsupportedMediaType, errors.Invalid)
_IDEMPOTENT = (errors.InProgress, errors.KeyReused)

_ABOUT = """
Post an event about an account; its owner is told by e-mail and SMS, in their language, and what they confirm is posted
back to you, signed.

**Keys.** Each producer has an API key with scopes: `Authorization: Bearer <key>`.

A key that was made with a signing secret has its requests signed after
[Standard Webhooks](https://www.standardwebhooks.com). `RateLimit` tells what a key has left.

**Errors** are problem documents ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). The URL in `type` is stable and
explains the error; `errors` names each wrong field by a JSON pointer. What you sent is never repeated.

**Once only.** Retry until you have an answer. An event is known by its `source` and `id`; on the other POSTs send an
`Idempotency-Key`, and within 24 hours the same request under the same key gets the same answer.
""".strip()

_KEY = (
    "A producer's API key. One that was made with a signing secret also needs the headers webhook-id, "
    "webhook-timestamp and webhook-signature of Standard Webhooks, over the body's bytes or, where there is none, "
    "method and target."
)

_TAGS = {
    "Events": "What happened to an account.",
    "Codes": "Verification codes, sent and checked.",
    "Notifications": "What became of a message.",
    "Inbox": "What the site shows an owner who is signed in.",
    "Links": "The signed links in messages, and what was done with them.",
    "Receipts": "What mail servers and Twilio report.",
    "Operations": "Dead letters, queues, erasure.",
    "Schemas": "What each notice's event has to say.",
    "Health": "Whether the service is there.",
    "Webhooks": "What is posted to you, signed after Standard Webhooks.",
}

# After draft-ietf-httpapi-ratelimit-headers-10. On every answer to a key that is known, refusals too.
_RATE_LIMIT = {
    "RateLimit-Policy": {
        "description": "What the key may ask: `q` requests or events in `w` seconds.",
        "schema": {"type": "string", "examples": ['"api_key";q=60000;w=60']},
    },
    "RateLimit": {
        "description": "What it has left: `r` until the window ends in `t` seconds.",
        "schema": {"type": "string", "examples": ['"api_key";r=59999;t=60']},
    },
}

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 255 printable ASCII characters, such as a random UUID; in quotes or not.",
    "schema": {"type": "string", "pattern": '^[!#-~]{1,255}$|^"[ -~]{1,255}"$'},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}


def operation(
    id: str,
    tag: str,
    *,
    gives: type[BaseModel] | None,
    status: int = 200,
    scope: str | None = None,
    signed: str | None = None,
    takes: type[BaseModel] | Mapping[str, Any] | None = None,
    example: Any = None,
    optional: bool = False,
    refuses: Iterable[type[errors.NotifierError]] = (),
    idempotent: bool = False,
) -> dict[str, Any]:
    """What the document says of a route, as keyword arguments of `add_api_route`.

    `gives` is only described: nothing checks an answer while it is given, tests do. `takes` is a model of a JSON body,
    with an `example`, or the body's content by media type; `signed` names what stands for a key; `refuses` are errors
    besides those that any such route has.
    """
    refused = [*_ALWAYS, *(_WITH_KEY if scope else ()), *(_WITH_BODY if takes else ()), *refuses]
    needs = {"key": [scope]} if scope else {signed: []} if signed else None
    extra: dict[str, Any] = {"security": [needs] if needs else []}
    given: dict[str, Any] = (
        {"model": gives, "description": (gives.__doc__ or "").strip()} if gives else {"description": "Taken."}
    )
    if scope:
        given["headers"] = _RATE_LIMIT
    if takes:
        if isinstance(takes, type):
            takes = {"application/json": {"schema": schema(takes), "example": example}}
        extra["requestBody"] = {"required": not optional, "content": takes}
    if idempotent:
        refused += _IDEMPOTENT
        extra["parameters"] = [IDEMPOTENCY_KEY]
    return {
        "operation_id": id,
        "tags": [tag],
        "status_code": status,
        "response_model": None,
        "responses": {status: given, **_refusals(refused)},
        "openapi_extra": extra,
    }


def named(name: str) -> dict[str, Any]:
    """A reference to a schema of the document's."""
    return {"$ref": _REF + name}


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """A reference to a model's schema, which goes with it until the document takes it in."""
    body = model.model_json_schema(ref_template=_REF + "{model}")
    return named(model.__name__) | {"$defs": {**body.pop("$defs", {}), model.__name__: body}}


def document(app: FastAPI, public_url: str, **given: Mapping[str, Any]) -> dict[str, Any]:
    """The whole document; `given` are the schemas that routes refer to by their names."""
    made = get_openapi(
        title="notifier",
        version=app.version,
        summary="Notices about account security, with secure links",
        description=_ABOUT,
        routes=app.routes,
        webhooks=app.webhooks.routes,
        tags=[{"name": name, "description": about} for name, about in _TAGS.items()],
        servers=[{"url": public_url}],
    )
    schemas: dict[str, Any] = made["components"]["schemas"]
    schemas |= given
    _take_in(made, schemas)
    _take_in(schema(Problem), schemas)
    made["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": _KEY},
        "twilio": {"type": "apiKey", "in": "header", "name": "X-Twilio-Signature", "description": "Twilio's own."},
    }
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name)
    made["components"]["responses"] = _shared(made["paths"])
    _explain(made["paths"])
    return made


def _shared(paths: dict[str, Any]) -> dict[str, Any]:
    """The answers that are problems, taken out of where they are repeated: by name, and referred to there."""
    shared: dict[str, Any] = {}
    for path in paths.values():
        for described in path.values():
            for status, answer in list(described["responses"].items()):
                problem = answer.get("content", {}).get(problems.MEDIA_TYPE)
                if status == "422" and not problem:
                    # FastAPI's own, for what it might check itself.
                    del described["responses"][status]
                if problem:
                    name = "-or-".join(problem["examples"])
                    shared[name] = answer
                    described["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    return shared


def _explain(paths: dict[str, Any]) -> None:
    """Say of each parameter what it means, and show an example of each answer: here, since FastAPI leaves out nulls."""
    for path in paths.values():
        for described in path.values():
            for parameter in described.get("parameters", ()):
                parameter.setdefault("description", PARAMETERS.get(parameter["name"], ""))
            for answer in described["responses"].values():
                for content in answer.get("content", {}).values():
                    model = content["schema"].get("$ref", "").removeprefix(_REF)
                    if model in SPECIMENS:
                        content["example"] = SPECIMENS[model]


def _refusals(refused: Iterable[type[errors.NotifierError]]) -> dict[int, dict[str, Any]]:
    """By status; each error with that status is an example."""
    answers: dict[int, dict[str, Any]] = {}
    for each in sorted(dict.fromkeys(refused), key=lambda each: problems.TABLE[each].status):
        row = problems.TABLE[each]
        answer = answers.setdefault(
            row.status, {"description": "", "content": {problems.MEDIA_TYPE: {**_PROBLEM, "examples": {}}}}
        )
        answer["description"] = f"{answer['description']} {row.title}.".strip()
        answer["content"][problems.MEDIA_TYPE]["examples"][row.name] = {
            "summary": row.title,
            "value": {
                "type": f"https://notify.example.com{problems.PATH}/{row.name}",
                "title": row.title,
                "status": row.status,
                "detail": row.meaning,
            },
        }
        if each in (errors.TooMany, errors.Unavailable, errors.Overloaded, errors.InProgress):
            answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return answers


def _take_in(node: Any, schemas: dict[str, Any]) -> None:
    """Move the schemas that references brought with them to where they point."""
    if isinstance(node, dict):
        for name, body in node.pop("$defs", {}).items():
            schemas.setdefault(name, body)
            _take_in(body, schemas)
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            _take_in(each, schemas)
