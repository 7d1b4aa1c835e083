"""What each error is on the wire: an exception comes in, a problem document (RFC 9457) goes out.

`TABLE` is the one table error → status. Each row's name ends the document's `type`, a URL under which the service
itself says what the error means and what to do; so a name, once given out, stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

from notifier import errors
from notifier.api.validation import field_problems
from notifier.telemetry import place

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
PATH = "/problems"


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of error: its name in `type`, its status, its title, and for its page what it means and what to do."""

    name: str
    status: int
    title: str
    meaning: str
    remedy: str


TABLE: Mapping[type[errors.NotifierError], Problem] = {
    errors.Malformed: Problem(
        "malformed",
        400,
        "The request cannot be read",
        "The body is not strict JSON in UTF-8 (no byte order mark, no NaN or Infinity, no name twice in one object, at "
        "most 16 levels deep), or a header or the request itself breaks its grammar.",
        "Mend what writes the request. The detail says where it breaks.",
    ),
    errors.Unauthenticated: Problem(
        "unauthenticated",
        401,
        "An API key is needed",
        "There is no Authorization header, or its key is not known here.",
        "Send “Authorization: Bearer” and your producer's key. A key that worked before may have been revoked.",
    ),
    errors.BadSignature: Problem(
        "bad-signature",
        401,
        "The signature is missing or wrong",
        "The key was made with a signing secret, so each of its requests is signed after Standard Webhooks: "
        "webhook-id, webhook-timestamp and webhook-signature, an HMAC-SHA256 over “id.timestamp.body”. Where there is "
        "no body, its method and target stand for it: “GET /v1/notifications/…”. A timestamp is good for 5 minutes.",
        "Sign the bytes that you send, as they are sent, with the secret that was shown with the key, and look at your "
        "clock. The same webhook-id may come again.",
    ),
    errors.Forbidden: Problem(
        "forbidden",
        403,
        "This key may not do that",
        "The key is known and lacks the scope that the detail names.",
        "Ask the operator for a key with that scope.",
    ),
    errors.NoticeForbidden: Problem(
        "notice-not-allowed",
        403,
        "This key may not post this notice",
        "The key was made for certain notices, and the event's type is none of them.",
        "Ask the operator for a key that is allowed the notice that the detail names.",
    ),
    errors.ForgedCallback: Problem(
        "forged-callback",
        403,
        "This callback is not signed by our SMS account",
        "Twilio signs the address that it calls and the form that it sends, with the account's token "
        "(X-Twilio-Signature). The signature is missing, or is none of an SMS account of this service.",
        "If Twilio did send it: the address must begin as NOTIFIER_PUBLIC_URL does, and the account's token must be "
        "the one that the service has.",
    ),
    errors.NotFound: Problem(
        "not-found",
        404,
        "There is nothing here",
        "Nothing is kept under this id, or there is no such path. Most records are kept for 7 days.",
        "Check the id and the path. What has expired does not come back.",
    ),
    errors.MethodNotAllowed: Problem(
        "method-not-allowed",
        405,
        "This path takes another method",
        "The path is right and the method is not.",
        "Use a method that the Allow header names.",
    ),
    errors.TooSlow: Problem(
        "too-slow",
        408,
        "The request did not come in time",
        "Its headers or its body were not complete within 10 seconds, or its Content-Length announced more than came.",
        "Send it again; nothing was accepted.",
    ),
    errors.Conflict: Problem(
        "conflict",
        409,
        "This does not fit what is kept",
        "What the request is about has come to an end, or has moved on: a code that was used, a deadline that passed.",
        "Read the detail, and look at how it stands now. The same request will fail again.",
    ),
    errors.EventConflict: Problem(
        "event-conflict",
        409,
        "This source and id were taken by another event",
        "An event with the same source and id was accepted before, and differs in the fields that “errors” names. "
        "Nothing was changed or sent.",
        "If this is a repetition, repeat the event exactly. If it is another event, give it an id of its own.",
    ),
    errors.InProgress: Problem(
        "in-progress",
        409,
        "The first request with this Idempotency-Key is not done yet",
        "A request with the same key is being worked on at this moment.",
        "Wait as long as Retry-After says and send it again: you will get the first one's answer.",
    ),
    errors.TooLarge: Problem(
        "too-large",
        413,
        "The body is too large",
        "A body has at most 64 KiB; a bounce that is a mail 1 MiB; a batch 1 MiB and 1,000 events, each of them at "
        "most 64 KiB.",
        "Send less at once.",
    ),
    errors.UnsupportedMediaType: Problem(
        "unsupported-media-type",
        415,
        "This kind of body is not taken",
        "The Content-Type is none that the path takes, its charset is not UTF-8, or the body has a Content-Encoding.",
        "Send the type that the detail names, in UTF-8, not compressed.",
    ),
    errors.Invalid: Problem(
        "invalid",
        422,
        "Fields are wrong",
        "The body is JSON, and “errors” has an entry for each field that is wrong: a JSON pointer, and what would be "
        "right. For a query parameter the pointer is its name. Nothing was accepted.",
        "Mend the fields named and send it again, under the same id.",
    ),
    errors.KeyReused: Problem(
        "idempotency-key-reused",
        422,
        "This Idempotency-Key was used for another request",
        "Within the last 24 hours the same key came with another method, path or body.",
        "Use a fresh key, such as a random UUID, for each thing that is to be done; repeat one only with its request.",
    ),
    errors.TooMany: Problem(
        "too-many-requests",
        429,
        "A limit is reached",
        "There were too many requests or events with this key, or too many messages to one address, number or account.",
        "Send it again after the seconds that Retry-After says. RateLimit tells what the key has left.",
    ),
    errors.HeadersTooLarge: Problem(
        "headers-too-large",
        431,
        "The headers are too large",
        "All headers together have at most 8 KiB.",
        "Send fewer or shorter headers.",
    ),
    errors.Unavailable: Problem(
        "unavailable",
        503,
        "Not available at the moment",
        "The store cannot take the request now. Whether it still took this one is not known.",
        "Send the same request again, with the same id, after the seconds that Retry-After says, until it is answered: "
        "what was taken is not done twice.",
    ),
    errors.Overloaded: Problem(
        "overloaded",
        503,
        "Too much waits already",
        "The lane that this message belongs to is full, the store is nearly so, or the process has as many listeners "
        "as it can serve. Codes and confirmations are refused last. Nothing was accepted.",
        "Send the same request again, with the same id, after the seconds that Retry-After says.",
    ),
    errors.NotifierError: Problem(
        "internal",
        500,
        "The service failed",
        "A fault of ours. It has been logged.",
        "Send the same request again, with the same id. If it fails again, tell the operator when it was.",
    ),
}


def kind(error: errors.NotifierError) -> Problem:
    """The row of an error: its own class's, or the nearest above it."""
    return next(TABLE[base] for base in type(error).__mro__ if base in TABLE)


@dataclass(frozen=True, slots=True)
class Problems:
    """Writes the documents; `public_url` is where their types are explained."""

    public_url: str

    def type(self, problem: Problem) -> str:
        """The URL that names this kind of error, and explains it."""
        return f"{self.public_url}{PATH}/{problem.name}"

    def document(self, error: errors.NotifierError) -> dict[str, Any]:
        """The problem document."""
        problem = kind(error)
        document: dict[str, Any] = {
            "type": self.type(problem),
            "title": problem.title,
            "status": problem.status,
            "detail": error.detail,
        }
        if error.problems:
            document["errors"] = [{"pointer": each.pointer, "detail": each.detail} for each in error.problems]
        if error.retry_after is not None:
            document["retry_after"] = error.retry_after
        return document

    def answer(self, error: errors.NotifierError, headers: Mapping[str, str]) -> JSONResponse:
        """The document as an answer."""
        return JSONResponse(self.document(error), kind(error).status, headers, media_type=MEDIA_TYPE)


def understood(error: Exception, request: Request) -> errors.NotifierError:
    """Any exception as one of ours. A fault of ours is logged here."""
    match error:
        case errors.NotifierError():
            return error
        case RequestValidationError():
            return errors.Invalid(field_problems(error.errors(), skip=1))
        case HTTPException(status_code=404):
            return errors.NotFound("there is nothing at this path")
        case HTTPException(status_code=405):
            return errors.MethodNotAllowed("this path takes another method")
        case HTTPException(status_code=408):
            return errors.TooSlow("the body did not come in time")
        case HTTPException(status_code=413):
            return errors.TooLarge("the body is too large")
        case HTTPException(status_code=status) if status < 500:
            return errors.Malformed("the request cannot be read")
        case RedisError() | OSError():
            log.error("store_unavailable", error=type(error).__name__)
            return errors.Unavailable("the store cannot take this now; send the same again")
        case _:
            log.error("unhandled", error=type(error).__name__, at=place(error), method=request.method)
            return errors.NotifierError("the service failed; the same request may do later")


def added_headers(error: errors.NotifierError, cause: Exception) -> dict[str, str]:
    """What an answer to this error has besides its body."""
    added = dict(cause.headers or {}) if isinstance(cause, HTTPException) else {}
    match error:
        case errors.Unauthenticated():
            added["www-authenticate"] = "Bearer"
        case errors.UnsupportedMediaType():
            # RFC 9110, section 12.5.3: which codings a request may have.
            added["accept-encoding"] = "identity"
        case errors.TooSlow():
            # What may still come of this request is not to be read as the next.
            added["connection"] = "close"
    if error.retry_after is not None:
        added["retry-after"] = str(error.retry_after)
    return added
