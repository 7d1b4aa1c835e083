"""Calls on a network and a service that fail: the same call is tried again, for as long as is allowed."""

import httpx
import pytest

from notifier.client import Failure, Patience, Refused, TooMany, Unavailable, Unreached, Unreadable
from notifier.client.answers import Taken
from notifier.client.calls import Call
from notifier.client.patience import Tries, Wait
from tests.api.conftest import Served
from tests.client.conftest import OWNER, Client, ask, event, network, opened


def answer(status: int, name: str = "any", **more: float) -> bytes:
    document = httpx.Response(
        status,
        headers={"connection": "close", **({"retry-after": str(more["retry_after"])} if more else {})},
        json={"type": f"https://x.example/problems/{name}", "title": "t", "status": status, "detail": "d"} | more,
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in document.headers.items())
    return f"HTTP/1.1 {status} Any\r\n{head}\r\n".encode() + document.content


PAGE = b"HTTP/1.1 %d Any\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>"


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(["refused", "refused"], id="refused"),
        pytest.param(["hung"], id="hung"),
        pytest.param([answer(503), answer(429), answer(408)], id="not now"),
        pytest.param([PAGE % 502, PAGE % 504], id="a proxy's page"),
        pytest.param([answer(409, "in-progress")], id="in progress"),
    ],
)
async def test_what_passes_is_tried_again(
    kind: type[Client], served: Served, faults: list[bytes | str], request: pytest.FixtureRequest
) -> None:
    async with network(served.port) as (between, url), opened(kind, url, each=0.5) as client:
        between.faults = list(faults)
        taken = await ask(client, "send", event(request.node.name))
        assert len(taken.notifications) == 2
        assert not between.faults
        # The same bytes each time.
        assert len(set(between.requests)) == 1


async def test_an_answer_that_got_lost_is_given_again(kind: type[Client], served: Served) -> None:
    async with network(served.port) as (between, url), opened(kind, url) as client:
        between.faults = ["lost"]
        taken = await ask(client, "send", event(f"lost-{kind.__name__}"))
        assert Taken.model_validate_json(between.lost[0].partition(b"\r\n\r\n")[2]) == taken


async def test_a_code_whose_answer_got_lost_is_sent_once(kind: type[Client], served: Served) -> None:
    owner = OWNER.model_copy(update={"email": f"lost-{kind.__name__.lower()}@example.com"})
    async with network(served.port) as (between, url), opened(kind, url) as client:
        between.faults = ["lost", "lost"]
        sent = await ask(client, "issue_code", "acc-1", "sign_in", owner, ["email"])
        assert [sent.code_id.encode() in lost for lost in between.lost] == [True, True]
        assert b"idempotency-key: " in between.requests[0].lower()


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (answer(400), Refused),
        (answer(500), Unavailable),
        (answer(409, "conflict"), Refused),
        (answer(429, retry_after=3600), TooMany),
        (answer(503, retry_after=3600), Unavailable),
        (PAGE % 404, Unreadable),
        (PAGE % 302, Unreadable),
        (PAGE % 200, Failure),
    ],
)
async def test_what_does_not_pass_is_not_tried_again(kind: type[Client], fault: bytes, failure: type[Failure]) -> None:
    async with network(0) as (between, url), opened(kind, url) as client:
        between.faults = [fault]
        with pytest.raises(failure):
            await ask(client, "send", event("once"))
        assert len(between.requests) == 1


async def test_who_is_never_reached_is_given_up(kind: type[Client]) -> None:
    async with network(0) as (between, url), opened(kind, url, total=0.2) as client:
        between.faults = ["refused"] * 100
        with pytest.raises(Unreached) as failed:
            await ask(client, "send", event("never"))
        assert 1 < 100 - len(between.faults) < 100
        assert "test-key" not in str(failed.value)


@pytest.mark.parametrize("url", ["notifier.example", "ftp://notifier.example"])
async def test_what_is_no_url_is_told_at_once(kind: type[Client], url: str) -> None:
    async with opened(kind, url) as client:
        with pytest.raises(Unreached, match="URL"):
            await ask(client, "notification", "a")


def test_waits_grow_to_a_bound_and_differ_by_chance() -> None:
    patience = Patience(first=0.25, longest=8)
    assert [patience.wait(tries, 0, chance=0) for tries in (1, 2, 3, 6, 7, 1000)] == [0.125, 0.25, 0.5, 4, 4, 4]
    assert patience.wait(1, 0, chance=0.5) == 0.1875
    assert patience.wait(1, 2, chance=0) == 2.125


def test_the_last_try_begins_within_the_time_given() -> None:
    seconds = iter([0, 1, 9.8, 9.9])
    tries = Tries(Patience(total=10, first=0.2), now=lambda: next(seconds), chance=lambda: 0)
    call = Call("GET", "/", Taken.model_validate)
    assert tries.failed(httpx.ReadTimeout("")) == Wait(0.1)
    assert tries.answered(call, httpx.Response(503)) == Wait(0.2)
    with pytest.raises(Unreached):
        tries.failed(httpx.ConnectError(""))


@pytest.mark.parametrize(
    ("told", "waited"), [("3", 3.1), ("0", 0.1), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.1), ("-1", 0.1), ("1.5", 0.1)]
)
def test_retry_after_is_waited_for(told: str, waited: float) -> None:
    tries = Tries(Patience(first=0.2), now=lambda: 0, chance=lambda: 0)
    response = httpx.Response(429, headers={"retry-after": told})
    assert tries.answered(Call("GET", "/", Taken.model_validate), response) == Wait(waited)
