"""A notification on the channel inbox: it is in its account's inbox once, sealed, and gone with the account."""

import math
import re
from dataclasses import replace

import pytest
from arq.connections import ArqRedis

from notifier import examples, ids
from notifier.api.door import Door
from notifier.api.preview import shown as as_json
from notifier.api.reading import Reading
from notifier.api.schemas import TYPE_PREFIX, Schemas
from notifier.composition import Parts
from notifier.delivery import Delivery
from notifier.inbox import Entry
from notifier.notices import NOTICES, Lane
from notifier.outbox import LEASE
from notifier.rounds import Held
from notifier.transports.base import Item, Permanent, Receipt, Step, at_once
from notifier.transports.inbox import InboxTransport
from tests.conftest import SetClock
from tests.delivery.conftest import Mails, Post, deliver, due, told

ACCOUNT = ids.digest("acct-1")


async def shown(parts: Parts) -> list[Entry]:
    """Newest first."""
    return list((await parts.inbox.page(ACCOUNT, None, 50, parts.clock(), unread=False)).entries)


async def test_an_item_is_shown_in_its_owners_language(
    parts: Parts, delivery: Delivery, mails: Mails, clock: SetClock, post: Post
) -> None:
    id = await post(channel="inbox", email=None)
    since = clock.now
    clock.forward(seconds=2)
    await deliver(delivery, Lane.ALERT)
    (entry,) = await shown(parts)
    item = entry.item
    assert (entry.place, entry.unread) == (clock.now, True)
    assert (item.notification, item.notice, item.locale) == (id, "login_succeeded", "sq")
    assert item.title == "Identifikimi i suksesshëm"
    week = 7 * 24 * 3600 * 1000
    assert [(link.purpose, link.expires) for link in item.links] == [
        ("deactivate", since + week),
        ("reactivate", since + week),
    ]
    for link in item.links:
        assert f'<a href="{link.url}"' in item.html
        assert link.url in item.text
    status, timeline = await told(parts, id)
    assert (status, timeline[-1]) == (
        "sent",
        {"at": clock.now, "what": "sent", "by": "inbox", "reference": str(entry.place)},
    )
    assert not mails.given
    assert not await due(parts)


@pytest.mark.parametrize("notice", sorted(name for name, row in NOTICES.items() if row.code != ""))
async def test_every_notice_has_a_fragment_and_no_code(parts: Parts, notice: str) -> None:
    reading = Reading(Schemas("https://n.example"), Door(parts.served, (), parts.throttle), parts.clock)
    data = examples.data(notice) | {"channels": ["email", "inbox"]}
    data["context"] |= {"device": "<script>alert(1)</script>"} if "device" in data["context"] else {}
    event = {"id": "1", "source": "s", "type": TYPE_PREFIX + notice, "subject": "acct-1", "data": data}
    previewed = as_json(parts.previewer.preview(reading.event(*reading.envelope(event))))
    item = previewed["inbox"]
    assert set(re.findall(r"<(\w+)", item["html"])) <= {"div", "p", "h3", "dl", "dt", "dd", "bdi", "a", "br"}
    assert set(re.findall(r"\s(\w+)=", "".join(re.findall("<[^>]*>", item["html"])))) <= {"lang", "dir", "href", "rel"}
    assert not re.search("<script|style|class", item["html"])
    assert item["title"]
    assert item["text"]
    assert "Northbank" not in item["title"]
    if NOTICES[notice].code is not None:
        assert "123456" not in item["html"] + item["text"]
        own = [link for link in previewed["links"] if link["purpose"] == NOTICES[notice].own]
        assert all("inbox" not in link["channels"] for link in own)


class Dies(InboxTransport):
    """Is killed once it has written."""

    async def send(self, message: Item, turn: Step = at_once) -> Receipt:
        await super().send(message, turn)
        raise KeyboardInterrupt


async def test_what_a_killed_worker_had_written_is_there_once_and_stays_read(
    parts: Parts, delivery: Delivery, clock: SetClock, post: Post
) -> None:
    id = await post(channel="inbox")
    dying = replace(delivery, inbox=Dies(parts.inbox, clock))
    ((claim, notification),) = await parts.outbox.claim(Lane.ALERT, clock(), 1)
    with pytest.raises(KeyboardInterrupt):
        await dying.attempt(Held(claim, math.inf), notification)
    (before,) = await shown(parts)
    await parts.inbox.mark(ACCOUNT, id)
    clock.forward(seconds=LEASE.total_seconds() + 1)
    await deliver(delivery, Lane.ALERT)
    (after,) = await shown(parts)
    assert (after.place, after.item, after.unread) == (before.place, before.item, False)
    status, timeline = await told(parts, id)
    assert status == "sent"
    assert "possible_duplicate" not in timeline[-1]


async def test_places_rise_also_where_clocks_go_back(
    parts: Parts, delivery: Delivery, clock: SetClock, post: Post
) -> None:
    wanted = []
    for _ in range(3):
        wanted.append(await post(channel="inbox"))
        await deliver(delivery, Lane.ALERT)
        clock.forward(seconds=-5)
        clock.forward(ms=4999)
    entries = await shown(parts)
    assert [entry.item.notification for entry in entries] == wanted[::-1]
    assert len({entry.place for entry in entries}) == 3
    older = await parts.inbox.page(ACCOUNT, entries[0].place, 1, clock(), unread=False)
    assert [entry.item.notification for entry in older.entries] == [wanted[1]]
    newer = await parts.inbox.since(ACCOUNT, entries[1].place, 10)
    assert [entry.item.notification for entry in newer.entries] == [wanted[2]]


async def test_nothing_comes_into_an_inbox_that_was_erased(
    parts: Parts, delivery: Delivery, redis: ArqRedis, clock: SetClock, post: Post
) -> None:
    await post(channel="inbox")
    await deliver(delivery, Lane.ALERT)
    (entry,) = await shown(parts)
    await parts.archive.erase(ACCOUNT)
    await parts.inbox.erase(ACCOUNT)
    with pytest.raises(Permanent):
        await InboxTransport(parts.inbox, clock).send(entry.item)
    assert not [key async for key in redis.scan_iter("inbox*")]


async def test_an_item_is_kept_for_ninety_days(
    parts: Parts, delivery: Delivery, redis: ArqRedis, clock: SetClock, post: Post
) -> None:
    id = await post(channel="inbox")
    await deliver(delivery, Lane.ALERT)
    ninety = 90 * 24 * 3600
    for key in (f"inbox-item:{id}", f"inbox:{ACCOUNT}", f"inbox:{ACCOUNT}:unread"):
        assert ninety - 60 < await redis.ttl(key) <= ninety
    clock.forward(days=90)
    assert not await shown(parts)
    assert await parts.inbox.unread(ACCOUNT, clock()) == 0


async def test_what_follows_a_notice_follows_it_into_the_inbox(
    parts: Parts, delivery: Delivery, clock: SetClock, post: Post
) -> None:
    await post("password_changed", channel="inbox")
    await deliver(delivery, Lane.ALERT)
    clock.forward(hours=24, seconds=10)
    await deliver(delivery, Lane.BULK)
    assert [entry.item.notice for entry in await shown(parts)] == ["withdrawals_resumed", "password_changed"]


async def test_nothing_in_the_store_is_in_clear(parts: Parts, delivery: Delivery, redis: ArqRedis, post: Post) -> None:
    await post(channel="inbox")
    await deliver(delivery, Lane.ALERT)
    (entry,) = await shown(parts)
    token = entry.item.links[0].url.rpartition("/")[2]
    held = b""
    async for key in redis.scan_iter():
        held += key + (await redis.dump(key) or b"")
    assert held
    for canary in (token, "203.0.113.24", "acct-1", "Identifikimi"):
        assert canary.encode() not in held
