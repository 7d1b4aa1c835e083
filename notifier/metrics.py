"""The service's metrics: counts and the standing, read from the store, come in; Prometheus' families go out.

They are the whole service's, so every instance that is scraped gives the same ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis.asyncio import Redis

from links.actions import TALLY as LINK_TALLY
from notifier.clock import Clock
from notifier.standing import Lookout, Standing
from notifier.tally import BOUNDS, Counts, counts

# What is counted, how it is called out there, and its labels. Of links: what their audit calls it.
_COUNTERS: Mapping[str, tuple[str, str, Sequence[str]]] = {
    "notifications": (
        "notifier_notifications",
        "Notifications accepted, and what became of them.",
        ("status", "channel", "notice", "locale", "relay"),
    ),
    "attempts_failed": (
        "notifier_attempts_failed",
        "Attempts after which a notification is tried again.",
        ("channel", "reason", "relay"),
    ),
    "reports": (
        "notifier_reports",
        "What was told of notifications after they were taken over.",
        ("status", "channel", "notice", "locale"),
    ),
    "codes": ("notifier_codes", "Verification codes made.", ("outcome",)),
    "code_checks": ("notifier_code_checks", "Codes presented, and what they were found to be.", ("outcome",)),
    "fallbacks": (
        "notifier_locale_fallbacks",
        "Events in a language that is not served, and the locale that they got.",
        ("asked", "served"),
    ),
    "written": (
        "notifier_locale_choices",
        "Messages written in a locale, and why in that: exact, region, alias, default, incomplete.",
        ("locale", "reason"),
    ),
    "shown": (
        "notifier_link_pages_shown",
        "Pages of links shown; a link's same page again within the hour is not counted.",
        ("purpose", "outcome"),
    ),
    "clicks": ("notifier_link_clicks", "Buttons pressed on links' pages.", ("purpose", "outcome")),
    "voided": (
        "notifier_links_voided",
        "Superseded or revoked links, by acts and not by copies.",
        ("purpose", "cause"),
    ),
    "forwarded": ("notifier_actions", "Attempts to forward what was clicked.", ("purpose", "outcome")),
}


@dataclass(frozen=True, slots=True, eq=False)
class Families(Collector):
    """One reading."""

    told: Sequence[Metric]

    def collect(self) -> Iterable[Metric]:
        """As prometheus_client asks for it."""
        return self.told


@dataclass(frozen=True, slots=True)
class Metrics:
    """Reads them, as of now."""

    redis: Redis
    lookout: Lookout
    clock: Clock

    async def read(self) -> Families:
        """Raises RedisError or OSError, as soon as the store is known to be away."""
        tally = await counts(self.redis)
        links = _of_links(await counts(self.redis, LINK_TALLY))
        standing = await self.lookout.look(self.clock())
        return Families([*_counters({**tally, **links}), _latency(tally), *_gauges(standing)])


def _of_links(tally: Counts) -> Counts:
    found: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for (what, purpose, reason), count in tally.items():
        match what:
            case "consumed":
                found["clicks", purpose, "consumed"] += count
            case "not_done":
                found["clicks", purpose, reason] += count
            case "superseded" | "revoked":
                found["voided", purpose, what] += count
            case _:
                found[what, purpose, reason] += count
    return found


def _counters(tally: Counts) -> Iterator[Metric]:
    for family, (name, about, labels) in _COUNTERS.items():
        metric = CounterMetricFamily(name, about, labels=labels)
        for (counted, *values), count in sorted(tally.items()):
            # A record that was damaged may have had a label with a space in it.
            if counted == family and len(values) == len(labels):
                metric.add_metric(["" if value == "-" else value for value in values], count)
        yield metric


def _latency(tally: Counts) -> Metric:
    metric = HistogramMetricFamily(
        "notifier_delivery_seconds", "From when it is due until a relay or Twilio has taken it over.", labels=("lane",)
    )
    for lane in sorted({key[1] for key in tally if key[0] == "latency"}):
        so_far, buckets = 0, []
        for bound in BOUNDS:
            so_far += tally.get(("latency", lane, bound), 0)
            buckets.append((bound, so_far))
        metric.add_metric([lane], buckets, sum_value=tally.get(("latency_ms", lane), 0) / 1000)
    return metric


def _gauges(standing: Standing) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("notifier_queue_waiting", "How many wait in a queue.", labels=("queue",))
    overdue = GaugeMetricFamily(
        "notifier_queue_overdue_seconds", "For how long the first in a queue has been overdue.", labels=("queue",)
    )
    for name, queue in standing.queues.items():
        waiting.add_metric([name], queue.waiting)
        overdue.add_metric([name], queue.overdue / 1000)
    dead = GaugeMetricFamily("notifier_dead_letters", "What was given up and is kept.", labels=("kind",))
    for kind, count in standing.dead.items():
        dead.add_metric([kind], count)
    worker = GaugeMetricFamily("notifier_worker_heard", "1 while a worker is heard of.", value=standing.worker)
    yield from (waiting, overdue, dead, worker)
