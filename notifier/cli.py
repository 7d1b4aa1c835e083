"""`notifier …`: a command line comes in, and goes to the room in `commands/` that its first word names."""

import sys

import typer

from notifier.commands import bounce, catalogs, dead_letters, demo, doctor, events, keys, links, service

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="""Notices about account security, with secure links.

    See all of it at work: notifier demo. Run it: notifier serve, and notifier worker. Ask it: notifier send --example
    new_device, notifier preview. Operate it: notifier keys, notifier doctor, notifier links, notifier dead-letters.
    Translate it: notifier catalogs.

    Exit codes: 0 is well, 1 is not, 2 a wrong command line, 75 what may do later.
    """,
)
# In the order of the help. A group with a name has commands of its own, one without lends its commands to the top.
app.add_typer(service.app)
app.add_typer(demo.app)
app.add_typer(events.app)
app.add_typer(links.app, name="links")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(keys.app, name="keys")
app.add_typer(catalogs.app, name="catalogs")
app.add_typer(bounce.app)
app.add_typer(doctor.app)


def main() -> None:
    """The console script: what is wrong with the settings or a port is one clear line a problem."""
    try:
        app()
    except Exception as error:
        # Looked at only now: the settings' types take longer to import than `--help` may take in all.
        from notifier.config import SettingsError
        from notifier.ports import PortInUse

        if isinstance(error, SettingsError | PortInUse):
            sys.exit(str(error))
        raise
