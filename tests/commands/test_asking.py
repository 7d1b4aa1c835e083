"""What a failure means to who calls a command."""

import pytest
import typer

from notifier.client import Failure, Unreached, Unreadable
from notifier.client.failures import problem
from notifier.commands.asking import service


@pytest.mark.parametrize(
    ("failure", "code"),
    [(Unreached("away"), 75), (Unreadable(200), 1)]
    + [
        (problem({"type": "/problems/x", "title": "t", "status": status, "detail": "d"}, status), code)
        for status, code in ((429, 75), (503, 75), (500, 75), (401, 1), (409, 1), (422, 1))
    ],
)
def test_what_may_do_later_is_told_from_what_never_will(
    monkeypatch: pytest.MonkeyPatch, failure: Failure, code: int
) -> None:
    monkeypatch.setenv("NOTIFIER_KEY", "any")
    with pytest.raises(typer.Exit) as ended, service("http://127.0.0.1:1", None):
        raise failure
    assert ended.value.exit_code == code
