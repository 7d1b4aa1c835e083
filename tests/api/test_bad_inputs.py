"""Bad addresses, numbers, values and JSON, wherever one may post them: a 4xx that repeats nothing; nothing stored."""

import json
import tracemalloc
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from notifier.api.body import DEEPEST, MOST_BYTES, parse
from notifier.api.cloudevents import MOST_BATCH_BYTES
from tests.api.conftest import CANARY, WITHDRAWAL, MakeEvent, refused

JSON = {"content-type": "application/json"}
EMAILS = {
    "a header after CR LF": f"anna@example.com\r\nBcc: {CANARY}@example.com",
    "a header after LF": f"anna@example.com\nBcc: {CANARY}@example.com",
    "two, by a comma": f"anna@example.com,{CANARY}@example.com",
    "two, by a semicolon": f"anna@example.com;{CANARY}@example.com",
    "two, by a space": f"anna@example.com {CANARY}@example.com",
    "a name before it": f"{CANARY} <anna@example.com>",
    "empty": "",
    "an address literal": f"{CANARY}@[127.0.0.1]",
    "an IPv6 literal": f"{CANARY}@[IPv6:::1]",
    "65 characters before the @": CANARY + "a" * (65 - len(CANARY)) + "@example.com",
    "quoted": f'"{CANARY} anna"@example.com',
    "a leading dash": f"-{CANARY}@example.com",
    "a homograph before the @": f"{CANARY}\u0430@example.com",
    "zero-width": f"{CANARY}\u200b@example.com",
    "NUL": f"{CANARY}\0@example.com",
    "no text": [CANARY],
}
PHONES = {
    "nothing but +": "+",
    "16 digits": "+1234567890123456",
    "premium": "+19005550123",
    "satellite": "+881612345678",
    "an international network": "+88213123456",
    "a short code": "+12345",
    "an emergency number": "+112",
    "an extension": "+355691234567;ext=5",
    "another scheme": "whatsapp:+355691234567",
    "tel": "tel:+355691234567",
    "two": "+355691234567,+355691234568",
    "letters": "+1-800-FLOWERS",
    "other digits": "+٣٥٥٦٩١٢٣٤٥٦٧",
    "a number": 355691234567,
}
VALUES: dict[str, tuple[str, Any]] = {
    "scoped IPv6": ("context.ip", f"fe80::1%{CANARY}"),
    "an IP with its port": ("context.ip", "192.0.2.7:80"),
    "an unknown zone": ("recipient.timezone", f"Europe/{CANARY}"),
    "a zone as a path": ("recipient.timezone", "../../etc/localtime"),
    "this machine's zone": ("recipient.timezone", "localtime"),
    "no zone yet": ("recipient.timezone", "Factory"),
    "year 10000": ("context.occurred_at", "10000-01-01T00:00:00Z"),
    "a local hour that may not exist": ("context.occurred_at", "2026-03-29T02:30:00"),
    "amount -0": ("context.amount", "-0"),
    "amount 1E+9999": ("context.amount", "1E+9999"),
    "amount NaN": ("context.amount", "NaN"),
    "an address that is a URL": ("context.address", f"https://{CANARY}.example"),
    "an address that is a page": ("context.address", f"{CANARY}.example/login"),
    "an address that is a host": ("context.address", f"WWW.{CANARY}.example"),
    "an address that is a script": ("context.address", f"javascript:{CANARY}"),
    "an address with a space": ("context.address", f"bc1q {CANARY}"),
    "an amount that is a number": ("context.fee", 0.1),
    "text of 1,025 characters": ("context.device", CANARY * 94),
    "empty text": ("context.device", ""),
    "text that is none": ("context.device", {CANARY: 1}),
    "half of a surrogate pair": ("context.device", "\ud800"),
    "a reference of 1,025 characters": ("reference", "x" * 1_025),
}
# What goes one deeper each time that it is repeated.
DEEP = {"arrays": "[", "objects": '{"a":', "within strings": '["[",'}


@pytest.mark.parametrize(
    ("field", "value"),
    [*(("email", value) for value in EMAILS.values()), *(("phone", value) for value in PHONES.values())],
    ids=[*EMAILS, *PHONES],
)
async def test_an_address_or_number_is_refused_wherever_one_is_taken(
    field: str, value: Any, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis
) -> None:
    recipient = {field: value}
    posted = await web.post("/v1/events", json=event(recipient=recipient))
    assert await refused(posted, redis) == (422, [f"/data/recipient/{field}"])
    asked = await web.post("/v1/codes", json={"account": "acc-1", "purpose": "sign_in", "recipient": recipient})
    assert await refused(asked, redis) == (422, [f"/recipient/{field}"])
    lifted = await web.post("/v1/suppressions/lift", json=recipient)
    assert await refused(lifted, redis) == (422, [f"/{field}"])
    batch = await web.post("/v1/events/batch", json=[event(recipient=recipient)])
    assert [result["status"] for result in batch.json()["results"]] == [422]
    assert CANARY not in batch.text
    assert await redis.dbsize() == 0


@pytest.mark.parametrize("what", VALUES)
async def test_a_value_is_refused(what: str, web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis) -> None:
    place, value = VALUES[what]
    body = event("withdrawal_confirmation", **WITHDRAWAL)
    *steps, name = place.split(".")
    target: dict[str, Any] = body["data"]
    for step in steps:
        target = target[step]
    target[name] = value
    # Written by hand: httpx would refuse half of a surrogate pair itself.
    answer = await web.post("/v1/events", content=json.dumps(body).encode(), headers=JSON)
    assert await refused(answer, redis) == (422, ["/data/" + place.replace(".", "/")])


@pytest.mark.parametrize("what", DEEP)
@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v1/events", MOST_BYTES),
        ("/v1/events/batch", MOST_BATCH_BYTES),
        ("/v1/codes", MOST_BYTES),
        ("/v1/links/revoke", MOST_BYTES),
    ],
)
async def test_what_is_deep_is_refused_before_it_is_parsed(
    what: str, path: str, most: int, web: httpx.AsyncClient, redis: ArqRedis
) -> None:
    body = DEEP[what] * (most // len(DEEP[what]))
    answer = await web.post(path, content=body, headers=JSON)
    assert await refused(answer, redis) == (400, [])
    assert "levels deep" in answer.json()["detail"]
    larger = await web.post(path, content=body.ljust(most + 1), headers=JSON)
    assert await refused(larger, redis) == (413, [])


async def test_sixteen_deep_is_not_too_deep(web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis) -> None:
    for depth, status in ((15, 202), (16, 400)):
        nested: Any = "[{" * 20
        for _ in range(depth):
            nested = [nested]
        answer = await web.post("/v1/events", json=event() | {"extension": nested})
        assert answer.status_code == status


async def test_what_only_seems_deep_is_taken(web: httpx.AsyncClient, event: MakeEvent) -> None:
    assert (await web.post("/v1/events", json=event(device='[{"\\' * 50))).status_code == 202


@pytest.mark.parametrize("piece", ["x", "\n", "ab\n"])
def test_a_long_text_beside_many_brackets_costs_little_memory(piece: str) -> None:
    body = json.dumps([piece * (500_000 // len(piece)), *[[]] * DEEPEST]).encode()
    tracemalloc.start()
    parse(body)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10 * len(body)


async def test_a_mebibyte_of_text_is_refused(web: httpx.AsyncClient, event: MakeEvent, redis: ArqRedis) -> None:
    body = event(device=CANARY * 100_000)
    assert await refused(await web.post("/v1/events", json=body), redis) == (413, [])
    del body["data"]["recipient"]["phone"]
    body["data"]["context"]["device"] = CANARY * 80_000
    batch = await web.post("/v1/events/batch", json=[body, event()])
    assert [result["status"] for result in batch.json()["results"]] == [413, 202]
    assert CANARY not in batch.text
