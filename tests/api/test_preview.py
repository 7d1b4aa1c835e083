"""`POST /v1/preview`: what an event's messages would say, as they then say it; and nothing happens."""

import json
import re
from email import message_from_bytes, policy
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from notifier import examples
from notifier.clock import rfc3339
from notifier.composition import Parts
from notifier.config import Settings
from notifier.notices import NOTICES
from notifier.records import Accepted
from notifier.transports.base import Item, Mail, Sms
from tests.api.conftest import CANARY, MakeEvent, refused
from tests.conftest import SetClock

PREVIEW = "/v1/preview"
HOUR = 3_600_000


async def previewed(web: httpx.AsyncClient, event: dict[str, Any]) -> dict[str, Any]:
    answer = await web.post(PREVIEW, json=event)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def common(text: str, digits: str | None = None) -> str:
    """Without what differs between one message and the next: its links' tokens and its code."""
    text = re.sub(r"/l/[\w.~-]+", "/l/", " ".join(text.split()))
    return text.replace(digits, "123456") if digits else text


@pytest.mark.parametrize("notice", NOTICES)
async def test_it_says_what_the_messages_then_say(
    notice: str, web: httpx.AsyncClient, settings: Settings, redis: ArqRedis, clock: SetClock
) -> None:
    event = examples.event(notice)
    shown = await previewed(web, event)
    assert await redis.dbsize() == 0
    parts = Parts(settings, redis, clock)
    code = (await web.post("/v1/events", json=event)).json()["code_id"]
    sent: dict[str, Mail | Sms | Item] = {}
    for _, notification in await parts.outbox.claim(NOTICES[notice].lane, clock(), 10):
        sealed = await parts.outbox.payload(notification.event)
        assert sealed
        accepted = Accepted.open(parts.sealer, notification.event, sealed)
        if notification.id in accepted.mailed_to:
            continue  # shown is the mail to the recipient
        sent[notification.channel] = (await parts.composer.compose(notification, accepted)).message
        assert shown["deadline"] == rfc3339(notification.deadline)
    assert (shown["notice"], shown["lane"]) == (notice, NOTICES[notice].lane)
    mail, sms = sent["email"], sent["sms"]
    assert isinstance(mail, Mail)
    assert isinstance(sms, Sms)
    digits = {channel: code and await parts.codes.digits(code, channel) for channel in ("email", "sms")}
    message = message_from_bytes(mail.content, policy=policy.default)
    assert shown["email"]["subject"] == message["Subject"]
    for part, kind in (("text", "plain"), ("html", "html")):
        body = message.get_body((kind,))
        assert body
        assert common(shown["email"][part]) == common(body.get_content(), digits["email"])
    assert common(shown["sms"]["text"]) == common(sms.text, digits["sms"])
    # As long as those that are sent, or its segments would tell nothing.
    assert len(shown["sms"]["text"]) == len(sms.text)


async def test_the_sms_is_counted_and_the_preheader_is_what_an_inbox_shows(
    web: httpx.AsyncClient, event: MakeEvent
) -> None:
    shown = await previewed(web, event(recipient={"locale": "sq"}))
    text, counted = shown["sms"]["text"], shown["sms"]["segments"]
    assert counted == {"alphabet": "GSM-7", "length": len(text), "count": 1 if len(text) <= 160 else 2}
    preheader = shown["email"]["preheader"]
    assert len(preheader) > 20
    assert preheader in " ".join(shown["email"]["text"].split())


async def test_what_it_shows_opens_nothing(web: httpx.AsyncClient, redis: ArqRedis) -> None:
    for notice in ("withdrawal_confirmation", "account_reactivated"):
        shown = await previewed(web, examples.event(notice))
        urls = set(re.findall(r"/l/[\w.~-]+", shown["email"]["html"] + shown["email"]["text"] + shown["sms"]["text"]))
        assert urls
        known = {(await web.get(url)).status_code for url in (*urls, "/l/" + "a" * 25)}
        assert known == {404}
        assert {(await web.post(url)).status_code for url in urls} == {404}
    assert await redis.keys("event:*") == await redis.keys("ntf:*") == await redis.keys("code:*") == []


async def test_it_tells_how_long_everything_lives(web: httpx.AsyncClient, clock: SetClock) -> None:
    event = examples.event("withdrawal_confirmation")
    at = clock.now + HOUR
    event["data"]["send_at"] = rfc3339(at)
    shown = await previewed(web, event)
    assert (shown["send_at"], shown["deadline"]) == (rfc3339(at), rfc3339(at + HOUR // 2))
    assert shown["code"] == {"length": 6, "life_seconds": 1800, "expires_at": rfc3339(at + HOUR // 2)}
    week, both = 7 * 86_400, ["email", "sms"]
    assert [tuple(link.values()) for link in shown["links"]] == [
        ("confirm_withdrawal", ["email"], 1800, "when_sent", 0, rfc3339(at + HOUR // 2), True),
        ("deactivate", both, week, "when_sent", 0, rfc3339(at + week * 1000), False),
        ("reactivate", both, week, "after_deactivation", 7200, rfc3339(at + week * 1000), False),
    ]


async def test_by_which_channels_and_without_a_code(web: httpx.AsyncClient) -> None:
    event = examples.event("account_deactivated")
    event["data"]["channels"] = ["email"]
    shown = await previewed(web, event)
    assert shown["sms"] is None
    assert shown["code"] is None
    assert [(link["purpose"], link["channels"]) for link in shown["links"]] == [("reactivate", ["email"])]


@pytest.mark.parametrize(
    ("asked", "chosen", "reason"),
    [
        (None, "en", "default"),
        ("sq", "sq", "exact"),
        ("SQ-xk", "sq", "region"),
        ("no", "nb", "alias"),
        ("tlh", "en", "default"),
    ],
)
async def test_which_locale_and_why(
    web: httpx.AsyncClient, event: MakeEvent, asked: str | None, chosen: str, reason: str
) -> None:
    shown = await previewed(web, event(recipient={"locale": asked}))
    for channel in ("email", "sms"):
        assert shown[channel]["locale"] == {"asked": asked, "chosen": chosen, "reason": reason}
    assert f'lang="{chosen}"' in shown["email"]["html"]


async def test_every_mode_of_an_event_is_taken(web: httpx.AsyncClient, event: MakeEvent) -> None:
    plain = event()
    expected = await previewed(web, plain)
    headers = {"content-type": "application/cloudevents+json"}
    assert (await web.post(PREVIEW, content=json.dumps(plain), headers=headers)).json() == expected
    attributes = {f"ce-{name}": value for name, value in plain.items() if name != "data"}
    binary = await web.post(PREVIEW, json=plain["data"], headers=attributes)
    assert binary.json() == expected


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"type": f"account.{CANARY}"}, "/type"),
        ({"dataschema": f"https://{CANARY}.example"}, "/dataschema"),
        ({"subject": ""}, "/subject"),
        ({"data": {"recipient": {"email": CANARY}, "context": {}}}, "/data/recipient/email"),
        ({"data": {"recipient": {"email": "a@example.com"}, "context": {}}}, "/data/context/occurred_at"),
        ({"data": {**examples.data("login_succeeded"), "send_at": "2999-01-01T00:00:00Z"}}, "/data/send_at"),
        ({"data": {**examples.data("login_succeeded"), "channels": ["fax"]}}, "/data/channels/0"),
    ],
)
async def test_it_is_refused_as_the_event_would_be(
    web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis, changed: dict[str, Any], pointer: str
) -> None:
    answers = [await web.post(path, json=event() | changed) for path in (PREVIEW, "/v1/events")]
    found = [await refused(answer, redis) for answer in answers]
    assert found[0] == found[1]
    status, pointers = found[0]
    assert (status, pointers[0]) == (422, pointer)


@pytest.mark.parametrize("locale", ["\ud800", "\x00", "../../etc", "sq" * 32])
async def test_a_strange_tag_is_refused_or_carried_harmlessly(
    web: httpx.AsyncClient, event: MakeEvent, locale: str
) -> None:
    body = json.dumps(event(recipient={"locale": locale}))
    answer = await web.post(PREVIEW, content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (200, 422)


async def test_it_counts_against_no_limit(web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis) -> None:
    for _ in range(3):
        await previewed(web, event())
    assert await redis.dbsize() == 0
