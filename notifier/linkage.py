"""Which links a notification carries, and what a link that comes back stands for.

A notification comes in, the URLs its message prints go out; a read token comes in, the ledger's `Link`s go out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from links.ledger import Link
from links.purposes import Purpose
from links.tokens import Tokens
from notifier import ids
from notifier.notices import NOTICES, Notice
from notifier.records import Accepted

# An SMS has room for one link; its page offers the first of these that applies.
_EMERGENCY = ("deactivate", "reactivate")


@dataclass(frozen=True, slots=True)
class Urls:
    """What a message prints; None where it has no such link. `emergency` is the one short link of an SMS."""

    deactivate: str | None = None
    reactivate: str | None = None
    authorize_device: str | None = None
    confirm_withdrawal: str | None = None
    emergency: str | None = None


class Linkage:
    """Made from the settings once; pure."""

    def __init__(
        self, public_url: str, tokens: Tokens, purposes: Mapping[str, Purpose], life_on_request: timedelta
    ) -> None:
        self._base = f"{public_url}/l/"
        self._tokens = tokens
        self._purposes = purposes
        self._life_on_request = life_on_request

    def urls(self, accepted: Accepted, notification: str) -> Urls:
        """The links of this notification: the same on every attempt."""
        notice, reference = NOTICES[accepted.notice], ids.to_reference(notification)
        if accepted.notifications[notification] == "sms":
            return Urls(emergency=self._base + self._tokens.mint_short(reference) if notice.emergency else None)
        return Urls(
            **{
                name: self._base + self._tokens.mint(self._purposes[name], reference, accepted.accepted)
                for name in notice.links
            }
        )

    def links(self, accepted: Accepted, notification: str, purpose: Purpose | None) -> Sequence[Link]:
        """What a token for this notification may do: its purpose, or in the short form whichever applies first."""
        notice = NOTICES[accepted.notice]
        names = [purpose.name] if purpose else [name for name in _EMERGENCY if name in notice.links]
        return [self._link(accepted, notification, self._purposes[name], notice) for name in names]

    def superseding(self, accepted: Accepted) -> Sequence[Link]:
        """The links that void older ones for the same subject."""
        notice = NOTICES[accepted.notice]
        superseding = [self._purposes[name] for name in notice.links if self._purposes[name].supersedes]
        return [self._link(accepted, accepted.event, purpose, notice) for purpose in superseding]

    def _link(self, accepted: Accepted, notification: str, purpose: Purpose, notice: Notice) -> Link:
        life = self._life_on_request if notice.on_request and purpose.name == "reactivate" else purpose.life
        return Link(
            purpose=purpose,
            identity=f"{purpose.letter}{notification}",
            account=ids.digest(accepted.account),
            issued=accepted.accepted,
            expires=accepted.accepted + round(life.total_seconds() * 1000),
            subject=ids.digest(notice.subject(accepted.context)) if notice.subject else None,
        )
