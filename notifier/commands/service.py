"""`notifier serve` and `notifier worker`: the two processes of the service."""

import os
import threading
from typing import Annotated

import typer

# Orchestrators give 30 s; a worker takes 20 at most, of which 15 are for what it has in hand.
_GOODBYE_S = 19

app = typer.Typer()


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8000,
) -> None:
    """Run the API and the link pages, until SIGTERM or Ctrl-C. The settings are the environment's, see the README.

    For example: notifier serve --host 0.0.0.0 --port 8000

    Ends with 1 where a setting is wrong or the port is taken, which is then told in a line each.
    """
    import uvicorn

    from notifier.api.parting import Server
    from notifier.api.problems import Problems
    from notifier.api.wire import wire
    from notifier.app import create_app
    from notifier.config import load
    from notifier.ports import bind
    from notifier.telemetry import configure_telemetry

    configure_telemetry()
    listener = bind(host, port, "--port")
    # Addresses in a link's forwarding must not be a header's claim: proxies are trusted by name only.
    proxies = os.environ.get("FORWARDED_ALLOW_IPS")
    settings = load()
    config = uvicorn.Config(
        create_app(settings),
        http=wire(Problems(settings.public_url)),
        ws="none",
        log_config=None,
        access_log=False,  # a link's token is in its path
        proxy_headers=proxies is not None,
        forwarded_allow_ips=proxies,
        server_header=False,
        # Longer than clients and load balancers keep an idle connection (60 s is common): were it closed from here
        # first, their next request could meet a closed one.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
    Server(config).run(sockets=[listener])


@app.command()
def worker() -> None:
    """Run a worker: it sends what is due and forwards what was clicked, until SIGTERM or Ctrl-C.

    Run as many as you like: notifier worker. Each stops within 20 s; what one that is killed had, another sends.
    """
    import asyncio

    import uvloop

    import worker as root
    from notifier.listener import Listener

    # As the API has it, by uvicorn; arq takes the loop that is there.
    asyncio.set_event_loop(uvloop.new_event_loop())
    arq_worker = Listener(root.WorkerSettings)
    # On its way out arq says goodbye to the store. One that is away must not keep a stopped worker from ending: what it
    # still held comes back by its lease.
    goodbye = threading.Timer(_GOODBYE_S, os._exit, (0,))
    goodbye.daemon = True
    arq_worker.on_stop = lambda _: goodbye.start()
    arq_worker.run()
