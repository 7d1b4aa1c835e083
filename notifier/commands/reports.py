"""Findings, costs and coverage come in; tables for a person or JSON for a tool go out."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from notifier.catalogs.checker import Report
from notifier.catalogs.coverage import Coverage
from notifier.catalogs.findings import Finding, Level
from notifier.catalogs.speech import Cost
from notifier.catalogs.variants import USUAL
from notifier.rendering.segments import Segments

# Work that is merely not done yet, of which one finding is like the other; and how many of them are shown.
_UNDONE = frozenset({"empty", "stale", "obsolete"})
_SHOWN = 3
# Up to how many messages are named that fall back.
_NAMED = 6
_CHANNELS = {"email": "e-mails", "sms": "SMS", "page": "pages"}
_STYLES: Mapping[Level, str] = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def as_json(report: Report) -> str:
    """`{"findings": […], "sms": […], "counts": {"error": …}}`."""
    return _dumped(
        {
            "counts": _counts(report.findings),
            "findings": [{"level": finding.level, **asdict(finding)} for finding in report.findings],
            "sms": [asdict(cost) for cost in report.costs],
        }
    )


def coverage_json(rows: Sequence[Coverage]) -> str:
    """A list of locales."""
    return _dumped([{**asdict(row), "percent": row.percent} for row in rows])


def show_findings(findings: Sequence[Finding], *, every: bool = False) -> None:
    """Each where an editor can jump to it, as `file:line`; of what is merely not done yet a few, unless `every`."""
    console = Console(highlight=False, soft_wrap=True)
    met: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        alike = finding.file, finding.rule
        met[alike] += 1
        if finding.rule in _UNDONE and met[alike] > _SHOWN and not every:
            continue
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        about = f" {finding.string!r}" if finding.string else ""
        console.print(
            Text.assemble((f"{finding.level:<7}", _STYLES[finding.level]), f" {place} [{finding.rule}]{about}")
        )
        console.print(Text(f"        {finding.problem}"))
        console.print(Text(f"        right: {finding.remedy}", style="green"))
    for (file, rule), count in met.items():
        if rule in _UNDONE and count > _SHOWN and not every:
            console.print(Text(f"{count - _SHOWN} more of [{rule}] in {file}: --all shows them"))
    counts = ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for level, count in _counts(findings).items())
    console.print(Text(counts or "nothing to object to"))


def show_costs(costs: Sequence[Cost]) -> None:
    """A row for each variant of a notice, a column for each locale: segments, `u` for UCS-2, and what it could be."""
    locales = list(dict.fromkeys(cost.locale for cost in costs))
    rows: dict[str, dict[str, str]] = {}
    for cost in costs:
        name = cost.notice if cost.variant == USUAL else f"{cost.notice}, {cost.variant}"
        rows.setdefault(name, {})[cost.locale] = _price(cost)
    console = Console()
    # Cells of seven characters, and what parts them. Locales that do not fit beside the others stand below them.
    beside = max(1, (console.width - max(map(len, rows), default=0) - 5) // 10)
    for first in range(0, len(locales), beside):
        some = locales[first : first + beside]
        table = Table("SMS segments", *some)
        for name, prices in rows.items():
            table.add_row(name, *(prices.get(locale, "") for locale in some))
        console.print(table)
    console.print("u: in UCS-2, at 70 characters a segment; →: spelled without the letters that force it")


def show_coverage(rows: Sequence[Coverage], *, every: bool = False) -> None:
    """A row for each locale, and below them what falls back: by name where it is little, or `every`."""
    table = Table("locale", "translated", "of", "fuzzy", "%")
    for row in rows:
        table.add_row(row.locale, *map(str, (row.translated, row.strings, row.fuzzy, row.percent)))
    console = Console()
    console.print(table)
    for row in rows:
        if row.falls_back:
            told = ", ".join(row.falls_back) if every or len(row.falls_back) <= _NAMED else _summed(row.falls_back)
            console.print(Text(f"{row.locale} is not used yet for: {told}"))


def _summed(falls_back: Sequence[str]) -> str:
    """`26 e-mails, 26 SMS, 3 pages`."""
    channels = Counter(name.rpartition("(")[2].rstrip(")") for name in falls_back)
    counts = (f"{channels[channel]} {said}" for channel, said in _CHANNELS.items() if channels[channel])
    return f"{', '.join(counts)} (--all names them)"


def _price(cost: Cost) -> str:
    own = _segments(cost.segments)
    return f"{own} → {_segments(cost.spelled)}" if cost.spelled else own


def _segments(of: Segments) -> str:
    return f"{of.count}{'u' if of.alphabet == 'UCS-2' else ''}"


def _counts(findings: Sequence[Finding]) -> dict[Level, int]:
    levels = [finding.level for finding in findings]
    return {level: levels.count(level) for level in _STYLES if level in levels}


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
