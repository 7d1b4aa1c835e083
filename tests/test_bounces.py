"""Bounces as mail servers send them: read, believed only with our own signature on them, and told on the timeline."""

import asyncio
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from arq.connections import ArqRedis
from hypothesis import example, given
from hypothesis import strategies as st

from notifier import bounces, ids
from notifier.app import create_app
from notifier.return_path import ReturnPath
from notifier.transports.base import Report
from tests.conftest import SetClock
from tests.people import Owner, post
from tests.service import environment, running, until

KEYS = [secrets.token_bytes(32) for _ in range(2)]
MAILBOX = "bounces@northbank.example"
PATH = ReturnPath(MAILBOX, KEYS)


def dsn(to: str, action: str = "failed", status: str = "5.1.1", *, header: str = "To", more: str = "") -> bytes:
    """A delivery status notification, laid out as Postfix does."""
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\n{header}: {to}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry to have to inform you.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example\r\nArrival-Date: Mon, 9 Mar 2026 14:05:00 +0000\r\n\r\n"
        f"Final-Recipient: rfc822; arta@mail.example\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 5.1.1 no such user{more}\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822-headers\r\n\r\nSubject: [Northbank] x\r\n\r\n--b--\r\n"
    ).encode()


ID = ids.new_id("email")


@pytest.mark.parametrize("header", ["To", "Delivered-To", "X-Original-To", "X-Envelope-To"])
@pytest.mark.parametrize("case", [str, str.upper, str.title])
def test_it_is_known_by_the_address_it_came_to(header: str, case: object) -> None:
    address = case(PATH.of(ID))  # type: ignore[operator]
    (report,) = bounces.read(dsn(f"<{address}>", header=header), PATH)
    assert report == Report(ID, "bounced", "bounce", "dsn_5.1.1", dead_address=True)


def test_the_pipe_may_say_to_whom_it_came() -> None:
    (report,) = bounces.read(dsn("undisclosed-recipients:;"), PATH, PATH.of(ID))
    assert report.notification == ID


@pytest.mark.parametrize(
    ("action", "status", "told", "dead"),
    [
        ("failed", "5.1.1", "bounced", True),
        ("Failed", "5.1.10", "bounced", True),
        ("failed", "5.2.1", "bounced", True),
        ("failed", "5.2.2", "bounced", False),
        ("failed", "5.7.1", "bounced", False),
        ("failed", "5.4.4 (no route)", "bounced", False),
        ("failed", "4.4.7", "bounced", False),
        ("delayed", "4.4.1", "delayed", False),
        ("delivered", "2.0.0", "delivered", False),
        ("failed", "what?", "bounced", False),
    ],
)
def test_what_it_says(action: str, status: str, told: str, dead: bool) -> None:
    (report,) = bounces.read(dsn(PATH.of(ID), action, status), PATH)
    assert (report.status, report.dead_address) == (told, dead)
    assert "arta" not in str(report)


@pytest.mark.parametrize("action", ["relayed", "expanded", "", "nonsense"])
def test_what_is_of_no_account(action: str) -> None:
    assert bounces.read(dsn(PATH.of(ID), action), PATH) == []


def test_a_made_up_bounce_is_not_believed() -> None:
    local, _, domain = PATH.of(ID).partition("@")
    others = [
        f"{MAILBOX.partition('@')[0]}+{ids.new_id('email')}-{local.rpartition('-')[2]}@{domain}",
        f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}",
        f"{local}@elsewhere.example",
        ReturnPath(MAILBOX, [secrets.token_bytes(32)]).of(ID),
        MAILBOX,
    ]
    for address in others:
        assert bounces.read(dsn(address), PATH) == []


def test_an_older_key_still_holds() -> None:
    assert ReturnPath(MAILBOX, KEYS).read(ReturnPath(MAILBOX, KEYS[:1]).of(ID)) == ID


def test_an_address_fits_an_envelope() -> None:
    # With the longest mailbox that the settings allow (RFC 5321 section 4.5.3.1.1).
    longest = ReturnPath(f"{'b' * 20}@northbank.example", KEYS)
    assert len(longest.of(ids.new_id("email")).partition("@")[0]) == 64


@given(st.binary(max_size=2000))
def test_anything_may_come(junk: bytes) -> None:
    assert bounces.read(junk, PATH) == []
    assert bounces.read(dsn(PATH.of(ID)) + junk, PATH)


# Of headers, in the words that a parser makes something of.
PIECES = (
    *("<", ">", "@", ":", ";", ",", '"', "\\", "(", "[", "=?x?b?", "?=", "*", "=", "a", "\xff", " ", "\r\n ", "\r\n"),
    *("\r\n\r\n", "To: ", "Content-Type: ", "multipart/", "boundary", "message/delivery-status", "Action: ", "--"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("Content-Type: ;failed*\r\n")
def test_headers_may_be_as_broken_as_they_like(broken: str) -> None:
    assert bounces.read(broken.encode("latin-1") + b"\r\nX: y\r\n\r\n", PATH) == []
    bounces.read(broken.encode("latin-1"), PATH, PATH.of(ID))


@pytest.mark.parametrize(
    "nested",
    [
        b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
        b"".join(b"Content-Type: multipart/x; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(900)),
    ],
    ids=["recursion", "every line is looked for in 900 parts"],
)
def test_what_is_nested_without_end_is_no_bounce(nested: bytes) -> None:
    began = time.monotonic()
    assert bounces.read(nested + b"\r\n" * 400_000, PATH, PATH.of(ID)) == []
    assert time.monotonic() - began < 10


def test_an_address_may_be_no_text() -> None:
    # As a command's argument that is not UTF-8 comes in.
    assert PATH.read("bounces+\udcff-\udcff@northbank.example") is None
    assert PATH.read(PATH.of(ID).replace("@", "\udcff@")) is None


def test_lines_may_be_folded() -> None:
    folded = dsn(f"somebody@x.example,\r\n\t<{PATH.of(ID)}>", "failed", "5.1.1\r\n\t(no such user)")
    assert bounces.read(folded, PATH) == [Report(ID, "bounced", "bounce", "dsn_5.1.1", dead_address=True)]


def test_a_mail_that_is_no_report_says_nothing() -> None:
    reply = EmailMessage()
    reply["To"], reply["Subject"] = PATH.of(ID), "Automatic reply"
    reply.set_content("I am away.\nAction: failed\nStatus: 5.1.1")
    assert bounces.read(reply.as_bytes(), PATH) == []


async def test_the_hook_and_the_pipe_mark_it_and_the_owner_is_reached_another_way(tmp_path: Path) -> None:
    async with running(tmp_path, NOTIFIER_BOUNCE_ADDRESS=MAILBOX) as service:
        owner = Owner(1)
        event = owner.event("password_reset")
        event["data"]["channels"] = ["email"]
        (made,) = (await post(service, event))["notifications"]
        await until(lambda: service.mails(owner.email, made["id"]))
        return_path = next(iter(service.mailbox.maildrop.to(owner.email))).sender
        assert return_path.startswith("bounces+")

        hook = await service.api.post(
            "/v1/receipts/bounces", json={"return_path": return_path, "action": "failed", "status": "5.1.1"}
        )
        assert hook.json() == {"reports": [{"notification": made["id"], "status": "bounced"}]}
        await until(lambda: service.texts(owner.phone))
        shown = (await service.api.get(f"/v1/notifications/{made['id']}")).json()
        assert shown["status"] == "bounced"
        assert [entry["what"] for entry in shown["timeline"]][-2:] == ["bounced", "fallback"]

        # The next alert finds the address suppressed; another account's mail is not touched, until its pipe says so.
        (spared,) = (await post(service, _mail_only(owner.event("login_succeeded"))))["notifications"]
        await until(lambda: _status(service.api, spared["id"], "suppressed"))
        other = Owner(2)
        (second,) = (await post(service, _mail_only(other.event("login_succeeded"))))["notifications"]
        await until(lambda: service.mails(other.email, second["id"]))
        mail = dsn(next(iter(service.mailbox.maildrop.to(other.email))).sender)
        piped = await asyncio.to_thread(_pipe, mail, service.environment)
        assert piped.stdout.decode().split() == [second["id"], "bounced"]
        assert await _status(service.api, second["id"], "bounced")

        service.valkey.kill()
        refused = await asyncio.to_thread(_pipe, mail, service.environment)
        assert refused.returncode == 75
        service.valkey.start()


def _pipe(mail: bytes, environment: dict[str, str]) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "notifier", "bounce"]
    return subprocess.run(command, input=mail, env=environment, capture_output=True, check=False)


def _mail_only(event: dict[str, object]) -> dict[str, object]:
    event["data"]["channels"] = ["email"]  # type: ignore[index]
    return event


async def _status(api: httpx.AsyncClient, id: str, status: str) -> bool:
    return bool((await api.get(f"/v1/notifications/{id}")).json()["status"] == status)


@pytest.fixture
async def bouncing(
    monkeypatch: pytest.MonkeyPatch, redis: ArqRedis, clock: SetClock
) -> AsyncIterator[httpx.AsyncClient]:
    for name, value in environment(NOTIFIER_BOUNCE_ADDRESS=MAILBOX).items():
        monkeypatch.setenv(name, value)
    from notifier.config import load

    transport = httpx.ASGITransport(create_app(load(), redis, clock))
    headers = {"authorization": "Bearer test-key"}
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as api:
        yield api


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"/return_path", "/action", "/status"}),
        ({"return_path": MAILBOX, "action": "failed", "status": "5.1.1"}, {"/return_path"}),
        ({"return_path": PATH.of(ID), "action": "failed", "status": "5.1.1"}, {"/return_path"}),  # of other keys
        ({"return_path": "x" * 400, "action": "failed", "status": "5.1.1"}, {"/return_path"}),
        ({"return_path": MAILBOX, "action": "relayed", "status": "5.1.1"}, {"/action"}),
        ({"return_path": MAILBOX, "action": "failed", "status": "bad"}, {"/status"}),
    ],
)
async def test_the_hook_refuses_what_it_cannot_believe(
    bouncing: httpx.AsyncClient, body: dict[str, str], fields: set[str]
) -> None:
    answer = await bouncing.post("/v1/receipts/bounces", json=body)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == fields
    assert "bounces@" not in answer.text


async def test_the_hook_names_both_kinds_of_body_that_it_takes(bouncing: httpx.AsyncClient) -> None:
    answer = await bouncing.post("/v1/receipts/bounces", content=b"junk", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert answer.json()["detail"] == "Content-Type must be application/json or message/rfc822"


async def test_a_mail_that_is_hard_to_read_holds_up_nobody(bouncing: httpx.AsyncClient) -> None:
    nested = b"".join(b"Content-Type: multipart/x; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(32))
    content, headers = nested + b"\n" * 400_000, {"content-type": "message/rfc822"}
    reading = asyncio.create_task(bouncing.post("/v1/receipts/bounces", content=content, headers=headers))
    ticks = 0
    while not reading.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert (await reading).json() == {"reports": []}
    assert ticks > 10


async def test_the_hook_takes_mails_as_they_are_up_to_a_size(bouncing: httpx.AsyncClient) -> None:
    empty = await bouncing.post("/v1/receipts/bounces", content=b"junk", headers={"content-type": "message/rfc822"})
    assert (empty.status_code, empty.json()) == (200, {"reports": []})
    huge = b"x" * (1024 * 1024 + 1)
    too_large = await bouncing.post("/v1/receipts/bounces", content=huge, headers={"content-type": "message/rfc822"})
    assert too_large.status_code == 413


async def test_the_hook_knows_a_request_by_its_key(bouncing: httpx.AsyncClient) -> None:
    # As large as a bounce may be, and larger than other bodies.
    mail, other = b"junk" * 200_000, b"other"
    headers = {"content-type": "message/rfc822", "idempotency-key": "bounce-1"}
    first, again = [await bouncing.post("/v1/receipts/bounces", content=mail, headers=headers) for _ in range(2)]
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    changed = await bouncing.post("/v1/receipts/bounces", content=other, headers=headers)
    assert (changed.status_code, changed.json()["type"].rpartition("/")[2]) == (422, "idempotency-key-reused")
