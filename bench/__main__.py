"""`python -m bench [section …]`: measures, keeps the rows in `bench/results`, and prints one table of all."""

import argparse
import importlib
import os
import platform
import sys
from datetime import UTC, datetime

from bench.table import RESULTS, keep, kept, written

SECTIONS = ("mail", "latency", "accept", "links", "render", "growth", "start")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; none means all", metavar="section")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (5)")
    asked = parser.parse_args()
    if unknown := set(asked.sections) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    for section in asked.sections or SECTIONS:
        rows = importlib.import_module(f"bench.sections.{section}").run(asked.rounds)
        keep(section, rows)
        sys.stderr.write(written(rows))
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    table = f"{datetime.now(UTC):%Y-%m-%d}, {machine}, medians of {asked.rounds}\n\n{written(kept(SECTIONS))}"
    (RESULTS / "table.md").write_text(table, "utf-8")
    sys.stdout.write(table)


if __name__ == "__main__":
    main()
