"""The two files that a localization team keeps beside a catalog: its terms, and what it has decided otherwise.

`glossary.csv` has a row for each English term and how it is to be translated; several rows for one term are
alternatives, and `*` stands for any letters (`вывод*` for all its cases). `allowed.csv` has a row for each finding that
is right as it stands, with the reason.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from notifier.catalogs.files import Unreadable

TERMS = ("english", "translation", "note")
EXCEPTIONS = ("rule", "msgid", "why")


@dataclass(frozen=True, slots=True)
class Term:
    """`wanted` as the file has them."""

    english: str
    wanted: tuple[str, ...]
    pattern: re.Pattern[str]


class Glossary:
    """The terms of one locale."""

    def __init__(self, rows: Mapping[str, Sequence[str]]) -> None:
        self._terms = {
            english.lower(): Term(english, tuple(wanted), re.compile("|".join(map(_pattern, wanted)), re.IGNORECASE))
            for english, wanted in rows.items()
        }
        # The longest first: "withdrawal address" is not also "withdrawal".
        longest = sorted(self._terms, key=len, reverse=True)
        self._english = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest)) or '(?!)'})(?!\w)", re.IGNORECASE)

    def missing(self, english: str, translation: str) -> Iterator[Term]:
        """The terms of the English string that the translation does not have."""
        for name in dict.fromkeys(found.lower() for found in self._english.findall(english)):
            if not self._terms[name].pattern.search(translation):
                yield self._terms[name]


def terms(path: Path) -> Glossary:
    """The glossary at `path`, or none. Raises Unreadable."""
    rows: dict[str, list[str]] = defaultdict(list)
    for _, (english, translation, _) in _rows(path, TERMS):
        if translation:
            rows[english].append(translation)
    return Glossary(rows)


def allowed(path: Path) -> Mapping[tuple[str, str], int]:
    """By rule and msgid the line that allows it. Raises Unreadable."""
    return {(rule, msgid): line for line, (rule, msgid, _) in _rows(path, EXCEPTIONS)}


def skeleton(directory: Path) -> bytes:
    """An empty glossary for a new locale: the terms that all the others have, with their notes. Raises Unreadable."""
    notes: dict[str, str] = {}
    known: list[set[str]] = []
    for path in sorted(directory.glob("*/glossary.csv")):
        rows = [row for _, row in _rows(path, TERMS)]
        known.append({english for english, _, _ in rows})
        for english, _, note in rows:
            notes[english] = notes.get(english) or note
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(TERMS)
    for english in sorted(set.intersection(*known) if known else (), key=str.lower):
        table.writerow((english, "", notes[english]))
    return out.getvalue().encode()


def _pattern(wanted: str) -> str:
    words = r"\w*".join(map(re.escape, wanted.split("*")))
    # Chinese, Japanese and Thai put no spaces between words.
    spaced = re.match(r"[^\W\d_]", wanted.lstrip("*")) and not re.search(
        "[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]", wanted
    )
    return rf"(?<!\w){words}(?!\w)" if spaced else words


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.reader(file)
        for row in table:
            if table.line_num == 1:
                if [name.strip().lower() for name in row] != list(columns):
                    raise Unreadable(path, 1, f"must begin with the line {','.join(columns)}")
                continue
            if not any(row):
                continue
            if len(row) != len(columns) or not row[0].strip() or (columns == EXCEPTIONS and not row[2].strip()):
                raise Unreadable(path, table.line_num, f"must have {len(columns)} columns: {', '.join(columns)}")
            yield table.line_num, [cell.strip() for cell in row]
