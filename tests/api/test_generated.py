"""Requests that Schemathesis makes of the OpenAPI document, right and wrong ones: no fault, no answer but as told."""

import subprocess
import sys
from pathlib import Path

from tests.api.conftest import Served
from tests.service import API_KEY

# What fits a schema may still be wrong (no such number, a key that was used): a 422, which is described as well.
# A stream has no end to wait for.
# A batch is answered 200 whatever is in it. What a preview and a batch take is read as postEvent's, and covered there.
CONFIGURATION = """
seed = 1
[generation]
max-examples = 5
[checks.positive_data_acceptance]
enabled = false
[[operations]]
include-operation-id = "postEvents"
checks = { negative_data_rejection = { enabled = false } }
phases = { coverage = { enabled = false } }
[[operations]]
include-operation-id = "streamInbox"
enabled = false
[[operations]]
include-operation-id = "previewEvent"
phases = { coverage = { enabled = false } }
"""


def test_no_request_is_answered_otherwise_than_described(served: Served, tmp_path: Path) -> None:
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    program, key = Path(sys.executable).with_name("schemathesis"), f"Authorization: Bearer {API_KEY}"
    options = ["--header", key, "--no-color"]
    command = [str(program), "--config-file", str(configuration), "run", f"{served.url}/openapi.json", *options]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"unhandled"' not in served.log.read_text()
