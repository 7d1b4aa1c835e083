"""What became of all that was accepted under one fault comes in as a `Tally`; a table of them goes out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Tally:
    """One row. `delivered` counts each once; `duplicates` is what came beyond that, under the same id.

    `strays` came under an id that nobody was told; `waiting` was still neither here nor there when patience ended.
    `unaccounted` is what the service's own counts leave open. `unsent` are a few notifications that were not sent, as
    the API tells them: where to begin to look.
    """

    fault: str
    accepted: int
    delivered: int
    duplicates: int
    dead: int
    expired: int
    kills: int
    seconds: float
    strays: int = 0
    waiting: int = 0
    unaccounted: int = 0
    notes: list[str] = field(default_factory=list)
    unsent: list[dict[str, Any]] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Accepted, and nowhere to be found."""
        return self.accepted - self.delivered - self.dead - self.expired


def table(tallies: Iterable[Tally]) -> str:
    """In Markdown, aligned to be read as it is."""
    rows = [["fault", "accepted", "delivered", "duplicates", "dead", "expired", "lost", "kills", "seconds", "notes"]]
    for tally in tallies:
        numbers = [
            tally.accepted,
            tally.delivered,
            tally.duplicates,
            tally.dead,
            tally.expired,
            tally.lost,
            tally.kills,
        ]
        strays = [f"{tally.strays} never answered for, and sent"] if tally.strays else []
        rows.append([tally.fault, *map(str, numbers), f"{tally.seconds:.0f}", "; ".join(strays + tally.notes)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, [])
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: list[str], widths: list[int]) -> str:
    if not row:
        cells = [
            "-" * width if i in (0, len(widths) - 1) else "-" * (width - 1) + ":" for i, width in enumerate(widths)
        ]
    else:
        cells = [
            cell.ljust(width) if i in (0, len(widths) - 1) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
    return f"| {' | '.join(cells)} |"
