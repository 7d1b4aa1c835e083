"""`notifier bounce`: a mail server's pipe for bounces ends here."""

import sys
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def bounce(
    recipient: Annotated[str, typer.Argument(help="The address that the bounce was sent to, where it is known.")] = "",
) -> None:
    """Read one bounce (RFC 3464) from standard input, as a mail server's pipe gives it, and mark its notification.

    For Postfix's pipe(8): argv=notifier bounce ${original_recipient}

    Exits with 0, also for what is about no mail from here; 75 (try again later) while the store is away.
    """
    from notifier.operating import read_bounce

    typer.echo(read_bounce(sys.stdin.buffer.read(), recipient))
