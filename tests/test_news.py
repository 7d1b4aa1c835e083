"""Who waits for news of an inbox or of an action: woken once something comes, also after the store was away; let go at
the end.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from notifier import ids
from notifier.errors import Overloaded
from notifier.inbox import NEWS, Inbox
from notifier.news import News
from notifier.sandbox.valkey import EmbeddedValkey
from notifier.sealing import Sealer
from notifier.store import connect
from notifier.transports.base import Item

ACCOUNT = ids.digest("acct-1")


async def test_readers_are_woken_by_what_comes_also_after_the_store_was_away(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey:
        redis = connect(valkey.url, patient=False)
        inbox, news = Inbox(redis, Sealer([b"k" * 32]), timedelta(days=1)), News(redis, NEWS)

        async def put(id: str) -> None:
            await redis.hset(f"ntf:{id}", "event", "e")  # type: ignore[misc]
            await inbox.put(Item(id, ACCOUNT, "login_succeeded", "en", "Title", "Text", "<p>Text</p>", ()), 1)

        async with news.listening():
            reader, other = news.join(ACCOUNT), news.join(ids.digest("acct-2"))
            # The first wake-up is that of the subscription.
            for each in (reader, other):
                assert await each.wait(30)
            await put("a" * 26)
            assert await reader.wait(30)
            assert not await other.wait(0)
            valkey.stop()
            valkey.start()
            assert await reader.wait(30)
            await put("b" * 26)
            assert await reader.wait(30)
        assert len((await inbox.since(ACCOUNT, 0, 10)).entries) == 2
        await redis.aclose(close_connection_pool=True)


async def test_a_reader_waits_as_long_as_its_block_runs(redis: ArqRedis) -> None:
    news = News(redis, "answers")
    async with news.listening():
        with news.reading("act") as reader, news.reading("another") as other:
            for each in (reader, other):
                assert await each.wait(30)
            await redis.publish("answers", "act")
            assert await reader.wait(30)
            assert not await other.wait(0)
    news.leave("act", news.join("act"))
    assert not news._readers


async def test_a_process_has_so_many_readers_and_at_the_end_none() -> None:
    news = News(connect("redis://127.0.0.1:1", patient=False), NEWS, most=2)
    first = news.join("a")
    second = news.join("b")
    with pytest.raises(Overloaded):
        news.join("a")
    news.leave("a", first)
    third = news.join("a")
    news.end()
    for reader in (second, third):
        assert await reader.wait(0)
        assert reader.ended
    with pytest.raises(Overloaded):
        news.join("c")
