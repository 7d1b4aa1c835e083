"""How many messages may be in doubt at a time."""

import asyncio

import pytest

from notifier.transports import turns
from notifier.transports.turns import Turns


async def _holds(
    all_turns: Turns, urgency: int, order: list[str], name: str, noted: asyncio.Event | None = None
) -> None:
    with all_turns.turn(urgency) as turn:
        await turn.take()
        await turn.take()
        order.append(f"{name} has it")
        if noted:
            await noted.wait()
        order.append(f"{name} is noted")


async def _everybody_waits() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_next_goes_when_the_one_before_is_noted_and_the_more_urgent_first() -> None:
    order, one, noted = list[str](), Turns(1), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_holds(one, 1, order, "first", noted))
        await _everybody_waits()
        group.create_task(_holds(one, 2, order, "bulk"))
        group.create_task(_holds(one, 0, order, "code"))
        await _everybody_waits()
        assert order == ["first has it"]
        noted.set()
    names = ("first", "code", "bulk")
    assert order == [f"{name} {what}" for name in names for what in ("has it", "is noted")]


async def test_silence_holds_up_nobody_for_long_and_ends_only_its_own_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_LONGEST", 0.05)
    one = Turns(1)
    with one.turn(0) as silent, one.turn(0) as second, one.turn(0) as third:
        await silent.take()
        monkeypatch.setattr(turns, "_LONGEST", 60)
        await second.take()
        silent.give_back()
        waiting = asyncio.create_task(third.take())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        second.give_back()
        await waiting


async def test_an_answer_keeps_its_turn_until_it_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_LONGEST", 0.05)
    one = Turns(1)
    with one.turn(0) as next_one:
        with one.turn(0) as answered:
            await answered.take()
            answered.keep()
            waiting = asyncio.create_task(next_one.take())
            await asyncio.sleep(0.1)
            assert not waiting.done()
        await waiting


async def test_what_ends_without_a_turn_or_while_it_waits_takes_none() -> None:
    order, one, noted = list[str](), Turns(1), asyncio.Event()
    with one.turn(0):
        pass
    async with asyncio.TaskGroup() as group:
        group.create_task(_holds(one, 0, order, "first", noted))
        await _everybody_waits()
        waiting = group.create_task(_holds(one, 0, order, "gone"))
        await _everybody_waits()
        waiting.cancel()
        group.create_task(_holds(one, 0, order, "last"))
        noted.set()
    assert order == ["first has it", "first is noted", "last has it", "last is noted"]


async def test_a_second_last_step_has_its_time_from_its_own_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_LONGEST", 0.05)
    one = Turns(1)
    with one.turn(0) as next_one:
        with one.turn(0) as twice:
            await twice.take()
            monkeypatch.setattr(turns, "_LONGEST", 60)
            await twice.take()
            waiting = asyncio.create_task(next_one.take())
            await asyncio.sleep(0.1)
            assert not waiting.done()
        await waiting
