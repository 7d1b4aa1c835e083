"""Each row of a module's `FAULTS` is a test; what they counted is one table at the end.

`--faults=short` (the default) makes a selection with few notifications, `--faults=full` all, and keeps the table in
build/faults.md. What is left to chance follows `--seed`, which is told with what it decided. `--patience=3` waits three
times as long for the end of it, on a machine that has other work; what must be quick must be so all the same.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.faults.tally import Tally, table
from tests.faults.trial import Fault, staged

Hold = Callable[[Fault], Awaitable[Tally]]

_KEPT = Path("build/faults.md")
# Starting and ending the service, beside the fault's own time.
_AROUND = 40


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--faults", choices=("short", "full"), default="short", help="how many faults, and how large")
    group.addoption("--patience", type=float, default=1, help="times as long as on a machine with nothing else to do")
    group.addoption("--seed", type=int, default=None, help="of what a fault leaves to chance")


def _full(config: pytest.Config) -> bool:
    # This file is read too late for its options when all tests are run, which means the short form.
    return bool(config.getoption("--faults", "short") == "full")


def _size(fault: Fault, config: pytest.Config) -> int:
    return fault.full if _full(config) else fault.short


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fault" not in metafunc.fixturenames:
        return
    patience = float(metafunc.config.getoption("--patience", 1))
    rows = [
        pytest.param(
            replace(row, seconds=row.seconds * patience),
            id=row.name,
            marks=pytest.mark.timeout((row.seconds + _AROUND) * patience),
        )
        for row in metafunc.module.FAULTS
        if _size(row, metafunc.config)
    ]
    metafunc.parametrize("fault", rows)


@pytest.fixture
def hold(tmp_path: Path, request: pytest.FixtureRequest) -> Hold:
    """Makes a fault, puts its row into the table, and gives it; fails if more was doubled, given up or made up than the
    fault may cost.
    """
    given = request.config.getoption("--seed", None)

    async def hold(fault: Fault) -> Tally:
        seed = random.randrange(10**6) if given is None else int(given)
        async with staged(fault, _size(fault, request.config), tmp_path, seed) as trial:
            await fault.make(trial)
            tally = await fault.count(trial)
            tally.unaccounted = await trial.unaccounted()
        request.node.user_properties.append(("tally", asdict(tally)))
        trial.check(tally)
        return tally

    return hold


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, []) if r.when == "call"]
    tallies = [Tally(**value) for report in reports for name, value in report.user_properties if name == "tally"]
    if not tallies:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(table(tallies))
    if _full(config):
        _KEPT.parent.mkdir(exist_ok=True)
        _KEPT.write_text(table(tallies) + "\n")
