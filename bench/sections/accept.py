"""Accepting alone: events a second, one by one and in batches of 100, beside the floor that they stand on."""

import json
from collections import defaultdict
from contextlib import ExitStack

from bench import load, notices, stacks
from bench.table import Row, ratio

NAME = "3. Accepting, events a second"
EVENTS, BATCH = 4_000, 100


def run(rounds: int) -> list[Row]:
    """One API process each, no worker."""
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name in ("ours", "floor"):
            with ExitStack() as stack:
                opened = stacks.ours(1, workers=0) if name == "ours" else stacks.alone("floor", "bench.peers.floor")
                service = stack.enter_context(opened)
                load.run(service.job(notices.bodies(200))).must_be(202)
                found[name].append(load.run(service.job(notices.bodies(EVENTS), 32)).must_be(202).per_second)
                events = list(notices.mixed(EVENTS))
                batches = [json.dumps(events[i : i + BATCH]).encode() for i in range(0, EVENTS, BATCH)]
                job = load.Job(service.port, load.posts("/v1/events/batch", batches), 4, None, service.headers)
                found[f"{name} batch"].append(BATCH * load.run(job).must_be(200).per_second)
    return [
        Row(NAME, "notifier, `POST /v1/events`", "/s", found["ours"]),
        Row(NAME, "floor: FastAPI, validate, one `SET`", "/s", found["floor"]),
        ratio(NAME, "notifier / floor", found["ours"], found["floor"], 0.6),
        Row(NAME, f"notifier, in batches of {BATCH}", "/s", found["ours batch"]),
        Row(NAME, f"floor, in batches of {BATCH}", "/s", found["floor batch"]),
        ratio(NAME, "notifier / floor, in batches", found["ours batch"], found["floor batch"], 0.6),
    ]
