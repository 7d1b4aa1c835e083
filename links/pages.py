"""The pages behind the links: a GET shows what a link would do and changes nothing, a POST does it.

Mail scanners open every link, run its scripts and follow what they find; none of them presses a button. So the POST of
the page's one form is the only thing that acts. Words, looks and what an action carries are the site's, handed in.
"""

import asyncio
import math
import time
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from links.errors import NotValid
from links.ledger import Challenge, Judgement, Ledger, Link, Outcome
from links.store import Write
from links.tokens import Token, Tokens

PageOutcome = Literal[
    "open",
    "malformed",
    "wrong",
    "locked",
    "pending",
    "done",
    "used",
    "refused",
    "expired",
    "superseded",
    "revoked",
    "shut",
    "too_early",
    "not_needed",
    "not_valid",
]

_STATUS: dict[PageOutcome, int] = {
    "open": 200,
    "malformed": 422,
    "wrong": 422,
    "locked": 410,
    "pending": 202,
    "done": 200,
    "used": 409,
    "refused": 409,
    "expired": 410,
    "superseded": 410,
    "revoked": 410,
    "shut": 410,
    "too_early": 409,
    "not_needed": 409,
    "not_valid": 404,
}
_PAGE: dict[Outcome, PageOutcome] = {
    "open": "open",
    "accepted": "pending",
    "wrong": "wrong",
    "locked": "locked",
    "pending": "pending",
    "done": "done",
    "refused": "refused",
    "expired": "expired",
    "superseded": "superseded",
    "revoked": "revoked",
    "shut": "shut",
    "early": "too_early",
    "idle": "not_needed",
}
# A form of ours holds a purpose and a code.
_MOST_FORM_BYTES = 4_096
# A form that has not come by then is not waited for. s
_FORM_PATIENCE = 10
_CODE_LENGTHS = range(4, 11)
# How long a POST waits for the platform before it answers "pending"; most answer within this. s
_PATIENCE = 2.5
_REFRESH = 5


@dataclass(frozen=True, slots=True)
class Visit:
    """What a token stands for: the links it may be, first choice first, and `about` for the site's own use."""

    links: Sequence[Link]
    about: Any


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows: the outcome alone for a token that is not valid, or whose message is no longer kept."""

    outcome: PageOutcome
    visit: Visit | None = None
    link: Link | None = None
    judgement: Judgement | None = None


class News(Protocol):
    """Of an action, for whoever waits for the platform's answer."""

    async def wait(self, seconds: float) -> bool:
        """False when there was none for so long. It may come for nothing, or get lost: the ledger knows."""
        ...


class Site(Protocol):
    """What these pages need of the service that they stand in."""

    async def resolve(self, token: Token) -> Visit | None:
        """The message that carried the token; None when it is no longer kept."""
        ...

    async def admit(self, visit: Visit | None, request: Request) -> None:
        """Raises where this POST is one too many; None is the visit of a token that stands for nothing."""
        ...

    async def challenge(self, visit: Visit, link: Link, code: str) -> bool:
        """Whether `code` is the one printed in the message that carried `link`."""
        ...

    async def action(self, visit: Visit, link: Link, request: Request, now: int) -> tuple[str, bytes, Sequence[Write]]:
        """A fresh action's id and payload, for a click on `link`; and what else is written when that counts."""
        ...

    def pressed(self, visit: Visit, link: Link) -> AbstractContextManager[object]:
        """Around all that is done because the button was pressed, up to the page that tells what came of it."""
        ...

    def awaiting(self, action: str) -> AbstractContextManager[News]:
        """What there is to be heard of this action, as long as the block runs."""
        ...

    async def acted(self) -> None:
        """A link was consumed just now."""
        ...

    async def render(self, view: View, request: Request) -> str:
        """The page's HTML."""
        ...


class Pages:
    """`/l/{token}`."""

    def __init__(self, tokens: Tokens, ledger: Ledger, site: Site, clock: Callable[[], int]) -> None:
        self._tokens = tokens
        self._ledger = ledger
        self._site = site
        self._clock = clock

    def routes(self) -> list[Route]:
        """GET (and with it HEAD) and POST."""
        return [Route("/l/{token:path}", self._answer, methods=["GET", "POST"], name="link")]

    async def _answer(self, request: Request) -> Response:
        return await (self._act if request.method == "POST" else self._show)(request)

    async def _show(self, request: Request) -> Response:
        """What the link would do, or has done."""
        visit = await self._visit(request)
        if isinstance(visit, View):
            return await self._page(request, visit)
        view = _view(visit, *await self._choose(visit))
        if view.link:
            await self._ledger.shown(view.link, view.outcome, self._clock())
        return await self._page(request, view)

    async def _act(self, request: Request) -> Response:
        """Do what the page showed."""
        visit = await self._visit(request)
        await self._site.admit(None if isinstance(visit, View) else visit, request)
        if isinstance(visit, View):
            return await self._page(request, visit)
        form = await _form(request)
        link, judgement = await self._choose(visit)
        with self._site.pressed(visit, link):
            return await self._press(request, form, visit, link, judgement)

    async def _press(
        self, request: Request, form: dict[str, str], visit: Visit, link: Link, judgement: Judgement
    ) -> Response:
        # The short form's page offers whichever applies. What the owner was shown is what is done, or nothing.
        if form.get("purpose", link.purpose.name) == link.purpose.name:
            # Not open just now, it may be in the next moment: without a code that was checked it counts as wrong.
            challenge: Challenge = "wrong" if link.challenged else None
            if link.challenged and judgement.outcome == "open":
                typed = _digits(form.get("code", ""))
                if not (typed.isascii() and typed.isdigit() and len(typed) in _CODE_LENGTHS):
                    # A slip of the finger is no guess.
                    return await self._page(request, replace(_view(visit, link, judgement), outcome="malformed"))
                challenge = "right" if await self._site.challenge(visit, link, typed) else "wrong"
            now = self._clock()
            action, payload, beside = await self._site.action(visit, link, request, now)
            with self._site.awaiting(action) as news:
                judgement = await self._ledger.consume(link, now, action, payload, challenge, beside)
                if judgement.outcome == "accepted":
                    await self._site.acted()
                    judgement = await self._settled(link, news)
                    return await self._page(request, _view(visit, link, judgement))
        view = _view(visit, link, judgement)
        return await self._page(request, replace(view, outcome="used") if view.outcome == "done" else view)

    async def _settled(self, link: Link, news: News) -> Judgement:
        ends = time.monotonic() + _PATIENCE
        while True:
            heard = await news.wait(ends - time.monotonic())
            judgement = await self._ledger.look(link, self._clock())
            if judgement.outcome != "pending" or not heard:
                return judgement

    async def _visit(self, request: Request) -> Visit | View:
        """What the token stands for, or the page that says why it stands for nothing."""
        try:
            token = self._tokens.read(request.path_params["token"])
        except NotValid:
            return View("not_valid")
        # Signed by us and its message no longer kept: every link in it has expired.
        return await self._site.resolve(token) or View("expired")

    async def _choose(self, visit: Visit) -> tuple[Link, Judgement]:
        """The first of the links, or the next if that has more to tell."""
        now = self._clock()
        link, *others = visit.links
        judgement = await self._ledger.look(link, now)
        for other in others:
            if judgement.outcome in ("done", "superseded"):
                next_one = await self._ledger.look(other, now)
                if _tells_more(next_one.outcome, judgement.outcome):
                    link, judgement = other, next_one
        return link, judgement

    async def _page(self, request: Request, view: View) -> Response:
        response = HTMLResponse(await self._site.render(view, request), _STATUS[view.outcome])
        if view.outcome == "pending":
            response.headers["refresh"] = str(_REFRESH)
        if view.outcome == "too_early" and view.judgement:
            # What the page says in words, for who follows a link by a program (RFC 9110 section 10.2.3).
            left = view.judgement.at - self._clock()
            response.headers["retry-after"] = str(max(1, math.ceil(left / 1000)))
        return response


def _tells_more(outcome: Outcome, than: Outcome) -> bool:
    """What was done is told until there is something to do next; and rather than that a link is old."""
    return outcome not in ("early", "superseded") if than == "done" else outcome == "done"


def _view(visit: Visit, link: Link, judgement: Judgement) -> View:
    return View(_PAGE[judgement.outcome], visit, link, judgement)


def _digits(typed: str) -> str:
    """The code as it was printed: keyboards have digits of their own scripts, and people part them as they please."""
    # Dashes, spaces, and the marks of direction that are copied along with a code.
    kept = (char for char in typed if not char.isspace() and unicodedata.category(char) not in ("Pd", "Cf"))
    return "".join(str(unicodedata.decimal(char, char)) for char in kept)


async def _form(request: Request) -> dict[str, str]:
    """The first value of each field; raises HTTPException 413 for what no form of ours can be, 408 for one that does
    not come.
    """
    body = b""
    try:
        async with asyncio.timeout(_FORM_PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_FORM_BYTES:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        # Nobody is there to read it; nor is it a fault of ours.
        raise HTTPException(400) from None
    return {name: values[0] for name, values in parse_qs(body.decode("ascii", "replace")).items()}
