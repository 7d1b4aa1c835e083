"""docs/architecture.md names every module and script, each in its room."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_ROOMS = (ROOT / "docs" / "architecture.md").read_text("utf-8").split("```")[1]
# A room's row, with the lines that go on below it.
_ROW = re.compile(r"^ *(?P<room>[a-z]+)/ (?P<names>.*(?:\n {12}.*)*)", re.MULTILINE)
_NAME = re.compile(r"[a-z_0-9]+")


def named(room: Path) -> set[str]:
    """What is named in a room's row; what stands in no room has a row of its own."""
    rows = {row["room"]: row["names"] for row in _ROW.finditer(_ROOMS)}
    return set(_NAME.findall(_ROOMS if room.parent == ROOT else rows.get(room.name, "")))


@pytest.mark.parametrize("package", ["notifier", "links"])
def test_every_module_is_named_in_its_room(package: str) -> None:
    modules = {path for suffix in ("py", "lua") for path in (ROOT / package).rglob(f"[a-z]*.{suffix}")}
    assert modules
    assert not {str(path.relative_to(ROOT)) for path in modules if path.stem not in named(path.parent)}
