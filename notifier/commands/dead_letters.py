"""`notifier dead-letters`: what was given up, listed and replayed."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from notifier.dead_letters import DeadLetter

app = typer.Typer(no_args_is_help=True, help="What was given up: list it, replay it.")

# A pipe has no width. What is cut off there is lost.
_WIDTH_OF_A_PIPE = 160


@app.command("list")
def list_dead_letters(
    kind: Annotated[Literal["notification", "action"], typer.Option(help="Messages, or what owners confirmed.")] = (
        "notification"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List what was given up, oldest first: what, when, and why.

    For example: notifier dead-letters list --kind action --json | jq .id

    Exits with 0, also when nothing was given up; 75 while the store is away.
    """
    from notifier.operating import list_dead

    letters = list_dead(kind)
    if as_json:
        for letter in letters:
            typer.echo(json.dumps(_shown(letter)))
    elif not letters:
        # What reads the list reads an empty one.
        typer.echo("nothing was given up", err=True)
    else:
        from rich.console import Console

        console = Console(highlight=False)
        console.print(_table(letters), width=None if console.is_terminal else _WIDTH_OF_A_PIPE)


@app.command("replay")
def replay_dead_letters(
    ids: Annotated[list[str] | None, typer.Argument(help="Which.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that can be.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Try again what was given up, once its cause is mended.

    For example: notifier dead-letters replay --all

    Exits with 0, 1 when one could not be replayed, 2 when nothing was named, 75 while the store is away.
    """
    from notifier.operating import replay

    if not ids and not every:
        raise typer.BadParameter("say which, or --all", param_hint="IDS")
    failed = 0
    for id, problem in replay(ids or [], every=every):
        shown = json.dumps({"id": id, "problem": problem}) if as_json else f"{id}  {problem or 'on its way again'}"
        typer.echo(shown)
        failed += problem is not None
    raise typer.Exit(1 if failed else 0)


def _table(letters: Sequence["DeadLetter"]) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from notifier.clock import moment

    table = Table(box=box.SIMPLE_HEAD)
    for name in ("id", "given up (UTC)", "what", "channel", "why"):
        table.add_column(name, no_wrap=name == "id", overflow="fold")
    for letter in letters:
        at = f"{moment(letter.died):%Y-%m-%d %H:%M:%S}"
        table.add_row(*map(Text, (letter.id, at, letter.about, letter.channel or "", letter.reason)))
    return table


def _shown(letter: "DeadLetter") -> dict[str, str | None]:
    """As the API has it."""
    from notifier.clock import rfc3339

    shown = asdict(letter)
    died, deadline = shown.pop("died"), shown.pop("deadline")
    return shown | {"died_at": rfc3339(died), "deadline": rfc3339(deadline) if deadline else None}
