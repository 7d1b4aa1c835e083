"""The gate: so many at a time, so many a second, urgent ones first, and a slot for each that is given back."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.transports.gate import Gate, TurnedAway


@dataclass
class Crowd:
    """Everybody who asked, in order; who is inside stays until told to leave."""

    gate: Gate
    waiting: list[int] = field(default_factory=list)
    inside: list[int] = field(default_factory=list)
    sent_off: list[int] = field(default_factory=list)
    urgencies: list[int] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    leaving: list[asyncio.Event] = field(default_factory=list)

    def ask(self, urgency: int) -> None:
        number = len(self.tasks)
        self.urgencies.append(urgency)
        self.waiting.append(number)
        self.leaving.append(asyncio.Event())
        self.tasks.append(asyncio.create_task(self._pass(number)))

    async def _pass(self, number: int) -> None:
        try:
            async with self.gate.slot(self.urgencies[number]):
                # Equals keep their order, and nobody more urgent is left waiting.
                rivals = [other for other in self.waiting if not self.tasks[other].cancelling()]
                assert min(rivals, key=lambda other: (self.urgencies[other], other)) == number
                self.waiting.remove(number)
                self.inside.append(number)
                try:
                    await self.leaving[number].wait()
                finally:
                    self.inside.remove(number)
        except TurnedAway:
            self.waiting.remove(number)
            self.sent_off.append(number)
        except asyncio.CancelledError:
            if number in self.waiting:
                self.waiting.remove(number)

    def held(self, urgency: int) -> int:
        """By this urgency and all below it."""
        return sum(self.urgencies[number] >= urgency for number in self.inside)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


STEPS = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 2)),
    st.tuples(st.just("leave"), st.integers(0, 30)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("turn away"), st.just(0)),
    st.tuples(st.just("tick"), st.just(0)),
    st.tuples(st.just("settle"), st.just(0)),
)


@given(slots=st.integers(1, 9), steps=st.lists(STEPS, max_size=60))
@settings(max_examples=300)
def test_whoever_comes_goes_or_gives_up(slots: int, steps: list[tuple[str, int]]) -> None:
    asyncio.run(scenario(slots, steps))


async def scenario(slots: int, steps: list[tuple[str, int]]) -> None:
    gate = Gate(slots)
    crowd = Crowd(gate)
    for what, number in [*steps, ("settle", 0)]:
        if what == "ask":
            crowd.ask(number)
            await settled()
        elif what == "turn away":
            gate.turn_away()
        elif what == "settle":
            await settled()
        elif what == "tick":
            await asyncio.sleep(0)
        elif number < len(crowd.tasks):
            crowd.leaving[number].set() if what == "leave" else crowd.tasks[number].cancel()
        assert len(crowd.inside) <= slots
        assert crowd.held(1) <= max(1, slots * 3 // 4)
        assert crowd.held(2) <= max(1, slots // 2)
    # Nobody waits for a slot that is free to them.
    if crowd.waiting:
        urgency = min(crowd.urgencies[number] for number in crowd.waiting)
        most = (slots, max(1, slots * 3 // 4), max(1, slots // 2))
        assert any(crowd.held(below) == most[below] for below in range(urgency + 1))
    for event in crowd.leaving:
        event.set()
    await asyncio.gather(*crowd.tasks)
    assert (crowd.waiting, crowd.inside) == ([], [])
    # Every slot came back.
    async with asyncio.TaskGroup() as group:
        everybody = asyncio.Barrier(slots)
        for _ in range(slots):
            group.create_task(_meet(gate, everybody))


async def test_who_gives_up_in_the_moment_that_a_slot_is_given_gives_it_back() -> None:
    gate = Gate(1)
    crowd = Crowd(gate)
    for _ in range(3):
        crowd.ask(0)
    await settled()
    crowd.leaving[0].set()
    # The first wakes and leaves; the second has its slot and does not know yet.
    await asyncio.sleep(0)
    assert (crowd.inside, crowd.waiting) == ([], [1, 2])
    crowd.tasks[1].cancel()
    await settled()
    assert crowd.inside == [2]
    crowd.leaving[2].set()
    await asyncio.gather(*crowd.tasks)


async def _meet(gate: Gate, everybody: asyncio.Barrier) -> None:
    async with asyncio.timeout(5), gate.slot(0):
        await everybody.wait()


@pytest.mark.parametrize(
    ("slots", "most"), [(1, (1, 1, 1)), (2, (2, 1, 1)), (3, (3, 2, 1)), (4, (4, 3, 2)), (8, (8, 6, 4))]
)
async def test_less_urgent_ones_never_hold_all(slots: int, most: tuple[int, int, int]) -> None:
    for urgency in (0, 1, 2):
        crowd = Crowd(Gate(slots))
        for _ in range(20):
            crowd.ask(urgency)
        await settled()
        assert len(crowd.inside) == most[urgency]
        crowd.ask(0)
        await settled()
        assert (20 in crowd.inside) is (most[urgency] < slots)
        for task in crowd.tasks:
            task.cancel()
        await asyncio.gather(*crowd.tasks)


async def test_who_waits_is_sent_off_and_who_is_inside_stays() -> None:
    gate = Gate(2)
    crowd = Crowd(gate)
    for urgency in (0, 0, 0, 1, 2):
        crowd.ask(urgency)
    await settled()
    gate.turn_away()
    await settled()
    assert (crowd.inside, crowd.sent_off) == ([0, 1], [2, 3, 4])
    crowd.ask(2)
    crowd.leaving[0].set()
    crowd.leaving[1].set()
    await settled()
    assert crowd.inside == [5]
    crowd.leaving[5].set()
    await asyncio.gather(*crowd.tasks)


async def test_a_rate_is_kept_and_met() -> None:
    gate, times = Gate(100, rate=200), list[float]()

    async def one() -> None:
        async with gate.slot(2):
            times.append(asyncio.get_running_loop().time())

    await asyncio.gather(*(one() for _ in range(100)))
    times.sort()
    # As fast as the rate, two to begin with; and not much slower. A loop that stands still for a while makes stretches
    # of it faster.
    assert 0.97 * (len(times) - 2) / 200 <= times[-1] - times[0] < 0.5 * 3


async def test_an_urgent_one_goes_next_though_the_rate_is_low() -> None:
    gate, order = Gate(100, rate=20), list[int]()

    async def one(urgency: int) -> None:
        async with gate.slot(urgency):
            order.append(urgency)

    bulk = [asyncio.create_task(one(2)) for _ in range(50)]
    while len(order) < 3:
        await asyncio.sleep(0.01)
    sent = len(order)
    await one(0)
    assert order[sent:] == [0]
    for task in bulk:
        task.cancel()
    await asyncio.gather(*bulk, return_exceptions=True)
