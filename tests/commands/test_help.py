"""Every command says what it does, with an example and its exit codes, before anything heavy is imported."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from notifier.cli import app


def commands(group: typer.Typer, *words: str) -> Iterator[tuple[str, ...]]:
    for command in group.registered_commands:
        assert command.callback
        yield (*words, command.name or command.callback.__name__.replace("_", "-"))
    for each in group.registered_groups:
        assert each.typer_instance
        yield from commands(each.typer_instance, *words, *([each.name] if isinstance(each.name, str) else []))


COMMANDS = list(commands(app))
# These run until they are stopped.
LASTING = {("serve",), ("worker",), ("demo",)}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_it_tells_what_it_does(words: tuple[str, ...]) -> None:
    told = CliRunner().invoke(app, [*words, "--help"])
    assert told.exit_code == 0
    assert f"root {' '.join(words)}" in told.output
    assert "Exits with" in told.output or words in LASTING


def test_it_is_told_before_anything_heavy_is_imported() -> None:
    script = "\n".join(
        [
            "import sys",
            "from notifier.cli import app",
            f"for words in {[(), *COMMANDS]}: app([*words, '--help'], standalone_mode=False)",
            "print(*{name.partition('.')[0] for name in sys.modules})",
        ]
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = told.stdout.splitlines()[-1].split()
    assert "typer" in loaded
    assert not {"httpx", "redis", "fastapi", "jinja2", "structlog", "cryptography"} & set(loaded)
