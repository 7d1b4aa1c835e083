"""`notifier …`: what an operator runs. Each command imports what it needs, so that `--help` answers at once."""

import os
import sys
import threading
from typing import Annotated

import typer

_GOODBYE_S = 4

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Notices about account security, with secure links.")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8000,
) -> None:
    """Run the API and the link pages."""
    import uvicorn

    from notifier.app import create_app
    from notifier.config import load
    from notifier.ports import bind
    from notifier.telemetry import configure_logging

    configure_logging()
    listener = bind(host, port, "--port")
    # Addresses in a link's forwarding must not be a header's claim: proxies are trusted by name only.
    proxies = os.environ.get("FORWARDED_ALLOW_IPS")
    config = uvicorn.Config(
        create_app(load()),
        log_config=None,
        access_log=False,  # a link's token is in its path
        proxy_headers=proxies is not None,
        forwarded_allow_ips=proxies,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    uvicorn.Server(config).run(sockets=[listener])


@app.command()
def worker() -> None:
    """Run a worker: it sends what is due and forwards what was clicked."""
    from arq.worker import create_worker

    import worker as root

    arq_worker = create_worker(root.WorkerSettings)
    # After the drain arq says goodbye to the store. One that is away must not keep a stopped worker from ending: what
    # it still held comes back by its lease.
    goodbye = threading.Timer(_GOODBYE_S, os._exit, (0,))
    goodbye.daemon = True
    arq_worker.on_stop = lambda _: goodbye.start()
    arq_worker.run()


@app.command("new-key")
def new_key(
    webhook: Annotated[bool, typer.Option("--webhook", help="A secret for NOTIFIER_PLATFORM_SECRETS instead.")] = False,
) -> None:
    """Print a fresh key for NOTIFIER_LINK_KEYS, NOTIFIER_CODE_KEYS or NOTIFIER_PAYLOAD_KEYS.

    To rotate: append it to the list (the newest signs, all are accepted), restart, wait for the longest life of what
    was made with the old one (links and payloads 7 days, codes 30 minutes), then remove the old one.
    """
    import base64
    import secrets

    key = secrets.token_bytes(32)
    typer.echo(
        f"whsec_{base64.b64encode(key).decode()}" if webhook else base64.urlsafe_b64encode(key).decode().rstrip("=")
    )


@app.command()
def demo() -> None:
    """Run everything on this machine: API, worker, store, mailbox, phone and account platform, and post a tour."""
    from notifier.sandbox.demo import run

    run()


def main() -> None:
    """The console script: what is wrong with the settings or a port is one clear line a problem."""
    from notifier.config import SettingsError
    from notifier.ports import PortInUse

    try:
        app()
    except (SettingsError, PortInUse) as error:
        sys.exit(str(error))
