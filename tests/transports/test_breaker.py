"""The breaker: when somebody who fails is left alone, and when looked for again."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.transports.breaker import Attempt, Breaker, Refused
from tests.conftest import SetClock


class Changes(list[str]):
    def note(self, breaker: Breaker) -> None:
        self.append(breaker.state)


def made(first: int = 2, cap: int = 60) -> tuple[Breaker, SetClock, Changes]:
    """With a clock in whole seconds."""
    clock, changes = SetClock(1_000_000), Changes()
    return Breaker(first, cap, changes.note, clock=clock), clock, changes


def succeed(breaker: Breaker) -> None:
    with breaker.attempt() as attempt:
        attempt.succeeded()


def fail(breaker: Breaker, *, at_once: bool = True) -> None:
    with breaker.attempt() as attempt:
        attempt.failed("why", at_once=at_once)


def test_one_failure_that_costs_seconds_is_enough() -> None:
    breaker, _, changes = made()
    fail(breaker)
    assert (breaker.state, breaker.reason, changes) == ("open", "why", ["open"])
    with pytest.raises(Refused), breaker.attempt():
        pytest.fail("went on")


def test_it_tells_for_how_long_it_refuses() -> None:
    breaker, clock, _ = made()
    assert breaker.rest == 0
    fail(breaker)
    assert breaker.rest == 2
    clock.now += 1
    assert breaker.rest == 1
    clock.now += 1
    assert breaker.rest == 0
    with breaker.attempt():
        assert breaker.rest > 0  # until the probe has told
    succeed(breaker)
    assert breaker.rest == 0


def test_of_those_that_cost_none_three_in_a_row() -> None:
    breaker, _, changes = made()
    for _ in range(10):
        fail(breaker, at_once=False)
        fail(breaker, at_once=False)
        succeed(breaker)
    assert changes == []
    for _ in range(3):
        assert breaker.state == "closed"
        fail(breaker, at_once=False)
    assert changes == ["open"]


def test_it_opens_for_longer_and_longer_up_to_the_cap() -> None:
    breaker, clock, changes = made()
    fail(breaker)
    for pause in (2, 4, 8, 16, 32, 60, 60, 60):
        assert breaker.pause == pause
        clock.now += pause - 1
        assert breaker.refuses
        clock.now += 1
        assert not breaker.refuses
        # A probe that fails in whatever way opens it again.
        fail(breaker, at_once=False)
    clock.now += 60
    succeed(breaker)
    assert breaker.state == "closed"
    assert changes == ["open"] * 9 + ["closed"]
    fail(breaker)
    assert breaker.pause == 2


def test_one_probes_alone() -> None:
    breaker, clock, _ = made()
    fail(breaker)
    clock.now += 2
    with breaker.attempt() as probe:
        assert (breaker.state, breaker.refuses) == ("probing", True)
        with pytest.raises(Refused), breaker.attempt():
            pytest.fail("went on")
        probe.succeeded()
    assert breaker.state == "closed"


@pytest.mark.parametrize("error", [None, KeyError])
def test_a_probe_of_which_nothing_is_known_lets_another_try(error: type[Exception] | None) -> None:
    breaker, clock, changes = made()
    fail(breaker)
    clock.now += 2
    try:
        with breaker.attempt():
            if error:
                raise error
    except KeyError:
        pass
    assert (breaker.state, breaker.refuses, changes) == ("open", False, ["open"])
    succeed(breaker)
    assert breaker.state == "closed"


def test_what_was_begun_before_says_nothing_about_now() -> None:
    breaker, clock, changes = made()
    with breaker.attempt() as oldest:
        with breaker.attempt() as failure, breaker.attempt() as success:
            fail(breaker)
            success.succeeded()
            failure.failed("long ago", at_once=True)
        assert (breaker.state, breaker.reason, breaker.pause, changes) == ("open", "why", 2, ["open"])
        clock.now += 2
        succeed(breaker)
        oldest.failed("long ago", at_once=True)
    assert (breaker.state, changes) == ("closed", ["open", "closed"])


@given(st.lists(st.sampled_from(["begin", "succeed", "fail", "break", "give up", "wait"]), max_size=80))
def test_whatever_happens_one_probes_at_a_time_and_a_recovery_is_found(steps: list[str]) -> None:
    breaker, clock, changes = made(first=1, cap=4)
    running: list[tuple[object, Attempt, bool]] = []
    for step in steps:
        if step == "wait":
            clock.now += 1
        elif step == "begin":
            attempt = breaker.attempt()
            try:
                running.append((attempt, attempt.__enter__(), breaker.state == "probing"))
            except Refused:
                assert breaker.state != "closed"
        elif running:
            entered, told, _ = running.pop(0)
            if step == "succeed":
                told.succeeded()
            elif step in ("fail", "break"):
                told.failed("why", at_once=step == "fail")
            entered.__exit__(None, None, None)  # type: ignore[attr-defined]
        probes = [probe for *_, probe in running if probe]
        assert len(probes) == (breaker.state == "probing")
    # It never closes twice in a row.
    assert ("closed", "closed") not in pairwise([*changes])
    for entered, _, _ in running:
        entered.__exit__(None, None, None)  # type: ignore[attr-defined]
    clock.now += 4
    succeed(breaker)
    assert breaker.state == "closed"
