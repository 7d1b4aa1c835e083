"""`GET /metrics` on the real store: the sum of all ends is what was accepted, whatever was done with a notification."""

from collections import Counter

import httpx
from arq.connections import ArqRedis
from prometheus_client.parser import text_string_to_metric_families

from notifier.composition import Parts
from notifier.config import Settings
from notifier.notices import Lane
from tests.api.conftest import MakeEvent
from tests.conftest import SetClock

ENDS = ("sent", "expired", "suppressed", "failed", "failed")


async def statuses(web: httpx.AsyncClient) -> Counter[str]:
    answer = await web.get("/metrics")
    assert answer.status_code == 200
    told: Counter[str] = Counter()
    for family in text_string_to_metric_families(answer.text):
        if family.name == "notifier_notifications":
            for sample in family.samples:
                told[sample.labels["status"]] += int(sample.value)
    return told


async def test_what_was_accepted_is_the_sum_of_all_ends(
    web: httpx.AsyncClient, redis: ArqRedis, settings: Settings, clock: SetClock, event: MakeEvent
) -> None:
    parts = Parts(settings, redis, clock)
    ids = []
    for number in range(8):
        posted = event(id=f"e-{number}")
        posted["subject"], posted["data"]["channels"] = f"acc-{number}", ["email"]
        ids.append((await web.post("/v1/events", json=posted)).json()["notifications"][0]["id"])
        clock.forward(ms=1)  # so that they are claimed in this order
    for end in ENDS:
        ((taken, notification),) = await parts.outbox.claim(Lane.ALERT, clock(), 1)
        clock.forward(ms=200)
        assert await parts.outbox.settle(taken, notification.lane, end, clock(), by="relay.example")
    dead = (await web.get("/v1/dead-letters")).json()["dead_letters"]
    assert (await web.post(f"/v1/dead-letters/{dead[0]['id']}/replay")).status_code == 200
    assert (await web.post(f"/v1/notifications/{ids[5]}/cancel")).status_code == 200
    assert (await web.delete("/v1/accounts/acc-6")).json()["notifications"] == 1

    told = await statuses(web)
    ended = {"sent": 1, "expired": 1, "suppressed": 1, "failed": 2, "cancelled": 1, "erased": 1}
    assert told == Counter({"accepted": 8, "replayed": 1, **ended})
    queues = (await web.get("/v1/queues")).json()
    waiting = sum(queue["count"] for queue in queues["waiting"].values())
    assert told["accepted"] + told["replayed"] == sum(ended.values()) + waiting
    # The same, but that a replayed one has not failed.
    assert queues["counts"] == {"accepted": 8, **ended, "failed": 1}


async def test_a_damaged_record_breaks_no_metric(
    web: httpx.AsyncClient, redis: ArqRedis, settings: Settings, clock: SetClock, event: MakeEvent
) -> None:
    made = (await web.post("/v1/events", json=event())).json()["notifications"]
    await redis.hset(f"ntf:{made[0]['id']}", "notice", "two words")  # type: ignore[misc]
    await redis.hset(f"ntf:{made[1]['id']}", "lane", "\xff")  # type: ignore[misc]
    outbox = Parts(settings, redis, clock).outbox
    for taken, notification in await outbox.claim(Lane.ALERT, clock(), 9):
        await outbox.settle(taken, notification.lane, "sent", clock())
    assert await statuses(web) == Counter({"accepted": 2, "failed": 1})
