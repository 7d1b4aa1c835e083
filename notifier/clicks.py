"""The service's side of the link pages: what a token stands for, what its page says, what its click forwards.

Implements `links.pages.Site`.
"""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from opentelemetry.trace import Span, SpanKind
from starlette.requests import Request

from links.actions import Actions
from links.ledger import Ledger, Link
from links.pages import View, Visit
from links.store import Write
from links.tokens import Token
from notifier import ids, traces
from notifier.actions import Action, Answer
from notifier.archive import Archive
from notifier.clock import moment
from notifier.codes import Codes
from notifier.events import Channel
from notifier.linkage import Linkage
from notifier.news import News, Reader
from notifier.notifications import noted
from notifier.outbox import Outbox
from notifier.records import Accepted
from notifier.rendering.i18n import Catalogs, autonym
from notifier.rendering.renderer import Language, Renderer, masked
from notifier.sealing import Sealer, Unsealable
from notifier.throttle import Throttle, network

_LONGEST_USER_AGENT = 512
# The outcomes that show the form, and what it says of the code that was typed.
_ASKS = ("open", "malformed", "wrong")
_CHALLENGE_ERRORS = {"malformed": "malformed", "wrong": "mismatch"}


@dataclass(frozen=True, slots=True)
class _Message:
    """The message that a link came in."""

    notification: str
    channel: Channel
    accepted: Accepted


@dataclass(frozen=True, slots=True)
class Clicks:
    """The tools, handed in by the app. `ring` wakes whoever forwards actions, `news` are of actions that were."""

    outbox: Outbox
    archive: Archive
    codes: Codes
    ledger: Ledger
    actions: Actions
    linkage: Linkage
    sealer: Sealer
    renderer: Renderer
    catalogs: Catalogs
    throttle: Throttle
    ring: Callable[[], Awaitable[None]]
    news: News

    async def resolve(self, token: Token) -> Visit | None:
        """The message that carried the token; None when it is no longer kept."""
        id = ids.to_id(token.reference)
        notification = await self.archive.find(id)
        if notification is None:
            return None
        sealed = await self.outbox.payload(notification.event)
        accepted = Accepted.read(self.sealer, notification.event, sealed)
        if accepted is None:
            return None
        links = self.linkage.links(accepted, id, token.purpose)
        return Visit(links, _Message(id, notification.channel, accepted)) if links else None

    async def admit(self, visit: Visit | None, request: Request) -> None:
        """Raises errors.TooMany."""
        visitor = network(request.client.host if request.client else "")
        await self.throttle.take_or_floor(visitor=visitor)
        if visit:
            await self.throttle.take_or_floor(link_account=visit.links[0].account)

    async def challenge(self, visit: Visit, link: Link, code: str) -> bool:
        """The code of the message's channel, whether or not it still would do elsewhere: the link's own life counts."""
        message: _Message = visit.about
        printed = await self.codes.digits(message.accepted.code or "", message.channel)
        return printed is not None and hmac.compare_digest(printed, code)

    async def action(self, visit: Visit, link: Link, request: Request, now: int) -> tuple[str, bytes, list[Write]]:
        """A fresh action's id and sealed payload, and the click on the timeline. A code that opened the link opens
        nothing else.
        """
        message: _Message = visit.about
        accepted = message.accepted
        id = ids.new_id("action")
        action = Action(
            type=link.purpose.action,
            account=accepted.account,
            event=accepted.event,
            notice=accepted.notice,
            notification=message.notification,
            reference=accepted.reference,
            clicked=now,
            ip=request.client.host if request.client else "",
            user_agent=request.headers.get("user-agent", "")[:_LONGEST_USER_AGENT],
            locale=locale_of(request, self.catalogs, accepted.locale),
            trace=traces.carried(),
        )
        traces.told(action=id)
        beside = noted(message.notification, now, "clicked", {"purpose": link.purpose.name})
        if link.challenged and accepted.code:
            beside += await self.codes.spent(accepted.code)
        return id, action.seal(self.sealer, id), beside

    def pressed(self, visit: Visit, link: Link) -> AbstractContextManager[Span]:
        """A step of the trace of the event that the link's message was about."""
        message: _Message = visit.about
        return traces.span(
            "click link",
            SpanKind.SERVER,
            message.accepted.trace,
            notification=message.notification,
            event=message.accepted.event,
            notice=message.accepted.notice,
            channel=message.channel,
            purpose=link.purpose.name,
        )

    def awaiting(self, action: str) -> AbstractContextManager[Reader]:
        """What there is to be heard of this action, as long as the block runs."""
        return self.news.reading(action)

    async def acted(self) -> None:
        """On to the platform."""
        await self.ring()

    async def render(self, view: View, request: Request) -> str:
        """The page's HTML, in the language of the message, or of the switch, or of the browser."""
        message: _Message | None = view.visit.about if view.visit else None
        accepted = message.accepted if message else None
        locale = locale_of(request, self.catalogs, accepted.locale if accepted else None)
        judgement, link = view.judgement, view.link
        traces.told(outcome=view.outcome)
        email = accepted.address(message.notification, "email") if accepted and message else None
        phone = accepted.recipient.phone if accepted else None
        read_at = email if message and message.channel == "email" else None
        answer = await self._answer(judgement.action) if judgement and judgement.action else None
        at = moment(judgement.at) if judgement else None
        early = view.outcome == "too_early"
        asks = view.outcome in _ASKS
        facts: dict[str, Any] = {
            "purpose": link.purpose.name if link else None,
            "outcome": None if asks else view.outcome,
            "account": masked(email, phone) if email or phone else None,
            "notice": accepted.notice if accepted else None,
            "context": accepted.context.read_at(read_at) if accepted else None,
            "at": None if early or asks else at,
            "opens": at if early else self._opens(view),
            "reason": answer.reason if answer else None,
            "next_url": answer.next_url if answer else None,
            "challenge": link is not None and link.challenged,
            "challenge_error": _CHALLENGE_ERRORS.get(view.outcome),
            "attempts_left": judgement.attempts_left if judgement else None,
            "languages": _languages(tuple(self.catalogs.locales), locale),
        }
        zone = accepted.recipient.timezone if accepted else "UTC"
        return self.renderer.page("confirm" if asks else "outcome", locale, zone, facts)

    def _opens(self, view: View) -> Any:
        """From when a deactivation that is done can be undone."""
        if view.judgement and view.link and view.link.purpose.name == "deactivate" and view.outcome in ("done", "used"):
            return moment(view.judgement.at + self.ledger.reactivation_delay)
        return None

    async def _answer(self, action: str) -> Answer | None:
        sealed = await self.actions.answer(action)
        if sealed is None:
            return None
        try:
            return Answer.model_validate_json(self.sealer.open(action, sealed))
        except Unsealable:
            return None


def locale_of(request: Request, catalogs: Catalogs, written: str | None = None) -> str:
    """A page's language: of the switch, else of the message as it was `written`, else of the browser."""
    wanted = request.query_params.get("lang")
    if wanted in catalogs.locales:
        return wanted
    return written or catalogs.edition.from_header(request.headers.get("accept-language"))


@lru_cache(maxsize=128)
def _languages(tags: Sequence[str], shown: str) -> Sequence[Language]:
    return tuple(Language(tag, autonym(tag), f"?lang={tag}", tag == shown) for tag in tags)
