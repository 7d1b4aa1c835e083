"""Every line of a log is JSON, a library's too; and holds nothing of what an exception fell over."""

import json
import subprocess
import sys

import pytest

# What stands in an exception's text, and must not in a log.
PROGRAM = """
import logging, warnings
from notifier.telemetry import configure_logging
configure_logging()
{}
"""


def lines(program: str) -> list[dict[str, str]]:
    command = [sys.executable, "-c", PROGRAM.format(program)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == ""
    assert "arta@example.com" not in ran.stderr
    return [json.loads(line) for line in ran.stderr.splitlines()]


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("logging.getLogger('uvicorn.error').error('two\\nlines')", {"event": "two\nlines", "logger": "uvicorn.error"}),
        ("logging.getLogger('arq').warning('%s is late', 'job')", {"event": "job is late", "level": "warning"}),
        ("warnings.warn('soon gone')", {"logger": "py.warnings", "level": "warning"}),
        (
            "try:\n    int('arta@example.com')\nexcept ValueError:\n    logging.getLogger('x').exception('broke')",
            {"event": "broke", "error": "ValueError", "at": "__main__:6"},
        ),
    ],
)
def test_a_library_s_line_is_json(program: str, told: dict[str, str]) -> None:
    (line,) = lines(program)
    assert told.items() <= line.items()
    assert {"event", "level", "logger", "timestamp"} <= line.keys()


def test_a_library_s_progress_is_not_told() -> None:
    assert lines("logging.getLogger('httpx').info('POST https://x/l/secret')") == []


def test_a_line_within_a_trace_names_it() -> None:
    program = (
        "import structlog\nfrom notifier import traces\n"
        "with traces.within('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'):\n"
        "    structlog.get_logger().info('sent')\n"
        "with traces.within('00-nonsense'):\n"
        "    structlog.get_logger().info('sent')"
    )
    inside, outside = lines(program)
    assert inside["trace"] == "0af7651916cd43dd8448eb211c80319c"
    assert "trace" not in outside
