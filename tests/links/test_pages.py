"""The pages behind the links, on a real ledger: reading changes nothing, the button acts, once."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

import httpx
import pytest
from arq.connections import ArqRedis
from starlette.applications import Starlette
from starlette.requests import Request

from links.actions import TALLY
from links.ledger import Ledger, Link, State
from links.pages import Pages, View, Visit
from links.store import Write, write_if_absent
from links.tokens import Token, Tokens
from tests.conftest import SetClock
from tests.links.conftest import MakeLink, actions_of, is_due

SHORT = b"s" * 10
CODE = "123456"


_STATES: dict[str, State] = {"deactivate": "deactivated", "reactivate": "active"}


@dataclass
class Desk:
    """A site of one message: every token stands for `links`."""

    links: list[Link]
    outcome_of_actions: str = "done"
    ledger: Ledger | None = None
    acts: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    admitted: int = 0

    async def resolve(self, token: Token) -> Visit | None:
        return Visit(self.links, None) if self.links else None

    async def admit(self, visit: Visit | None, request: Request) -> None:
        self.admitted += 1

    async def challenge(self, visit: Visit, link: Link, code: str) -> bool:
        return code == CODE

    async def action(self, visit: Visit, link: Link, request: Request, now: int) -> tuple[str, bytes, list[Write]]:
        self.clicked = link, now
        return f"act{len(self.acts)}{id(request)}", b"payload", [("INCR", "clicks")]

    async def acted(self) -> None:
        """The platform answers at once, unless it is away."""
        self.acts.append(self.clicked[0].purpose.name)
        await self.answer()

    async def answer(self) -> None:
        """The platform's."""
        link, now = self.clicked
        if self.ledger and self.outcome_of_actions in ("done", "refused"):
            (claim,) = await actions_of(self.ledger).claim(now, 30_000, 9)
            outcome = "done" if self.outcome_of_actions == "done" else "refused"
            state = _STATES.get(link.purpose.name)
            if state:
                await self.ledger.tell(link.account, state, now)
            await actions_of(self.ledger).finish(claim, outcome, now, None)  # type: ignore[arg-type]

    def awaiting(self, action: str) -> AbstractContextManager["Desk"]:
        return nullcontext(self)

    async def wait(self, seconds: float) -> bool:
        """One word for each of `later`, which the platform has answered by then, or has not."""
        if not self.later:
            return False
        self.outcome_of_actions = self.later.pop(0)
        await self.answer()
        return True

    def pressed(self, visit: Visit, link: Link) -> AbstractContextManager[None]:
        return nullcontext()

    async def render(self, view: View, request: Request) -> str:
        return f"{view.outcome} {view.link.purpose.name if view.link else None}"


@pytest.fixture
def desk(link: MakeLink, ledger: Ledger) -> Desk:
    return Desk([link("authorize_device")], ledger=ledger)


@pytest.fixture
async def web(desk: Desk, tokens: Tokens, ledger: Ledger, clock: SetClock) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=Pages(tokens, ledger, desk, clock).routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://pages") as web:
        yield web


@pytest.fixture
def path(tokens: Tokens) -> str:
    return f"/l/{tokens.mint_short(SHORT)}"


async def test_reading_changes_nothing_and_the_button_acts_once(
    web: httpx.AsyncClient, path: str, desk: Desk, redis: ArqRedis
) -> None:
    for method in ("GET", "HEAD", "GET"):
        shown = await web.request(method, path, headers={"x-http-method-override": "POST"})
        assert (shown.status_code, desk.acts) == (200, [])
        # That it was shown is told once, to the audit; nothing else is kept.
        assert set(await redis.keys("*")) == {b"link:audit:acc", TALLY.encode()}
        assert await redis.llen("link:audit:acc") == 1  # type: ignore[misc]
    first = await web.post(path, data={"purpose": "authorize_device"})
    assert (first.status_code, first.text) == (200, "done authorize_device")
    second = await web.post(path, data={"purpose": "authorize_device"})
    assert (second.status_code, second.text) == (409, "used authorize_device")
    later = await web.get(path)
    assert (later.status_code, later.text) == (200, "done authorize_device")
    assert desk.acts == ["authorize_device"]


async def test_twenty_parallel_presses_act_once(web: httpx.AsyncClient, path: str, desk: Desk, redis: ArqRedis) -> None:
    answers = await asyncio.gather(*(web.post(path) for _ in range(20)))
    assert desk.acts == ["authorize_device"]
    assert await redis.get("clicks") == b"1"
    assert {answer.text.split()[0] for answer in answers} <= {"done", "used", "pending"}


@pytest.mark.parametrize("body", [b"purpose=reactivate", b"purpose=reactivate&purpose=deactivate", b"purpose=x"])
async def test_a_stale_form_does_nothing(
    body: bytes, web: httpx.AsyncClient, path: str, desk: Desk, link: MakeLink, redis: ArqRedis
) -> None:
    desk.links = [link("deactivate"), link("reactivate")]
    answer = await web.post(path, content=body)
    assert (answer.status_code, answer.text) == (200, "open deactivate")
    assert (desk.acts, await redis.dbsize()) == ([], 0)


@pytest.mark.parametrize("body", [b"", b"\xff\x00%", b'{"purpose": "reactivate"}'])
async def test_a_body_that_is_no_form_of_ours_counts_as_empty(
    body: bytes, web: httpx.AsyncClient, path: str, desk: Desk
) -> None:
    """As the button of a page does, whose form a proxy has emptied."""
    assert (await web.post(path, content=body)).status_code == 200
    assert desk.acts == ["authorize_device"]


async def test_an_oversized_body_is_not_read_to_its_end(web: httpx.AsyncClient, path: str, desk: Desk) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1_000):
            read += 1
            yield b"x" * 1_024

    assert (await web.post(path, content=endless())).status_code == 413
    assert read < 10
    assert desk.acts == []


async def test_a_page_may_ask_for_the_code_of_its_message(web: httpx.AsyncClient, path: str, desk: Desk) -> None:
    desk.links = [replace(desk.links[0], challenged=True)]
    for slip in ({}, {"code": "x"}, {"code": "123"}, {"code": "12345⁶"}):
        answer = await web.post(path, data=slip)
        assert (answer.status_code, answer.text) == (422, "malformed authorize_device")
    for _ in range(4):
        assert (await web.post(path, data={"code": "654321"})).text == "wrong authorize_device"
    assert desk.acts == []
    assert (await web.post(path, data={"code": " 123 456 "})).text == "done authorize_device"
    assert desk.admitted == 9


@pytest.mark.parametrize(
    "typed",
    ["123-456", "123\u00a0456", "1 2 3 – 4 5 6", "١٢٣٤٥٦", "۱۲۳۴۵۶", "１２３４５６", "\u2066123456\u2069"],
)
async def test_a_code_is_read_in_the_digits_of_any_keyboard(
    typed: str, web: httpx.AsyncClient, path: str, desk: Desk
) -> None:
    desk.links = [replace(desk.links[0], challenged=True)]
    assert (await web.post(path, data={"code": typed})).text == "done authorize_device"


async def test_a_pending_page_refreshes_itself(web: httpx.AsyncClient, path: str, desk: Desk) -> None:
    desk.outcome_of_actions = "away"
    for answer in (await web.post(path), await web.get(path), await web.post(path)):
        assert (answer.status_code, answer.text) == (202, "pending authorize_device")
        assert int(answer.headers["refresh"]) > 0
    assert len(desk.acts) == 1


async def test_a_page_waits_until_it_hears_that_the_platform_has_answered(
    web: httpx.AsyncClient, path: str, desk: Desk
) -> None:
    desk.outcome_of_actions = "away"
    # A word may come for nothing.
    desk.later = ["away", "done"]
    assert (await web.post(path)).text == "done authorize_device"
    assert desk.later == []


async def test_a_refused_action_says_so(web: httpx.AsyncClient, path: str, desk: Desk) -> None:
    desk.outcome_of_actions = "refused"
    for answer in (await web.post(path), await web.get(path), await web.post(path)):
        assert (answer.status_code, answer.text) == (409, "refused authorize_device")
        assert "refresh" not in answer.headers


async def test_links_that_do_not_apply_say_why(
    web: httpx.AsyncClient, path: str, desk: Desk, link: MakeLink, ledger: Ledger, redis: ArqRedis, clock: SetClock
) -> None:
    newer = link("confirm_withdrawal", issued=clock.now + 1)
    await write_if_absent(redis, "no-such-key", await ledger.issued(newer))
    dying = link("authorize_device", expires=clock.now)
    for links, status, said in (
        ([dying], 410, "expired authorize_device"),
        ([link("confirm_withdrawal")], 410, "superseded confirm_withdrawal"),
        ([link("reactivate")], 409, "not_needed reactivate"),
        ([], 410, "expired None"),
    ):
        desk.links = links
        for method in ("GET", "POST"):
            answer = await web.request(method, path)
            assert (answer.status_code, answer.text) == (status, said)
    await ledger.revoke("acc", [link("activate_account").purpose], clock.now)
    await ledger.tell("acc", "deactivated", clock.now)
    for links, status, said in (
        ([link("confirm_withdrawal")], 410, "shut confirm_withdrawal"),
        ([link("authorize_device", issued=clock.now + 1)], 200, "open authorize_device"),
        ([link("reactivate")], 409, "too_early reactivate"),
    ):
        desk.links = links
        answer = await web.get(path)
        assert (answer.status_code, answer.text) == (status, said)
    assert desk.acts == []


async def test_a_revoked_link_is_not_said_to_be_replaced(
    web: httpx.AsyncClient, path: str, desk: Desk, link: MakeLink, ledger: Ledger, clock: SetClock
) -> None:
    desk.links = [link("deactivate")]
    await ledger.revoke("acc", [desk.links[0].purpose], clock.now)
    for method in ("GET", "POST"):
        answer = await web.request(method, path)
        assert (answer.status_code, answer.text) == (410, "revoked deactivate")


async def test_a_short_link_tells_what_was_done_and_offers_what_can_be_done_next(
    web: httpx.AsyncClient, path: str, desk: Desk, link: MakeLink, ledger: Ledger, clock: SetClock
) -> None:
    desk.links = [link("deactivate"), link("reactivate")]
    desk.outcome_of_actions = "away"
    pending = await web.post(path, data={"purpose": "deactivate"})
    assert (pending.status_code, pending.text) == (202, "pending deactivate")
    desk.outcome_of_actions = "done"
    await desk.answer()
    # What the pending page's refresh finds, and whoever presses twice; the way back is closed for two hours.
    assert (await web.get(path)).text == "done deactivate"
    assert (await web.post(path, data={"purpose": "deactivate"})).text == "used deactivate"
    clock.forward(hours=2)
    assert (await web.get(path)).text == "open reactivate"
    assert (await web.post(path, data={"purpose": "deactivate"})).text == "open reactivate"
    assert desk.acts == ["deactivate"]
    assert (await web.post(path, data={"purpose": "reactivate"})).text == "done reactivate"
    # Both are old by now; that it was done is what the owner wants to know.
    assert (await web.get(path)).text == "done reactivate"
    assert (await web.post(path, data={"purpose": "reactivate"})).text == "used reactivate"
    assert desk.acts == ["deactivate", "reactivate"]


async def test_a_form_that_does_not_come_is_not_waited_for(
    web: httpx.AsyncClient, path: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("links.pages._FORM_PATIENCE", 0.05)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"purpose="
        await asyncio.sleep(30)

    assert (await web.post(path, content=stalled())).status_code == 408
    assert desk.acts == []


@pytest.mark.parametrize("token", ["x", "A" * 25, "a/b", "%00", "%F0%9F%94%91", "..%2f..", "d" * 5_000])
async def test_every_wrong_token_has_one_answer(token: str, web: httpx.AsyncClient, desk: Desk) -> None:
    for method in ("GET", "POST"):
        answer = await web.request(method, f"/l/{token}")
        assert (answer.status_code, answer.text) == (404, "not_valid None")
    assert desk.acts == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_no_other_method_acts(method: str, web: httpx.AsyncClient, path: str, desk: Desk) -> None:
    answer = await web.request(method, path)
    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "POST"})
    assert desk.acts == []


@pytest.mark.parametrize(
    ("challenged", "form"), [(True, {}), (True, {"code": CODE}), (False, {"purpose": "deactivate"})]
)
async def test_a_link_that_opens_between_two_looks_is_not_opened_by_that(
    challenged: bool, form: dict[str, str], tokens: Tokens, ledger: Ledger, desk: Desk, link: MakeLink, path: str
) -> None:
    """Each look at the clock is a millisecond later: too early when it is judged, open when it would be used."""
    back = replace(link("reactivate"), challenged=challenged)
    desk.links = [back]
    await ledger.tell("acc", "deactivated", back.issued)
    ticks = itertools.count(back.issued + 2 * 3_600_000 - 1)
    transport = httpx.ASGITransport(Starlette(routes=Pages(tokens, ledger, desk, lambda: next(ticks)).routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://pages") as web:
        await web.post(path, data=form)
    assert desk.acts == []
    assert not await is_due(ledger, back.expires)
