"""`notifier links`: what a link is and how it stands; links that must not work any more."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from notifier.inspection import Inspected, Standing

app = typer.Typer(no_args_is_help=True, help="Links: look at one without acting, revoke an account's.")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]

_OUTCOMES: Mapping[str | None, str] = {
    "open": "works, until {at}",
    "locked": "too many wrong codes were typed on its page",
    "pending": "was used at {at}, and the platform has not answered yet",
    "done": "was used, and done at {at}",
    "refused": "was used, and the platform refused it at {at}",
    "expired": "has expired at {at}",
    "superseded": "was superseded at {at}",
    "revoked": "was revoked at {at}",
    "shut": "stopped working at {at}, when the account was deactivated",
    "early": "does not work yet, but from {at}",
    "idle": "would do nothing: the account is not deactivated",
    None: "its message is not kept any more",
}


@app.command()
def inspect(
    link: Annotated[str, typer.Argument(help="A link's URL, or its token; - reads it from standard input.")],
    as_json: AsJson = False,
) -> None:
    """Say what a link is: purpose, when it was issued and expires, which key signed it, how it stands. Does nothing.

    For example: notifier links inspect https://notify.example.com/l/dAb…

    A link is a secret while it works: others on this machine see command lines, so give it on standard input there.

    Exits with 0 for a link of this service, 1 when no key that is set here signed it, 75 while the store is away.
    """
    from notifier import inspection
    from notifier.operating import run

    written = sys.stdin.read() if link == "-" else link
    inspected = run(lambda parts: inspection.inspect(parts, written))
    if inspected is None:
        typer.echo("no link of this service: no key in NOTIFIER_LINK_KEYS signed it", err=True)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(_shown(inspected)))
        return
    typer.echo(f"notification  {inspected.notification}  {inspected.notice or '(not kept any more)'}")
    typer.echo(f"signed by     key {inspected.key} of {inspected.keys}, 1 being the newest")
    for standing in inspected.links:
        shown = _times(standing)
        typer.echo(f"{standing.purpose}: issued {shown['issued_at']}, expires {shown['expires_at']}")
        typer.echo(f"  {_OUTCOMES[standing.outcome].format(at=shown['at'])}")


@app.command()
def revoke(
    purposes: Annotated[list[str], typer.Argument(help="deactivate, reactivate, authorize_device, …")],
    account: Annotated[str, typer.Option(help="Whose links.")],
    as_json: AsJson = False,
) -> None:
    """Void an account's links with these purposes, all that were issued up to now. Later ones work.

    For example: notifier links revoke --account acct-1001 confirm_withdrawal authorize_device

    Exits with 0, 2 for a purpose that there is not, 75 while the store is away.
    """
    from links.purposes import NAMES
    from notifier import inspection
    from notifier.clock import rfc3339, system_clock
    from notifier.operating import run

    if not NAMES.issuperset(purposes):
        raise typer.BadParameter(f"must be of {', '.join(sorted(NAMES))}", param_hint="PURPOSES")
    at = rfc3339(run(lambda parts: inspection.revoke(parts, system_clock, account, purposes)))
    if as_json:
        typer.echo(json.dumps({"account": account, "purposes": purposes, "revoked_at": at}))
    else:
        typer.echo(f"void: every {', '.join(purposes)} link of the account that was issued up to {at}")


def _shown(inspected: "Inspected") -> dict[str, Any]:
    links = [{"purpose": one.purpose, "outcome": one.outcome, **_times(one)} for one in inspected.links]
    return asdict(inspected) | {"links": links}


def _times(standing: "Standing") -> dict[str, str | None]:
    from notifier.clock import rfc3339

    at = None if standing.at is None else rfc3339(standing.at)
    return {"issued_at": rfc3339(standing.issued), "expires_at": rfc3339(standing.expires), "at": at}
