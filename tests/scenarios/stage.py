"""The whole service in one process, on a real store, with the stand-ins at its edges and a clock that is moved: what a
platform posts and an owner presses goes in; what the owner, the platform and the API then see is read and written down.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import urlsplit

import httpx
from arq.connections import ArqRedis

import worker
from notifier.app import create_app
from notifier.clock import moment, ms, rfc3339
from notifier.composition import Parts
from notifier.config import Settings
from notifier.delivery import Delivery
from notifier.notices import Lane
from notifier.platform import Forwarder
from notifier.sandbox.mailbox import Mailbox
from notifier.sandbox.phone import Phone
from notifier.sandbox.platform import AccountPlatform
from notifier.transports.smtp import SmtpTransport
from notifier.transports.twilio import TwilioTransport
from tests.conftest import SetClock
from tests.delivery.conftest import deliver
from tests.platform.conftest import forward
from tests.scenarios.diary import Diary
from tests.scenarios.owners import ACCOUNT, Owner
from tests.scenarios.reading import URL, Letter, Page, Text, Words
from tests.service import API_KEY

DEVICE = {"ip": "203.0.113.24", "device": "Chrome 131 on Windows"}


@dataclass
class Edges:
    """The stand-ins, and the settings that lead to them."""

    mailbox: Mailbox
    phone: Phone
    platform: AccountPlatform
    settings: Settings


@dataclass(frozen=True)
class Service:
    """What runs: the API and the pages, and the worker's stages."""

    web: httpx.AsyncClient
    delivery: Delivery
    forwarder: Forwarder


@asynccontextmanager
async def serviced(settings: Settings, redis: ArqRedis, clock: SetClock) -> AsyncIterator[Service]:
    """The service as its roots wire it."""
    parts = Parts(settings, redis, clock)
    async with AsyncExitStack() as stack:
        mail = SmtpTransport(settings.smtp_urls, name=urlsplit(settings.public_url).hostname)
        stack.push_async_callback(mail.close)
        sms = TwilioTransport(settings.twilio_accounts, settings.public_url)
        stack.push_async_callback(sms.close)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=5))
        transport = httpx.ASGITransport(create_app(settings, redis, clock))
        web = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url=URL))
        yield Service(web, worker.delivery(parts, mail, sms), worker.forwarder(parts, http))


@dataclass
class Stage:
    """One owner's flow. `mails` and `texts` are what came last; `answer` is what the API last said of an event; `email`
    is the address that the platform knows, where it is not the first one any more.
    """

    owner: Owner
    words: Words
    diary: Diary
    edges: Edges
    clock: SetClock
    redis: ArqRedis
    service: Service
    mails: Sequence[Letter] = ()
    texts: Sequence[Text] = ()
    answer: dict[str, Any] = field(default_factory=dict)
    email: str = ""
    _seen: tuple[int, int, int] = (0, 0, 0)
    _events: int = 0

    @property
    def now(self) -> datetime:
        return moment(self.clock.now)

    async def step(self, title: str, **span: float) -> None:
        """So much later, what is due by then is sent; a minute on, nobody counts any more what was sent before."""
        later = timedelta(**span)
        self.clock.forward(seconds=later.total_seconds())
        self.diary.step(self.now, title)
        # That window moves with real time, which nobody can set here.
        spaced = await self.redis.keys("*code_spacing*") if later else []
        for key in spaced:
            await self.redis.delete(key)
        await self.arrive()

    async def event(self, notice: str, channels: Sequence[str] = ("email", "sms"), **context: Any) -> None:
        """The platform posts it, and what is due goes out."""
        self._events += 1
        event = {
            "specversion": "1.0",
            "id": f"event-{self._events}",
            "source": "https://platform.example/accounts",
            "type": f"account.{notice}",
            "subject": ACCOUNT,
            "data": {
                "recipient": self.owner.recipient | ({"email": self.email} if self.email else {}),
                "channels": list(channels),
                "context": context,
                "reference": f"ref-{self._events}",
            },
        }
        self.diary.told(f"The platform posts `account.{notice}`{_facts(context)}.")
        self.answer = await self.ask("POST", "/v1/events", 202, json=event)
        await self.arrive()

    async def ask(self, method: str, path: str, status: int, **request: Any) -> Any:
        """What the API answers."""
        answer = await self.service.web.request(method, path, headers={"authorization": f"Bearer {API_KEY}"}, **request)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def arrive(self) -> None:
        """What is due is sent, and read."""
        for lane in Lane:
            await deliver(self.service.delivery, lane)
        mails, texts, _ = self._seen
        new_mails = list(reversed([*self.edges.mailbox.maildrop]))[mails:]
        new_texts = list(reversed(self.edges.phone.messages))[texts:]
        self._seen = mails + len(new_mails), texts + len(new_texts), self._seen[2]
        letters = [Letter(self.words, message_from_bytes(mail.raw, policy=policy.default)) for mail in new_mails]
        # Two at once come in any order.
        self.mails = sorted(letters, key=lambda letter: (letter.recipient, letter.subject))
        self.texts = sorted((Text(self.words, text.to, text.body) for text in new_texts), key=lambda text: text.body)
        for letter in self.mails:
            self._genuine(letter)
            self.diary.mail(letter)
        for text in self.texts:
            text.shows("Northbank: ")
            self.diary.text(text)

    def _genuine(self, letter: Letter) -> None:
        """Each mail says how to know it."""
        letter.says("%(label)s: %(value)s", label=self.words("Your anti-phishing phrase"), value=self.owner.phrase)
        letter.shows("help@northbank.example")
        if letter.links:
            letter.shows(f"{URL}/")
        else:
            assert f"{URL}/" not in letter.text

    @property
    def sms_id(self) -> str:
        """Of the text message of the last event."""
        return next(str(made["id"]) for made in self.answer["notifications"] if made["channel"] == "sms")

    @property
    def mail(self) -> Letter:
        (letter,) = self.mails
        return letter

    @property
    def text(self) -> Text:
        (text,) = self.texts
        return text

    def silence(self) -> None:
        """Nothing has come."""
        assert (self.mails, self.texts) == ([], [])

    async def open(self, path: str) -> Page:
        """Follow a link."""
        self.diary.told(f"{self.owner.first_name} opens the link.")
        page = self._read(path, await self.service.web.get(path))
        self.diary.page(page)
        return page

    async def press(self, page: Page, code: str = "") -> Page:
        """Its button; the platform is told meanwhile, and its owner of what it says."""
        typed = "types the code and presses" if code else "presses"
        self.diary.told(f"{self.owner.first_name} {typed} the button.")
        pressed = asyncio.create_task(self.service.web.post(page.path, data={"code": code} if code else {}))
        while not pressed.done():
            await forward(self.service.forwarder)
            await asyncio.sleep(0.01)
        mails, texts, told = self._seen
        for delivery in self.edges.platform.deliveries[told:]:
            self.diary.platform(delivery)
        self._seen = mails, texts, len(self.edges.platform.deliveries)
        after = self._read(page.path, await pressed)
        self.diary.page(after)
        await self.arrive()
        return after

    def _read(self, path: str, answer: httpx.Response) -> Page:
        wait = answer.headers.get("retry-after")
        page = Page(self.words, path, answer.text, answer.status_code, int(wait) if wait else None)
        page.shows("Northbank", "help@northbank.example")
        return page

    def platform_was_told(self, *types: str) -> None:
        """All that it ever was, in this order, each signed, and about this account."""
        told = self.edges.platform.deliveries
        assert [delivery.type for delivery in told] == list(types)
        assert {delivery.account_id for delivery in told} <= {ACCOUNT}

    async def standing(self, id: str, *whats: str) -> dict[str, Any]:
        """What the API says of a notification: its status, then what has happened to it."""
        shown: dict[str, Any] = await self.ask("GET", f"/v1/notifications/{id}", 200)
        happened = [_happened(entry) for entry in shown["timeline"]]
        self.diary.api("GET /v1/notifications/…", [f"status `{shown['status']}`: {happened[0]}", *happened[1:]])
        assert [entry["what"] for entry in shown["timeline"]] == list(whats), happened
        return shown

    async def not_done(self) -> tuple[str, str]:
        """What the API says was not done last with a link, and why."""
        entries = (await self.ask("GET", f"/v1/audit?account={ACCOUNT}", 200))["entries"]
        last = [entry for entry in entries if entry["what"] == "not_done"][-1]
        self.diary.api("GET /v1/audit", [f"`{last['purpose']}` not done: {last['reason']}"])
        return last["purpose"], last["reason"]

    async def verify(self, code_id: str, code: str, channel: str) -> Any:
        """What the API says of a code that was typed where the platform asks for it."""
        verdict = await self.ask("POST", f"/v1/codes/{code_id}/verify", 200, json={"code": code, "channel": channel})
        self.diary.api(f"POST /v1/codes/…/verify ({channel})", [f"`{json.dumps(verdict)}`"])
        return verdict

    @asynccontextmanager
    async def restarted(self) -> AsyncIterator[None]:
        """Every process has ended, and others go on from what the store has."""
        before = self.service
        async with serviced(self.edges.settings, self.redis, self.clock) as self.service:
            yield
        self.service = before

    async def scheduled(self, notice: str) -> dict[str, str]:
        """When each channel will tell this by itself, by the API."""
        listed = await self.ask("GET", f"/v1/notifications?account={ACCOUNT}&notice={notice}&status=scheduled", 200)
        waiting = {one["channel"]: one["send_at"] for one in listed["notifications"]}
        said = [f"`{notice}` by {channel} scheduled for {at}" for channel, at in sorted(waiting.items())]
        self.diary.api("GET /v1/notifications", [", ".join(said) or f"no `{notice}` is scheduled"])
        return waiting

    def at(self, **span: float) -> str:
        """A time so much later, as the API writes it."""
        return rfc3339(ms(self.now + timedelta(**span)))


_SAID = ("result", "reason", "method", "provider")


def _facts(context: dict[str, Any]) -> str:
    said = [
        f"{name} “{value}”" for name, value in context.items() if name in ("result", "reason", "method", "provider")
    ]
    return f" ({', '.join(said)})" if said else ""


def _happened(entry: dict[str, Any]) -> str:
    facts = [str(entry[name]) for name in ("purpose", "outcome", "reason") if entry.get(name)]
    return f"{entry['what']} ({', '.join(facts)})" if facts else str(entry["what"])
