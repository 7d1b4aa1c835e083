"""Which links a notification carries, and what a link that comes back stands for.

A notification comes in, the URLs its message prints go out; a read token comes in, the ledger's `Link`s go out.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from links.ledger import Link
from links.purposes import Purpose
from links.tokens import Tokens
from notifier import ids
from notifier.events import Channel
from notifier.notices import NOTICES
from notifier.records import Accepted

# An SMS has room for one link; its page offers the first of these that applies.
_EMERGENCY = ("deactivate", "reactivate")


# By purpose, and "emergency" for the one short link of an SMS; None where a message has no such link.
Urls = Mapping[str, str | None]


class Linkage:
    """Made from the settings once; pure. `life_on_request` is a `reactivate` link's that its owner asked for."""

    def __init__(
        self, public_url: str, tokens: Tokens, purposes: Mapping[str, Purpose], life_on_request: timedelta
    ) -> None:
        self._base = f"{public_url}/l/"
        self._tokens = tokens
        self._purposes = purposes
        self._life_on_request = life_on_request

    def urls(self, accepted: Accepted, notification: str, channel: Channel) -> Urls:
        """The links of this notification: the same on every attempt."""
        notice, reference = NOTICES[accepted.notice], ids.to_reference(notification)
        urls: dict[str, str | None] = dict.fromkeys((*self._purposes, "emergency"))
        if channel == "email":
            for name in notice.purposes:
                urls[name] = self._base + self._tokens.mint(self._purposes[name], reference, accepted.accepted)
        elif notice.emergency:
            urls["emergency"] = self._base + self._tokens.mint_short(reference)
        return urls

    def links(self, accepted: Accepted, notification: str, purpose: Purpose | None) -> Sequence[Link]:
        """What a token for this notification may do: its purpose, or in the short form whichever applies first."""
        carried = NOTICES[accepted.notice].purposes
        names = [purpose.name] if purpose else [name for name in _EMERGENCY if name in carried]
        return [self._link(accepted, notification, self._purposes[name]) for name in names]

    def superseding(self, accepted: Accepted) -> Link | None:
        """The event's own link, if it voids older ones for the same subject; the same for all its notifications."""
        own = NOTICES[accepted.notice].own
        purpose = self._purposes[own] if own else None
        return self._link(accepted, accepted.event, purpose) if purpose and purpose.supersedes else None

    def _link(self, accepted: Accepted, notification: str, purpose: Purpose) -> Link:
        notice = NOTICES[accepted.notice]
        own = purpose.name == notice.own
        life = self._life_on_request if own and purpose.name == "reactivate" else purpose.life
        return Link(
            purpose=purpose,
            identity=f"{purpose.letter}{notification}",
            account=ids.digest(accepted.account),
            issued=accepted.accepted,
            expires=accepted.accepted + round(life.total_seconds() * 1000),
            subject=ids.digest(notice.subject(accepted.context)) if own and notice.subject else None,
            challenged=own and purpose.challenge and accepted.code is not None,
        )
