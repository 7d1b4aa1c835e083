"""What the commands that ask a running service share: where it is and the key come in, a client goes out; a failure
comes in, an exit code goes out.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from notifier.client import Failure, Notifier

# sysexits.h: the same will do later.
_TEMPFAIL = 75
_PATIENCE_S = 30

Url = Annotated[str, typer.Option(envvar="NOTIFIER_URL", help="The service.")]
KeyFile = Annotated[
    Path | None,
    typer.Option(envvar="NOTIFIER_KEY_FILE", help="A file with the API key; or set NOTIFIER_KEY to the key."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the service's answer as JSON; a refusal too, on standard error.")
]
HERE = "http://127.0.0.1:8000"


@contextmanager
def service(url: str, key_file: Path | None, *, as_json: bool = False) -> Iterator["Notifier"]:
    """The service, to be asked; what it does not do ends the process with 1, or 75 where it may do it later."""
    from notifier.client import Failure, Notifier, Patience

    try:
        with Notifier(url, _key(key_file), patience=Patience(total=_PATIENCE_S)) as notifier:
            yield notifier
    except Failure as failure:
        typer.echo(json.dumps(_shown(failure)) if as_json else _told(failure), err=True)
        raise typer.Exit(_code(failure)) from None


def _key(file: Path | None) -> str:
    """Never an option: everybody on a machine sees what its processes are called with."""
    try:
        key = file.read_text("utf-8") if file else os.environ.get("NOTIFIER_KEY", "")
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter("cannot be read", param_hint="--key-file") from None
    if not key.strip():
        raise typer.BadParameter("set NOTIFIER_KEY to an API key, or name a file with one", param_hint="--key-file")
    return key.strip()


def _told(failure: "Failure") -> str:
    from notifier.client import Problem

    if not isinstance(failure, Problem):
        return str(failure)
    wrong = [f"  {error.pointer or '(the event)'}: {error.detail}" for error in failure.errors]
    return "\n".join((str(failure), *wrong, f"  {failure.type}"))


def _shown(failure: "Failure") -> dict[str, Any]:
    """As the problem document has it; of what was no answer of the service's only what is wrong."""
    from notifier.client import Problem

    if not isinstance(failure, Problem):
        return {"detail": str(failure)}
    shown = {name: getattr(failure, name) for name in ("type", "title", "status", "detail", "retry_after")}
    return shown | {"errors": [asdict(error) for error in failure.errors]}


def _code(failure: "Failure") -> int:
    from notifier.client import TooMany, Unavailable, Unreached

    return _TEMPFAIL if isinstance(failure, Unreached | TooMany | Unavailable) else 1
