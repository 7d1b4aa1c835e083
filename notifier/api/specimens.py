"""What the documentation shows of each answer: a model comes in, an example of it goes out, which fits it."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from notifier import examples
from notifier.api import answers

_EVENT, _CODE = "kbtk2wt7iyjbkhnwoelln4vl5q", "egq7znnpuw4orfeyftxwfveqnm"
_MAIL, _SMS = "4fbjjkshcboglcesolacppt7wi", "26er4liifvkg56pm"
_LATER, _EXPIRES, _DEADLINE = "2026-03-09T14:05:02.450Z", "2026-03-09T14:35:01.120Z", "2026-03-12T14:05:01.120Z"
_AT = "2026-03-09T14:05:01.120Z"
_MADE = [
    {"id": _MAIL, "channel": "email", "status": "accepted"},
    {"id": _SMS, "channel": "sms", "status": "accepted"},
]
_TAKEN = {"event_id": _EVENT, "notifications": _MADE, "code_id": _CODE}
_LISTED = {
    "id": _MAIL,
    "event_id": _EVENT,
    "notice": "login_succeeded",
    "channel": "email",
    "locale": "sq",
    "locale_reason": "exact",
    "status": "sent",
    "accepted_at": _AT,
    "send_at": None,
    "deadline": _DEADLINE,
    "attempts": 0,
}
_LOCALE = {"asked": "sq-XK", "chosen": "sq", "reason": "region"}

_SHOWN: Mapping[type[BaseModel], Any] = {
    answers.InboxRead: {
        "items": [
            {
                "id": "7dq3ys6tbd4mpw2h6yx5kq2c7a",
                "cursor": "17",
                "notice": "identity_verification_result",
                "locale": "en",
                "created_at": _LATER,
                "unread": True,
                "title": "Your identity is verified",
                "text": "Thank you. We checked what you sent us and verified your identity.",
                "html": "<p>Thank you. We checked what you sent us and verified your identity.</p>",
                "links": [],
            }
        ],
        "next": None,
    },
    answers.InboxUnread: {"unread": 3},
    answers.InboxMarked: {"unread": 0},
    answers.ItemMarked: {"id": "7dq3ys6tbd4mpw2h6yx5kq2c7a", "unread": False},
    answers.Taken: _TAKEN,
    answers.BatchResults: {
        "results": [
            {"status": 202, **_TAKEN},
            {
                "type": "https://notify.example.com/problems/invalid",
                "title": "Fields are wrong",
                "status": 422,
                "detail": "/data/recipient/email: must be one e-mail address, such as name@example.com",
                "errors": [
                    {
                        "pointer": "/data/recipient/email",
                        "detail": "must be one e-mail address, such as name@example.com",
                    }
                ],
            },
        ]
    },
    answers.Previewed: {
        "notice": "verification_code",
        "lane": "critical",
        "send_at": _AT,
        "deadline": _EXPIRES,
        "code": {"length": 6, "life_seconds": 1800, "expires_at": _EXPIRES},
        "links": [
            {
                "purpose": "deactivate",
                "channels": ["email", "sms"],
                "life_seconds": 604800,
                "opens": "when_sent",
                "opens_after_seconds": 0,
                "expires_at": "2026-03-16T14:05:01.120Z",
                "asks_for_code": False,
            }
        ],
        "email": {
            "locale": _LOCALE,
            "subject": "[Northbank] Kodi i verifikimit",
            "preheader": "Ky kod konfirmon identifikimin tuaj.",
            "html": "<!doctype html>…",
            "text": "Ky kod konfirmon identifikimin tuaj.\n\nKodi juaj: 123456\n…",
        },
        "sms": {
            "locale": _LOCALE,
            "text": "Northbank: Ky kod konfirmon identifikimin tuaj. Kodi: 123456 (30 min).\n"
            "@notify.example.com #123456",
            "segments": {"alphabet": "GSM-7", "length": 98, "count": 1},
        },
        "inbox": None,
    },
    answers.CodeSent: {"code_id": _CODE, "expires_at": _EXPIRES, "notifications": _MADE[:1]},
    answers.Verdict: {"valid": False, "reason": "mismatch", "attempts_left": 4},
    answers.NotificationsListed: {"notifications": [_LISTED], "next": f"1773065101120.{_MAIL}"},
    answers.NotificationShown: {
        **_LISTED,
        "timeline": [
            {"at": _AT, "what": "accepted"},
            {"at": _LATER, "what": "rendered"},
            {"at": _LATER, "what": "sent", "by": "smtp.example.com", "reference": "250 2.0.0 Ok: queued as 4XyZ"},
        ],
    },
    answers.Cancelled: {"id": _MAIL, "status": "cancelled"},
    answers.LinksRevoked: {"account": "acct-1001", "purposes": ["deactivate"], "revoked_at": _AT},
    answers.AuditShown: {
        "entries": [{"at": _AT, "what": "revoked", "purpose": "deactivate", "link": None, "reason": None}]
    },
    answers.BouncesTold: {"reports": [{"notification": _MAIL, "status": "bounced"}]},
    answers.DeadLettersShown: {
        "dead_letters": [
            {
                "id": _MAIL,
                "kind": "notification",
                "about": "login_succeeded",
                "channel": "email",
                "reason": "550",
                "died_at": _LATER,
                "deadline": _DEADLINE,
            }
        ],
        "next": None,
    },
    answers.Replayed: {"id": _MAIL, "status": "accepted"},
    answers.Queues: {
        "waiting": {
            "critical": {"count": 0, "overdue_ms": 0},
            "alert": {"count": 3, "overdue_ms": 12},
            "bulk": {"count": 0, "overdue_ms": 0},
            "forward": {"count": 0, "overdue_ms": 0},
        },
        "counts": {"accepted": 1204, "sent": 1200, "failed": 1},
    },
    answers.AccountErased: {"account": "acct-1001", "notifications": 2},
    answers.SuppressionLifted: {"lifted": True},
    answers.SchemasListed: {
        "schemas": [
            {
                "notice": "verification_code",
                "says": examples.EXAMPLES["verification_code"].says,
                "dataschema": "https://notify.example.com/v1/schemas/verification_code",
            }
        ]
    },
    answers.Schema: {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://notify.example.com/v1/schemas/verification_code",
        "title": "verification_code",
        "type": "object",
    },
    answers.Alive: {"status": "ok"},
    answers.Readiness: {"status": "ok", "problems": [], "warnings": ["no worker is heard of"]},
}

# By the name that the model has in the document.
SPECIMENS: Mapping[str, Any] = {model.__name__: shown for model, shown in _SHOWN.items()}

# What a parameter means, wherever it stands.
PARAMETERS: Mapping[str, str] = {
    "code_id": "As the answer that sent the code gave it.",
    "notification_id": "As the answer to its event gave it.",
    "id": "As the list of dead letters gives it.",
    "account": "The account's id, the `subject` of its events.",
    "notification": "A notification's id.",
    "status": "Only those that stand so.",
    "channel": "Only those of this channel.",
    "notice": "A notice, the event's type without `account.`",
    "kind": "Messages, or what owners confirmed.",
    "cursor": "`next` of the page before; none for the first.",
    "limit": "How many a page has at most.",
}
