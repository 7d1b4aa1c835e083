"""The real service for tests: its API and its worker as processes of their own, its edges the sandbox's stand-ins."""

import asyncio
import base64
import hashlib
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar, overload

import httpx

from notifier.sandbox.mailbox import Mailbox
from notifier.sandbox.phone import Phone
from notifier.sandbox.platform import AccountPlatform
from notifier.sandbox.processes import start_child
from notifier.sandbox.serving import serving
from notifier.sandbox.valkey import EmbeddedValkey
from tests.ports import HOST, reserved

API_KEY = "test-key"
PROGRAM = (sys.executable, "-m", "notifier")
# What is promised within two seconds, on a machine that has ten other things to do; what hangs instead takes longer.
PROMPTLY_S = 5
Found = TypeVar("Found")


def key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def environment(**changed: str) -> dict[str, str]:
    """The environment of a service: every setting that has no default."""
    return {
        "NOTIFIER_PUBLIC_URL": "https://notify.example.com",
        "NOTIFIER_BRAND": "Northbank",
        "NOTIFIER_FROM": "Northbank <security@northbank.example>",
        "NOTIFIER_SUPPORT_EMAIL": "help@northbank.example",
        "NOTIFIER_SMTP_URLS": "smtp://127.0.0.1:1",
        "NOTIFIER_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "NOTIFIER_TWILIO_AUTH_TOKEN": "twilio-token",
        "NOTIFIER_TWILIO_FROM": "+12025550100",
        "NOTIFIER_PLATFORM_URL": "http://127.0.0.1:1/webhooks",
        "NOTIFIER_PLATFORM_SECRETS": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "NOTIFIER_LINK_KEYS": key(),
        "NOTIFIER_CODE_KEYS": key(),
        "NOTIFIER_PAYLOAD_KEYS": key(),
        "NOTIFIER_API_KEYS": f"tests:{hashlib.sha256(API_KEY.encode()).hexdigest()}",
        **changed,
    }


@overload
async def until(found: Callable[[], Awaitable[Found | None]], seconds: float = 60) -> Found: ...
@overload
async def until(found: Callable[[], Found | None], seconds: float = 60) -> Found: ...
async def until(found: Callable[[], Any], seconds: float = 60) -> Any:
    """What `found` gives once it gives something."""
    async with asyncio.timeout(seconds):
        while True:
            value = found()
            result = await value if isinstance(value, Awaitable) else value
            if result:
                return result
            await asyncio.sleep(0.05)


@dataclass
class Service:
    """The running service, and the people and systems around it."""

    environment: dict[str, str]
    logs: Path
    api: httpx.AsyncClient
    browser: httpx.AsyncClient
    mailbox: Mailbox
    phone: Phone
    platform: AccountPlatform
    valkey: EmbeddedValkey
    program: Sequence[str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _started: dict[str, Callable[[], subprocess.Popen[bytes]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.environment["NOTIFIER_PUBLIC_URL"]

    def start(self, name: str, *arguments: str, via: Sequence[str] = (), **changed: str) -> None:
        """A process of the service, its environment `changed`; `via` is what Python runs, where that is another."""

        def started() -> subprocess.Popen[bytes]:
            with (self.logs / f"{name}.log").open("ab") as log:
                command = [*((sys.executable, *via) if via else self.program), *arguments]
                return start_child(command, output=log, env=self.environment | changed)

        self._started[name] = started
        self.again(name)

    def again(self, name: str) -> None:
        """Start a process that has ended, as it was started."""
        self.processes[name] = self._started[name]()

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    async def ready(self) -> None:
        async def answers() -> bool:
            try:
                return (await self.browser.get("/readyz")).is_success
            except httpx.HTTPError:
                for name, process in self.processes.items():
                    assert process.poll() is None, (name, (self.logs / f"{name}.log").read_text())
                return False

        await until(answers, 90)

    def mails(self, recipient: str, notification: str | None = None) -> list[EmailMessage]:
        """Parsed, newest first."""
        mails = [message_from_bytes(mail.raw, policy=policy.default) for mail in self.mailbox.maildrop.to(recipient)]
        return [mail for mail in mails if notification is None or f"<{notification}@" in mail["Message-ID"]]

    def texts(self, number: str) -> list[str]:
        """Newest first."""
        return [message.body for message in self.phone.messages if message.to == number]

    def actions(self, account: str) -> list[dict[str, Any]]:
        """What the platform was told and took, its signature verified; repetitions too. Newest last."""
        return [delivery.body for delivery in self.platform.deliveries if delivery.account_id == account]


@asynccontextmanager
async def running(
    directory: Path, *, workers: int = 1, program: Sequence[str] = PROGRAM, **changed: str
) -> AsyncIterator[Service]:
    """A service of its own, all ports free ones."""
    made = environment(**changed)
    async with AsyncExitStack() as stack:
        valkey = stack.enter_context(EmbeddedValkey(directory / "store"))
        mailbox = Mailbox()
        smtp = await mailbox.start_smtp(HOST, 0)
        stack.push_async_callback(mailbox.stop)
        phone = Phone(made["NOTIFIER_TWILIO_ACCOUNT_SID"], made["NOTIFIER_TWILIO_AUTH_TOKEN"])
        platform = AccountPlatform(made["NOTIFIER_PLATFORM_SECRETS"].split()[-1])
        phone_port = await stack.enter_async_context(serving(phone.app, HOST, 0, ""))
        platform_port = await stack.enter_async_context(serving(platform.app, HOST, 0, ""))
        port = stack.enter_context(reserved())
        url = f"http://{HOST}:{port}"
        made |= {
            "NOTIFIER_PUBLIC_URL": url,
            "NOTIFIER_REDIS_URL": valkey.url,
            "NOTIFIER_SMTP_URLS": f"smtp://{HOST}:{smtp}",
            "NOTIFIER_TWILIO_BASE_URL": f"http://{HOST}:{phone_port}",
            "NOTIFIER_PLATFORM_URL": f"http://{HOST}:{platform_port}/webhooks",
            **changed,
        }
        bearer = {"authorization": f"Bearer {API_KEY}"}
        api = await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=bearer, timeout=30))
        browser = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=30))
        service = Service(made, directory, api, browser, mailbox, phone, platform, valkey, program)
        service.start("api", "serve", "--port", str(port))
        for number in range(1, workers + 1):
            service.start("worker" if number == 1 else f"worker-{number}", "worker")
        try:
            await service.ready()
            yield service
        finally:
            for name in list(service.processes):
                service.kill(name)
