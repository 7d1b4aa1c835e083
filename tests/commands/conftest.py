"""The command line, run in this process."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from notifier.cli import app
from tests.api.conftest import Served
from tests.api.conftest import served as served
from tests.service import API_KEY

Run = Callable[..., Result]


@pytest.fixture
def notifier(served: Served) -> Run:
    """What a command that asks the served API says, and its exit code."""

    def run(*words: str, input: str | None = None, **environment: str | None) -> Result:
        env = {"NOTIFIER_URL": served.url, "NOTIFIER_KEY": API_KEY, "NOTIFIER_KEY_FILE": None, **environment}
        return CliRunner().invoke(app, words, input=input, env=env)

    return run
