"""`notifier demo`: ports and a data folder come in from the environment; the whole product runs until Ctrl-C.

The stand-ins run in this process, the store, the API and the worker in children that end with it, however it ends.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from notifier.client import AsyncNotifier
from notifier.config import SettingsError
from notifier.ports import bind
from notifier.sandbox.mailbox import Mailbox
from notifier.sandbox.phone import Phone
from notifier.sandbox.platform import AccountPlatform
from notifier.sandbox.processes import start_child
from notifier.sandbox.serving import serving
from notifier.sandbox.tour import post_tour
from notifier.sandbox.valkey import EmbeddedValkey

_HOST = "127.0.0.1"
# A busy machine may take a while to import it all.
_READY_S = 60


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the demo, and the setting that moves it."""

    setting: str
    default: int

    @property
    def number(self) -> int:
        """As set, or the default."""
        value = os.environ.get(self.setting, str(self.default))
        if not (value.isdecimal() and 0 < int(value) < 2**16):
            raise SettingsError(f"{self.setting}: must be a port, 1 to 65535")
        return int(value)

    @property
    def url(self) -> str:
        """What to open in a browser."""
        return f"http://{_HOST}:{self.number}"


API = Port("NOTIFIER_DEMO_API_PORT", 8000)
SMTP = Port("NOTIFIER_DEMO_SMTP_PORT", 1025)
MAILBOX = Port("NOTIFIER_DEMO_MAILBOX_PORT", 8025)
PHONE = Port("NOTIFIER_DEMO_PHONE_PORT", 8026)
PLATFORM = Port("NOTIFIER_DEMO_PLATFORM_PORT", 8027)


def run() -> None:
    """Until Ctrl-C or SIGTERM."""
    asyncio.run(_run(Path(os.environ.get("NOTIFIER_DATA_DIR", ".data")), Console()))


async def _run(data: Path, console: Console) -> None:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = _keys(data / "demo-keys.json")
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    mailbox = Mailbox(data / "mailbox")
    phone = Phone(keys["twilio_sid"], keys["twilio_token"], data / "phone")
    platform = AccountPlatform(keys["platform_secret"], data / "platform")
    async with contextlib.AsyncExitStack() as stack:
        # Held until the API's child takes it, so that a taken port is told before anything has started.
        held = stack.enter_context(bind(_HOST, API.number, API.setting))
        await mailbox.start_smtp(_HOST, SMTP.number, SMTP.setting)
        stack.push_async_callback(mailbox.stop)
        for stand_in, port in ((mailbox, MAILBOX), (phone, PHONE), (platform, PLATFORM)):
            await stack.enter_async_context(serving(stand_in.app, _HOST, port.number, port.setting))
        valkey = stack.enter_context(EmbeddedValkey(data))
        environment = os.environ | _settings(keys, valkey.url)
        held.close()
        children = {
            "api": _start(stack, data / "api.log", environment, "serve", "--port", str(API.number)),
            "worker": _start(stack, data / "worker.log", environment, "worker"),
        }
        async with httpx.AsyncClient(base_url=API.url, timeout=10) as client:
            await _ready(client, children, data)
        async with AsyncNotifier(API.url, keys["api_key"]) as notifier:
            count = await post_tour(notifier)
        _tell(console, count, keys["api_key"], data)
        await _until(stopped, children, data)


def _keys(path: Path) -> dict[str, str]:
    """Made once and kept with the data, which they open."""
    if not path.exists():
        made = {
            **{name: secrets.token_urlsafe(32) for name in ("link_key", "code_key", "payload_key", "api_key")},
            "platform_secret": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
            "twilio_sid": "AC" + secrets.token_hex(16),
            "twilio_token": secrets.token_hex(16),
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(made), "utf-8")
    kept: dict[str, str] = json.loads(path.read_text("utf-8"))
    return kept


def _settings(keys: dict[str, str], redis_url: str) -> dict[str, str]:
    return {
        "NOTIFIER_PUBLIC_URL": API.url,
        "NOTIFIER_BRAND": "Northbank",
        "NOTIFIER_FROM": "Northbank <security@northbank.example>",
        "NOTIFIER_SUPPORT_EMAIL": "help@northbank.example",
        "NOTIFIER_REDIS_URL": redis_url,
        "NOTIFIER_PREVIEW": "true",
        "NOTIFIER_SMTP_URLS": f"smtp://{_HOST}:{SMTP.number}",
        "NOTIFIER_TWILIO_ACCOUNT_SID": keys["twilio_sid"],
        "NOTIFIER_TWILIO_AUTH_TOKEN": keys["twilio_token"],
        "NOTIFIER_TWILIO_FROM": "+12025550100",
        "NOTIFIER_TWILIO_BASE_URL": PHONE.url,
        "NOTIFIER_PLATFORM_URL": f"{PLATFORM.url}/webhooks",
        "NOTIFIER_PLATFORM_SECRETS": keys["platform_secret"],
        "NOTIFIER_LINK_KEYS": keys["link_key"],
        "NOTIFIER_CODE_KEYS": keys["code_key"],
        "NOTIFIER_PAYLOAD_KEYS": keys["payload_key"],
        "NOTIFIER_API_KEYS": f"demo:{hashlib.sha256(keys['api_key'].encode()).hexdigest()}",
    }


def _start(
    stack: contextlib.AsyncExitStack, log: Path, environment: dict[str, str], *arguments: str
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "notifier", *arguments]
    with log.open("ab") as output:
        # With this process its store is gone: a worker that ended in order would first wait for it to come back.
        child = start_child(command, output=output, env=environment, orphaned=signal.SIGKILL)
    stack.push_async_callback(_stop, child)
    return child


async def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        await asyncio.to_thread(child.wait, 25)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


async def _ready(client: httpx.AsyncClient, children: dict[str, subprocess.Popen[bytes]], data: Path) -> None:
    try:
        async with asyncio.timeout(_READY_S):
            while True:
                _check(children, data)
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get("/readyz")).is_success:
                        return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise SystemExit(f"the api is not ready after {_READY_S} s; see {data / 'api.log'}") from None


async def _until(stopped: asyncio.Event, children: dict[str, subprocess.Popen[bytes]], data: Path) -> None:
    while not stopped.is_set():
        _check(children, data)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), 1)


def _check(children: dict[str, subprocess.Popen[bytes]], data: Path) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            log = data / f"{name}.log"
            last = log.read_text("utf-8", "replace").splitlines()[-5:]
            raise SystemExit(
                "\n".join([f"the {name} ended with status {child.returncode}; its last lines ({log}):", *last])
            )


def _tell(console: Console, count: int, api_key: str, data: Path) -> None:
    lines: list[tuple[str, Any]] = [
        ("Mailbox", f"{MAILBOX.url}   open a mail, press its red button"),
        ("Phone", f"{PHONE.url}   the same messages as SMS"),
        ("Account platform", f"{PLATFORM.url}   what it was told to do; let it ask for documents, or go offline"),
        ("Every message", f"{API.url}/preview   in every language, as the catalogs stand now"),
        ("API", f"{API.url}/v1/events   key {api_key}"),
        ("Data", f"{data}   kept for the next time; `make clean` removes it"),
    ]
    console.print(f"\n[bold]The tour is posted:[/bold] {count} events in five languages. Look at them:\n")
    for name, value in lines:
        console.print(f"  {name:<17}{value}", highlight=False, soft_wrap=True)
    console.print("\nCtrl-C stops everything.\n")
