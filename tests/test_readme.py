"""The README's examples, run as they stand there: curl by a shell, the client by Python, on the real service."""

import asyncio
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.service import API_KEY, Service, running, until

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
# Where the examples have the service.
URL = "http://127.0.0.1:8000"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STATUS = re.compile(r"\n([0-9]{3})\Z")


@dataclass(frozen=True)
class Example:
    """What is asked, and the answer that is shown below it."""

    asked: str
    answer: Any


def examples() -> list[Example]:
    blocks = _BLOCK.findall(README)
    return [
        Example(text, json.loads(blocks[place + 1][1]) if blocks[place + 1 : place + 2][0][0] == "json" else None)
        for place, (language, text) in enumerate(blocks)
        if language == "sh" and "curl " in text
    ]


def like(shown: Any, answered: Any) -> bool:
    """Whether an answer is what is shown: … stands for anything, in a list for any number of it; a number for any."""
    match shown:
        case "…":
            return answered is not None
        case dict():
            return (
                isinstance(answered, dict)
                and shown.keys() == answered.keys()
                and all(like(value, answered[name]) for name, value in shown.items())
            )
        case list():
            if "…" not in shown:
                return len(shown) == len(answered) and all(map(like, shown, answered))
            before, after = shown[: shown.index("…")], shown[shown.index("…") + 1 :]
            rest = len(answered) - len(after)
            return rest >= len(before) and like(before, answered[: len(before)]) and like(after, answered[rest:])
        case bool():
            return shown is answered
        case int():
            return isinstance(answered, int)
        case _:
            return bool(shown == answered)


async def run(*command: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, (command, out.decode(), err.decode())
    return out.decode()


def code(service: Service, recipient: str) -> str | None:
    for mail in service.mails(recipient):
        body = mail.get_body(("plain",))
        assert body
        found = re.search(r"\b[0-9]{6}\b", str(body.get_content()))
        return found and found[0]
    return None


async def sent(service: Service, notification: str) -> bool:
    return bool((await service.api.get(f"/v1/notifications/{notification}")).json()["status"] == "sent")


async def asked(service: Service, example: Example, **environment: str) -> Any:
    """What the service answers, which must be what the README shows."""
    script = 'curl() { command curl --write-out "\\n%{http_code}" "$@"; }\n' + example.asked.replace(URL, service.url)
    out = await run("bash", "-euc", script, KEY=API_KEY, **environment)
    status = _STATUS.search(out)
    assert status, out
    answer = json.loads(out[: status.start()].replace(service.url, URL))
    assert status[1] in ("200", "202"), json.dumps(answer)
    assert like(example.answer, answer), json.dumps(answer)
    return answer


@pytest.mark.skipif(
    shutil.which("curl") is None and "NOTIFIER_REQUIRE_CURL" not in os.environ, reason="needs curl, which CI has"
)
async def test_every_example_is_answered_as_is_shown(tmp_path: Path) -> None:
    known: dict[str, str] = {}
    paths = set()
    async with running(tmp_path) as service:
        for example in examples():
            paths.add(re.sub(r"[^a-z/].*", "", example.asked.partition(f"{URL}/v1/")[2]))
            if "$NOTIFICATION" in example.asked:
                await until(lambda: sent(service, known["NOTIFICATION"]))
            if "$CODE" in example.asked:
                known["CODE"] = await until(lambda: code(service, "anna@example.com"))
            answer = await asked(service, example, **known)
            if example.answer.keys() >= {"event_id", "notifications"}:
                known["NOTIFICATION"] = answer["notifications"][0]["id"]
            if example.answer.get("code_id"):
                known["CODE_ID"] = answer["code_id"]
        (script,) = (text for language, text in _BLOCK.findall(README) if language == "python")
        out = await run(sys.executable, "-c", script.replace(URL, service.url), KEY=API_KEY)
    assert out.strip() in ("accepted", "sent")
    assert paths == {"accounts/acct", "events", "events/batch", "preview", "notifications/", "codes", "codes/"}


def test_what_is_like_and_what_is_not() -> None:
    assert like({"a": "…", "b": [True, "…"]}, {"a": "any", "b": [True, False, 2]})
    assert like(["…", True], [False, True])
    assert like(["…", True], [True])
    assert not like([True, "…", True], [True])
    assert not like(["…", True], [True, False])
    assert not like({"a": "…"}, {"a": "any", "b": 1})
    assert not like({"a": "…"}, {"a": None})
    assert not like({"a": [1]}, {"a": [1, 2]})
    assert not like({"a": True}, {"a": False})
