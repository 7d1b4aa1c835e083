"""A notification as it stands, and the keys that it is kept under: a hash's fields in, a `Notification` out.

event:<digest of source and id>   16 bytes digest of the body, then the sealed `Accepted` (also the dedupe key)
ntf:<id>                          hash: the fields of `Notification`, how often it was claimed and given back
ntf:<id>:timeline                 list of JSON entries
due:<lane>                        sorted set: when each waiting notification is next due (ms)
dead                              sorted set: notifications given up, by when
account:<digest>                  sorted set of the keys above (and of codes) that are kept for an account, by when due
counts                            hash: how many notifications were accepted, and came to which end
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

from links.store import Write
from notifier.events import Channel
from notifier.notices import Lane

# What may be told of a notification; the last three by the other side, after it took the message over.
Status = Literal[
    "accepted", "scheduled", "retrying", "sent", "failed", "expired", "suppressed", "cancelled",
    "delivered", "undelivered", "bounced",
]  # fmt: skip
_CHANNELS: Mapping[str, Channel] = {channel: channel for channel in get_args(Channel)}
RETENTION = timedelta(days=7)
KEEP = round(RETENTION.total_seconds() * 1000)
NOTIFICATION = "ntf:"
QUEUE = "due:"
DEAD = "dead"
COUNTS = "counts"
# Where it is called out that a lane has something due, in the very step that records it.
KNOCKS = "knocks"
# A link may be shown without end: the newest entries tell enough.
TIMELINE = 100
# Of two reports the one that is further on holds, in whatever order they come.
RANKS = {"queued": 0, "delayed": 1, "sent": 2, "delivered": 3, "undelivered": 3, "bounced": 3}


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification as it stands; times in ms.

    `locale` is what it is written in, `locale_reason` why (rendering/negotiation.py). `due` is when it may first be
    sent; its deadline counts from then. `receipt` is what the other side reported after it took the message over.
    `doubtful`: an attempt ended without an answer, so that another may make a duplicate. `rendered`: its timeline says
    that it was.
    """

    id: str
    event: str
    channel: Channel
    notice: str
    lane: Lane
    locale: str
    locale_reason: str
    accepted: int
    due: int
    deadline: int
    status: str
    attempts: int
    receipt: str | None
    doubtful: bool
    rendered: bool

    def standing(self, now: int) -> str:
        """Its status; `scheduled` until it is due; once it is sent what was reported of it: delivered, undelivered,
        bounced.
        """
        if self.status == "accepted" and now < self.due:
            return "scheduled"
        told = self.receipt is not None and RANKS.get(self.receipt, 0) > RANKS["sent"]
        return self.receipt or self.status if self.status == "sent" and told else self.status


def read(id: str, fields: Mapping[str, bytes]) -> Notification:
    """Raises KeyError or ValueError where the record is damaged, or another version's."""
    text = {name: value.decode() for name, value in fields.items()}
    return Notification(
        id=id,
        event=text["event"],
        channel=_CHANNELS[text["channel"]],
        notice=text["notice"],
        lane=Lane(text["lane"]),
        locale=text["locale"],
        locale_reason=text.get("locale_reason", "exact"),
        accepted=int(text["accepted"]),
        due=int(text.get("due", text["accepted"])),
        deadline=int(text["deadline"]),
        status=text["status"],
        attempts=int(text.get("attempts", 0)),
        receipt=text.get("receipt"),
        doubtful="doubtful" in text,
        rendered="rendered" in text,
    )


@dataclass(frozen=True, slots=True)
class Rendered:
    """When a message was rendered (ms), in which locale and why in that."""

    at: int
    locale: str
    reason: str


def told(at: int, what: str, facts: Mapping[str, str | int]) -> str:
    """An entry of a timeline."""
    return json.dumps({"at": at, "what": what, **facts}, separators=(",", ":"))


def noted(id: str, at: int, what: str, facts: Mapping[str, str | int], keep: int = KEEP) -> list[Write]:
    """Writes that add to a notification's timeline, which is kept for `keep` ms from then on."""
    _, key = keys(id)
    return [("RPUSH", key, told(at, what, facts)), ("LTRIM", key, -TIMELINE, -1), ("PEXPIRE", key, keep)]


def knock(lane: Lane) -> Write:
    """Wakes whoever listens for this lane."""
    return ("PUBLISH", KNOCKS, lane)


def keys(id: str) -> list[str]:
    """Of the notification, and of its timeline."""
    return [NOTIFICATION + id, f"{NOTIFICATION}{id}:timeline"]


def queue(lane: Lane) -> str:
    """Of a lane's queue."""
    return QUEUE + lane


def account_index(digest: str) -> str:
    """Of what is kept for an account."""
    return f"account:{digest}"
