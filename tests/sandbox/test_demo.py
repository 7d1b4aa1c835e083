"""`notifier demo` as a person runs it: a process of its own, its ports moved by settings, its data in a folder."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from notifier.examples import EXAMPLES
from notifier.ports import bind
from notifier.sandbox.processes import start_child
from tests.ports import HOST, reserved
from tests.service import until

COMMAND = [sys.executable, "-m", "notifier", "demo"]
NAMES = ("API", "SMTP", "MAILBOX", "PHONE", "PLATFORM")
LANGUAGES = ("en", "sq", "nb", "ru", "sv")
# Every notice in every language, and what the service tells by itself once an appeal is accepted; a changed address is
# told to both by mail.
EACH = len(EXAMPLES) + 1
TEXTS = len(LANGUAGES) * EACH
MAILS = TEXTS + len(LANGUAGES)
READY_S = 60  # about 4 on a quiet machine
END_S = 30

linux = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are looked for in /proc")


class Demo:
    """One data folder, five free ports, and the demo that is run on them, again and again."""

    def __init__(self, data: Path, ports: dict[str, int]) -> None:
        self.data = data
        self.ports = ports
        self.output = data.with_suffix(".output")
        moved = {f"NOTIFIER_DEMO_{name}_PORT": str(port) for name, port in ports.items()}
        self.environment = os.environ | moved | {"NOTIFIER_DATA_DIR": str(data)}

    def url(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"

    @asynccontextmanager
    async def run(self) -> AsyncIterator[subprocess.Popen[bytes]]:
        """Runs from its last line, which tells how to end it."""
        with self.output.open("wb") as output:
            process = start_child(COMMAND, output=output, env=self.environment)
        try:
            await until(lambda: "Ctrl-C stops everything." in self.told() or process.poll() is not None, READY_S)
            assert process.poll() is None, self.told()
            yield process
        finally:
            process.kill()
            process.wait()

    def told(self) -> str:
        return self.output.read_text("utf-8")

    async def end(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        process.send_signal(number)
        assert await asyncio.to_thread(process.wait, END_S) == 0, self.told()

    def left(self) -> list[str]:
        """Every process that was started on this data folder and still runs."""
        return [command for _, command in processes(str(self.data))]


def processes(mark: str) -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        try:
            command, environment = ((folder / name).read_bytes() for name in ("cmdline", "environ"))
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
        if mark.encode() in command + environment:
            yield int(folder.name), command.replace(b"\0", b" ").decode(errors="replace").strip()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with ExitStack() as stack:
        yield Demo(tmp_path / "data", {name: stack.enter_context(reserved()) for name in NAMES})


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


async def messages(http: httpx.AsyncClient, url: str, count: int) -> list[dict[str, Any]]:
    """The stand-in's messages once it has as many."""

    async def kept() -> list[dict[str, Any]] | None:
        answer: list[dict[str, Any]] = (await http.get(f"{url}/api/messages")).json()
        return answer if len(answer) >= count else None

    found: list[dict[str, Any]] = await until(lambda: kept(), READY_S)
    assert len(found) == count
    return found


def red_button(mail: dict[str, Any]) -> str:
    found = re.search(r"^http\S+/l/d\S+$", mail["text"], re.MULTILINE)
    assert found
    return found.group()


def alert(mails: list[dict[str, Any]]) -> dict[str, Any]:
    return next(mail for mail in mails if mail["subject"] == "[Northbank] Successful sign-in")


async def test_it_tells_where_to_look_and_everything_is_there(demo: Demo, http: httpx.AsyncClient) -> None:
    async with demo.run() as process:
        told = demo.told()
        for name in ("API", "MAILBOX", "PHONE", "PLATFORM"):
            assert demo.url(name) in told
        assert str(demo.data) in told
        key = re.search(r"key (\S+)", told)
        assert key

        mails = await messages(http, demo.url("MAILBOX"), MAILS)
        languages = Counter(re.findall(r'<html lang="(\w+)"', "".join(mail["html"] for mail in mails)))
        assert languages == dict.fromkeys(LANGUAGES, MAILS // len(LANGUAGES))
        texts = await messages(http, demo.url("PHONE"), TEXTS)
        assert Counter(text["to"] for text in texts).most_common()[-1][1] == EACH
        for name, words in (("MAILBOX", "Successful sign-in"), ("PHONE", "Northbank:"), ("PLATFORM", "No account")):
            page = await http.get(demo.url(name))
            assert page.status_code == 200
            assert words in page.text

        # The API takes the key that was told, and no other.
        asked = f"{demo.url('API')}/v1/notifications/none"
        assert (await http.get(asked)).status_code == 401
        assert (await http.get(asked, headers={"authorization": f"Bearer {key.group(1)}"})).status_code == 404

        # The way it advertises: a mail, its red button, the account platform.
        mail = next(mail for mail in mails if "arta@mail.example" in mail["to"] and "/l/d" in mail["text"])
        assert (await http.post(red_button(mail))).status_code in (200, 202)

        async def state() -> str | None:
            # Arta has an account for each flow of the tour; any of her buttons will do.
            return (
                "deactivated"
                if '"deactivated"' in (await http.get(f"{demo.url('PLATFORM')}/api/accounts")).text
                else None
            )

        changed: str = await until(lambda: state())
        assert changed == "deactivated"
        await demo.end(process, signal.SIGINT)


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ended_it_leaves_no_process(demo: Demo, number: signal.Signals) -> None:
    async with demo.run() as process:
        assert len(demo.left()) == 4, "the demo, its store, its API and its worker"
        await demo.end(process, number)
        assert demo.left() == []


@linux
async def test_killed_it_leaves_no_process(demo: Demo) -> None:
    async with demo.run() as process:
        assert len(demo.left()) == 4
        process.kill()
        process.wait()
        await until(lambda: not demo.left(), 10)


async def test_the_next_run_has_what_the_last_one_kept(demo: Demo, http: httpx.AsyncClient) -> None:
    async with demo.run() as process:
        first = await messages(http, demo.url("MAILBOX"), MAILS)
        texts = await messages(http, demo.url("PHONE"), TEXTS)
        mail = alert(first)
        await demo.end(process, signal.SIGTERM)
    async with demo.run() as process:
        second = await messages(http, demo.url("MAILBOX"), 2 * MAILS)
        assert {mail["id"] for mail in first} < {mail["id"] for mail in second}
        again = await messages(http, demo.url("PHONE"), 2 * TEXTS)
        assert {text["sid"] for text in texts} < {text["sid"] for text in again}
        page = await http.get(red_button(mail))
        assert page.status_code == 200
        assert "Deactivate your account?" in page.text
        await demo.end(process, signal.SIGTERM)


@pytest.mark.parametrize("name", NAMES)
def test_a_taken_port_is_one_clear_line(demo: Demo, name: str) -> None:
    with bind(HOST, demo.ports[name], ""):
        ended = subprocess.run(COMMAND, env=demo.environment, capture_output=True, timeout=60, text=True, check=False)
    assert ended.returncode != 0
    assert ended.stdout == ""
    setting = f"NOTIFIER_DEMO_{name}_PORT"
    assert ended.stderr == (f"port {demo.ports[name]} is in use: stop what uses it, or set {setting} to another\n")
    assert list(processes(str(demo.data))) == []


def test_two_of_its_own_on_one_port_is_told_too(demo: Demo) -> None:
    environment = demo.environment | {"NOTIFIER_DEMO_PHONE_PORT": str(demo.ports["API"])}
    ended = subprocess.run(COMMAND, env=environment, capture_output=True, timeout=60, text=True, check=False)
    assert ended.returncode != 0
    assert f"port {demo.ports['API']} is in use" in ended.stderr
    assert "NOTIFIER_DEMO_PHONE_PORT" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("value", ["eighty", "0", "65536", "-1", ""])
def test_what_is_no_port_is_one_clear_line(demo: Demo, value: str) -> None:
    environment = demo.environment | {"NOTIFIER_DEMO_MAILBOX_PORT": value}
    ended = subprocess.run(COMMAND, env=environment, capture_output=True, timeout=60, text=True, check=False)
    assert ended.returncode != 0
    assert ended.stderr == "NOTIFIER_DEMO_MAILBOX_PORT: must be a port, 1 to 65535\n"
