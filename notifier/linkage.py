"""Which links a notification carries, and what a link that comes back stands for.

A notification comes in, the URLs its message prints go out; a read token comes in, the ledger's `Link`s go out.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from links.ledger import Link
from links.purposes import SHORT, Purpose
from links.tokens import SHORT_CHARS, Tokens
from notifier import ids
from notifier.events import Channel, Context
from notifier.notices import NOTICES, Notice
from notifier.records import Accepted

# By purpose, and "emergency" for the one short link of an SMS; None where a message has no such link.
Urls = Mapping[str, str | None]


def _without_code(row: Notice, context: Context) -> Sequence[str]:
    """What a code guards is for who reads where the code is: a session that was stolen must not do for both."""
    return [name for name in row.carries(context) if row.code is None or name != row.own]


_CARRIED: Mapping[Channel, Callable[[Notice, Context], Sequence[str]]] = {
    "email": Notice.carries,
    "sms": lambda row, context: [name for name in SHORT if name in row.carries(context)],
    "inbox": _without_code,
}


class Linkage:
    """Made from the settings once; pure. `life_on_request` is a `reactivate` link's that its owner asked for."""

    def __init__(
        self, public_url: str, tokens: Tokens, purposes: Mapping[str, Purpose], life_on_request: timedelta
    ) -> None:
        self._base = f"{public_url}/l/"
        self._tokens = tokens
        self._purposes = purposes
        self._life_on_request = life_on_request

    def urls(self, accepted: Accepted, notification: str, channel: Channel, notice: str | None = None) -> Urls:
        """The links of this notification: the same on every attempt. `notice` is its own, where that is another."""
        reference = ids.to_reference(notification)

        def token(name: str) -> str:
            if name == "emergency":
                return self._tokens.mint_short(reference)
            return self._tokens.mint(self._purposes[name], reference, accepted.due)

        return self._urls(accepted, NOTICES[notice or accepted.notice], channel, token)

    def samples(self, accepted: Accepted, channel: Channel) -> Urls:
        """What a notification of this event would carry, with tokens that are none, as long as those of an SMS."""
        row = NOTICES[accepted.notice]
        return self._urls(accepted, row, channel, lambda name: f"sample-{name}".ljust(SHORT_CHARS, "-"))

    def links(self, accepted: Accepted, notification: str, purpose: Purpose | None) -> Sequence[Link]:
        """What a token for this notification may do: its purpose, or in the short form whichever applies first."""
        carried = NOTICES[accepted.notice].carries(accepted.context)
        names = [purpose.name] if purpose else [name for name in SHORT if name in carried]
        return [self._link(accepted, notification, self._purposes[name]) for name in names]

    def carried(self, accepted: Accepted, channel: Channel = "email") -> Sequence[Link]:
        """What links in a message of the event may do; a mail's are all that there are."""
        names = _CARRIED[channel](NOTICES[accepted.notice], accepted.context)
        return [self._link(accepted, accepted.event, self._purposes[name]) for name in names]

    def expires(self, accepted: Accepted, purpose: str) -> int:
        """Until when a link for this purpose acts, in any message of the event (ms)."""
        return self._link(accepted, accepted.event, self._purposes[purpose]).expires

    def own(self, accepted: Accepted) -> Link | None:
        """The link that the event is about, if it is about one; the same for all its notifications."""
        name = NOTICES[accepted.notice].own
        return self._link(accepted, accepted.event, self._purposes[name]) if name else None

    def superseding(self, accepted: Accepted) -> Link | None:
        """The event's own link, if it voids older ones for the same subject."""
        own = self.own(accepted)
        return own if own and own.purpose.supersedes else None

    def _urls(self, accepted: Accepted, row: Notice, channel: Channel, token: Callable[[str], str]) -> Urls:
        names = _CARRIED[channel](row, accepted.context)
        if channel == "sms" and names:
            names = ("emergency",)  # one link, for whichever applies
        urls: dict[str, str | None] = dict.fromkeys((*self._purposes, "emergency"))
        return urls | {name: self._base + token(name) for name in names}

    def _link(self, accepted: Accepted, notification: str, purpose: Purpose) -> Link:
        notice = NOTICES[accepted.notice]
        own = purpose.name == notice.own
        life = self._life_on_request if own and purpose.name == "reactivate" else purpose.life
        return Link(
            purpose=purpose,
            identity=f"{purpose.letter}{accepted.event if purpose.shared else notification}",
            account=ids.digest(accepted.account),
            issued=accepted.due,
            expires=accepted.due + round(life.total_seconds() * 1000),
            subject=ids.digest(notice.subject(accepted.context)) if own and notice.subject else None,
            challenged=own and purpose.challenge and accepted.code is not None,
        )
