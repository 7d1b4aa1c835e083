"""`notifier doctor`: the findings are shown, for people or as JSON."""

import os
import sys
from typing import Annotated

import typer

app = typer.Typer()

_MARKS = {"ok": "[green]ok[/]", "warn": "[yellow]warn[/]", "fail": "[bold red]FAIL[/]"}


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document, for programs.")] = False,
) -> None:
    """Check everything that the notifier stands on, and say how to mend what is wrong.

    Settings; the store (reached, append-only, evicting nothing, with room) and whether workers keep up; each relay
    (connection, TLS, login); the SMS accounts; the platform's and the public URL (connection, TLS); keys; catalogs; and
    what the DNS says of the sender (SPF, DKIM, DMARC). Sends nothing, changes nothing, and takes ten seconds at most.

    Run it where the service runs, with its environment. Exits with 1 when something fails; a warning is no failure.
    """
    import json
    from dataclasses import asdict

    from notifier.doctor.examination import examine
    from notifier.telemetry import configure_logging

    configure_logging()
    findings = examine()
    failed = any(finding.level == "fail" for finding in findings)
    if as_json:
        typer.echo(json.dumps({"ok": not failed, "findings": [asdict(each) for each in findings]}, ensure_ascii=False))
    else:
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        table = Table("", "about", "what", "how to mend it", box=None, pad_edge=False)
        for each in findings:
            table.add_row(_MARKS[each.level], each.about, escape(each.what), escape(each.mend))
        # Nobody looks at a pipe's width.
        Console(width=None if sys.stdout.isatty() else 200).print(table)
    # Python would wait at its end for threads in which the system's resolver does not give up.
    sys.stdout.flush()
    os._exit(1 if failed else 0)
