"""Takes records; keeps them as lines of JSON in a file that is only appended to, and reads them
back. Without a file it keeps nothing.
"""

import json
from pathlib import Path
from typing import Any


class Journal:
    def __init__(self, path: Path | None) -> None:
        self._path = path

    def read(self) -> list[dict[str, Any]]:
        """The records, oldest first; a last line torn by a crash is dropped."""
        if self._path is None or not self._path.exists():
            return []
        kept = self._path.read_bytes()
        whole = kept[: kept.rfind(b"\n") + 1]
        if whole != kept:
            self._path.write_bytes(whole)
        return [json.loads(line) for line in whole.splitlines()]

    def append(self, record: dict[str, Any]) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def clear(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
