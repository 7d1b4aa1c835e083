"""What a link is and how it stands: a token comes in, an `Inspected` goes out. Nothing is shown to anybody, or done."""

from collections.abc import Sequence
from dataclasses import dataclass

from links.errors import NotValid
from links.ledger import Outcome
from links.tokens import Token, Tokens
from notifier import ids
from notifier.clock import Clock
from notifier.composition import Parts
from notifier.records import Accepted


@dataclass(frozen=True, slots=True)
class Standing:
    """What the link would do, or has done. Times in ms; `outcome` and `at` as the ledger's `Judgement` has them, None
    where the message is not kept any more.
    """

    purpose: str
    issued: int
    expires: int
    outcome: Outcome | None
    at: int | None


@dataclass(frozen=True, slots=True)
class Inspected:
    """`key` counts the keys of the settings from the newest, which is 1, to the one that signed it, of `keys`.

    `links` are its purposes, first choice first: a short one of an SMS has several.
    """

    key: int
    keys: int
    notification: str
    notice: str | None
    links: Sequence[Standing]


async def inspect(parts: Parts, link: str) -> Inspected | None:
    """A link's URL or its token; None where no key that is set here signed it."""
    keys = list(reversed(parts.settings.link_keys))
    for number, key in enumerate(keys, 1):
        try:
            token = Tokens([key], parts.tokens.purposes, parts.clock).read(_token(link))
        except NotValid:
            continue
        return await _standing(parts, token, number, len(keys))
    return None


async def _standing(parts: Parts, token: Token, key: int, keys: int) -> Inspected:
    id = ids.to_id(token.reference)
    notification = await parts.archive.find(id)
    accepted = notification and Accepted.read(
        parts.sealer, notification.event, await parts.outbox.payload(notification.event)
    )
    if accepted:
        standing = []
        for link in parts.linkage.links(accepted, id, token.purpose):
            judgement = await parts.ledger.look(link, parts.clock())
            standing.append(Standing(link.purpose.name, link.issued, link.expires, judgement.outcome, judgement.at))
        return Inspected(key, keys, id, accepted.notice, standing)
    if token.purpose is None or token.issued is None:
        return Inspected(key, keys, id, None, [])
    expires = token.issued + round(token.purpose.life.total_seconds() * 1000)
    return Inspected(key, keys, id, None, [Standing(token.purpose.name, token.issued, expires, None, None)])


async def revoke(parts: Parts, clock: Clock, account: str, purposes: Sequence[str]) -> int:
    """Void an account's links with these purposes, issued up to now; gives that time."""
    now = clock()
    await parts.ledger.revoke(ids.digest(account), [parts.tokens.purposes[name] for name in purposes], now)
    return now


def _token(link: str) -> str:
    """What follows `/l/`, without what a mail program may have put behind it."""
    return link.strip().rpartition("/l/")[2].partition("?")[0].partition("#")[0]
