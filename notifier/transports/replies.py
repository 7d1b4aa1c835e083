"""What a relay answered comes in (RFC 5321 section 4.2, RFC 3463); what that means for the mail goes out."""

import re
from typing import Literal

from notifier.transports.base import DEAD_STATUSES, Deferred, Permanent, TransportError

# Where in the conversation: the two commands that name sender and recipient, the command before the mail's content, and
# the lone dot after it.
Step = Literal["mail", "rcpt", "data", "dot"]

# It goes away (RFC 5321 section 3.8), or wants a login first, or another one (RFC 4954 section 6).
_RELAYS_OWN = {421, 530, 534, 535, 538}
# A dead address without an enhanced code: what an unknown recipient was answered before there were any.
_DEAD_BARE = {550, 551, 553}

_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?!\S)")


class Trouble(Exception):
    """It is the relay's and not the mail's, which was not taken: another relay may have it.

    `at_once`: finding out cost seconds, or will be the same for every mail. `reason` names no address.
    """

    def __init__(self, reason: str, *, at_once: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at_once = at_once


def refusal(code: int, text: str, step: Step) -> TransportError | Trouble:
    """What to raise for an answer that is not the one hoped for."""
    if code in _RELAYS_OWN or not 400 <= code < 600:
        return Trouble(f"smtp_{code}")
    reason, status = f"smtp_{code}", enhanced_status(code, text)
    if code < 500:
        return Deferred(reason, status=status)
    # What is refused at MAIL is our own address.
    dead = step != "mail" and (status in DEAD_STATUSES or (status is None and step == "rcpt" and code in _DEAD_BARE))
    return Permanent(reason, status=status, dead_address=dead)


def enhanced_status(code: int, text: str) -> str | None:
    """`5.1.1` where the answer begins with one that agrees with its code (RFC 2034 section 4)."""
    found = _STATUS.match(text)
    return found[0] if found and found[0][0] == str(code)[0] else None


def queue_id(text: str) -> str:
    """What the relay calls the mail that it took: words of its answer's first line, without any that may be an address.

    Relays answer `2.0.0 Ok: queued as 4ZkX…` in many forms, and some repeat the recipient.
    """
    line = text.splitlines()[0] if text else ""
    return " ".join(word for word in line.split() if "@" not in word and word.isascii() and word.isprintable())[:80]
