"""What producers ask of the service: arguments come in, a `Call` goes out, which says how its answer is read.

No I/O: both clients send these. A call is the same however often it is sent: an event by its own id, all else that
changes something by its Idempotency-Key. Left to plain HTTP: the inbox's stream, the schemas, the queues, receipts of
bounces, and addresses that are used again (`/v1/suppressions/lift`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from notifier.client import answers
from notifier.client.event import Event, as_json
from notifier.client.failures import Problem, Unreadable, problem
from notifier.events import Channel, Recipient

EVENT = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

Result = TypeVar("Result")
# An event as an object, or as a JSON file has it.
Posted = Event | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call(Generic[Result]):
    """`read` makes the result out of the answer's JSON. `key` is the Idempotency-Key."""

    method: str
    path: str
    read: Callable[[Any], Result]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    media_type: str = "application/json"
    key: str | None = None


def send(event: Posted) -> Call[answers.Taken]:
    """`POST /v1/events`."""
    return Call("POST", "/v1/events", answers.Taken.model_validate, body=as_json(event), media_type=EVENT)


def send_batch(events: Sequence[Posted]) -> Call[tuple[answers.Taken | Problem, ...]]:
    """`POST /v1/events/batch`."""
    body = [as_json(event) for event in events]
    return Call("POST", "/v1/events/batch", _results, body=body, media_type=BATCH)


def preview(event: Posted) -> Call[answers.Preview]:
    """`POST /v1/preview`."""
    return Call("POST", "/v1/preview", answers.Preview.model_validate, body=as_json(event), media_type=EVENT)


def issue_code(
    account: str, purpose: str, recipient: Recipient, channels: Sequence[Channel], key: str
) -> Call[answers.CodeSent]:
    """`POST /v1/codes`."""
    told = recipient.model_dump(mode="json", exclude_unset=True)
    body = {"account": account, "purpose": purpose, "recipient": told, "channels": list(channels)}
    return Call("POST", "/v1/codes", answers.CodeSent.model_validate, body=body, key=key)


def resend_code(code_id: str, channels: Sequence[Channel], key: str) -> Call[answers.CodeSent]:
    """`POST /v1/codes/{code_id}/resend`."""
    path = f"/v1/codes/{_part(code_id)}/resend"
    return Call("POST", path, answers.CodeSent.model_validate, body={"channels": list(channels)}, key=key)


def verify_code(
    code_id: str, code: str, channel: Channel | None, account: str | None, purpose: str | None, key: str
) -> Call[answers.Verdict]:
    """`POST /v1/codes/{code_id}/verify`."""
    bound = _given(channel=channel, account=account, purpose=purpose)
    path = f"/v1/codes/{_part(code_id)}/verify"
    return Call("POST", path, answers.Verdict.model_validate, body={"code": code, **bound}, key=key)


def notification(id: str) -> Call[answers.Notification]:
    """`GET /v1/notifications/{id}`."""
    return Call("GET", f"/v1/notifications/{_part(id)}", answers.Notification.model_validate)


def notifications(
    account: str, status: str | None, channel: Channel | None, notice: str | None, limit: int | None, cursor: str | None
) -> Call[answers.Notifications]:
    """`GET /v1/notifications`."""
    limited = None if limit is None else str(limit)
    query = _given(account=account, status=status, channel=channel, notice=notice, limit=limited, cursor=cursor)
    return Call("GET", "/v1/notifications", answers.Notifications.model_validate, query)


def cancel(id: str, key: str) -> Call[answers.Standing]:
    """`POST /v1/notifications/{id}/cancel`."""
    return Call("POST", f"/v1/notifications/{_part(id)}/cancel", answers.Standing.model_validate, key=key)


def resend(id: str, key: str) -> Call[answers.Standing]:
    """`POST /v1/notifications/{id}/resend`."""
    return Call("POST", f"/v1/notifications/{_part(id)}/resend", answers.Standing.model_validate, key=key)


def inbox(account: str, unread: bool, limit: int | None, cursor: str | None) -> Call[answers.Inbox]:
    """`GET /v1/accounts/{account}/inbox`."""
    limited = None if limit is None else str(limit)
    query = _given(unread="true" if unread else None, limit=limited, cursor=cursor)
    return Call("GET", _inbox(account), answers.Inbox.model_validate, query)


def unread(account: str) -> Call[answers.Unread]:
    """`GET /v1/accounts/{account}/inbox/unread`."""
    return Call("GET", f"{_inbox(account)}/unread", answers.Unread.model_validate)


def mark_read(account: str, id: str, key: str) -> Call[answers.Marked]:
    """`POST /v1/accounts/{account}/inbox/{id}/read`."""
    return Call("POST", f"{_inbox(account)}/{_part(id)}/read", answers.Marked.model_validate, key=key)


def mark_all_read(account: str, up_to: str | None, key: str) -> Call[answers.Unread]:
    """`POST /v1/accounts/{account}/inbox/read`."""
    return Call("POST", f"{_inbox(account)}/read", answers.Unread.model_validate, body=_given(up_to=up_to), key=key)


def revoke_links(account: str, purposes: Sequence[str], key: str) -> Call[answers.LinksRevoked]:
    """`POST /v1/links/revoke`."""
    body = {"account": account, "purposes": list(purposes)}
    return Call("POST", "/v1/links/revoke", answers.LinksRevoked.model_validate, body=body, key=key)


def audit(account: str | None, notification: str | None) -> Call[answers.Audit]:
    """`GET /v1/audit`."""
    query = _given(account=account, notification=notification)
    return Call("GET", "/v1/audit", answers.Audit.model_validate, query)


def dead_letters(kind: str, cursor: str | None, limit: int | None) -> Call[answers.DeadLetters]:
    """`GET /v1/dead-letters`."""
    query = _given(kind=kind, cursor=cursor, limit=None if limit is None else str(limit))
    return Call("GET", "/v1/dead-letters", answers.DeadLetters.model_validate, query)


def replay(id: str, key: str) -> Call[answers.Standing]:
    """`POST /v1/dead-letters/{id}/replay`."""
    return Call("POST", f"/v1/dead-letters/{_part(id)}/replay", answers.Standing.model_validate, key=key)


def erase(account: str) -> Call[answers.Erased]:
    """`DELETE /v1/accounts/{account}`."""
    return Call("DELETE", f"/v1/accounts/{_part(account)}", answers.Erased.model_validate)


def _results(document: Any) -> tuple[answers.Taken | Problem, ...]:
    return tuple(_result(one) for one in document["results"])


def _result(document: Mapping[str, Any]) -> answers.Taken | Problem:
    if document["status"] == 202:
        return answers.Taken.model_validate(document)
    failure = problem(document, document["status"])
    if isinstance(failure, Unreadable):
        raise TypeError
    return failure


def _given(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}


def _inbox(account: str) -> str:
    return f"/v1/accounts/{_part(account)}/inbox"


def _part(value: str) -> str:
    """As one segment of a path, whatever is in it."""
    return quote(value, safe="")
