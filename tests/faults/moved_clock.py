"""Runs `notifier` with a clock that is moved by as many seconds as a file says, at any time.

The file's name comes first, then the command's own words. Processes of one machine share its clock, and moving that
takes more than a test may do.
"""

import sys
import time
from pathlib import Path


def _move(file: Path) -> None:
    real_ns = time.time_ns

    def moved_ns() -> int:
        return real_ns() + round(float(file.read_text()) * 1e9)

    time.time_ns = moved_ns
    time.time = lambda: moved_ns() / 1e9


if __name__ == "__main__":
    _move(Path(sys.argv.pop(1)))
    from notifier.cli import main

    main()
