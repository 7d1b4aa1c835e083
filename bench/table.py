"""What was measured comes in, row by row; a table goes out, and what a target made of it."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from bench.processes import ROOT

RESULTS = ROOT / "bench" / "results"


@dataclass(frozen=True)
class Row:
    """`values` of all rounds, in `unit`. The `target` is a bound on the median, in words `told`; None: no target."""

    section: str
    what: str
    unit: str
    values: list[float]
    told: str = ""
    target: float | None = None
    bound: Literal["at least", "at most"] = "at least"

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.median >= self.target if self.bound == "at least" else self.median <= self.target


def ratio(section: str, what: str, ours: Sequence[float], theirs: Sequence[float], bound: float) -> Row:
    """Ours over theirs, round by round; at least the bound."""
    return Row(section, what, "x", [a / b for a, b in zip(ours, theirs, strict=True)], f">= {bound:g} x", bound)


def keep(section: str, rows: Sequence[Row]) -> None:
    """A section's rows, in place of those that it had."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{section}.json"
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n", "utf-8")


def kept(sections: Sequence[str]) -> list[Row]:
    """All that was kept, in the order of the sections."""
    paths = [RESULTS / f"{section}.json" for section in sections]
    return [Row(**row) for path in paths if path.exists() for row in json.loads(path.read_text("utf-8"))]


def written(rows: Sequence[Row]) -> str:
    """As Markdown."""
    lines = ["| | median | of rounds | target | |", "|---|---:|---|---|---|"]
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines.append(f"| **{section}** | | | | |")
        spread = f"{_number(min(row.values))} – {_number(max(row.values))}" if len(row.values) > 1 else ""
        met = {True: "met", False: "**not met**", None: ""}[row.met]
        lines.append(f"| {row.what} | {_number(row.median)} {row.unit} | {spread} | {row.told} | {met} |")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"
