"""`notifier demo`: the whole product on one machine."""

import sys

import typer

app = typer.Typer()


@app.command()
def demo() -> None:
    """Run everything on this machine: API, worker, store, mailbox, phone and account platform, and post a tour.

    It tells where to look, and ends with Ctrl-C. NOTIFIER_DEMO_API_PORT, …_SMTP_PORT, …_MAILBOX_PORT, …_PHONE_PORT and
    …_PLATFORM_PORT move its ports, NOTIFIER_DATA_DIR its data: NOTIFIER_DEMO_API_PORT=9000 notifier demo
    """
    try:
        from notifier.sandbox.demo import run
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is not installed: the demo's stand-ins are part of notifier[sandbox]")
    run()
