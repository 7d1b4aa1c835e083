"""`notifier catalogs preview`: a folder of catalogs comes in; its preview pages are served from this machine, and need
nothing else running: no settings, no store.
"""

from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from notifier.console.pages import Console
from notifier.console.workbench import Workbench
from notifier.ports import bind
from notifier.rendering.renderer import Voice

_HOST = "127.0.0.1"


def application(templates: Path, locales: Path, voice: Voice) -> Starlette:
    """The pages alone."""
    return Starlette(routes=Console(Workbench(templates, locales, voice, None)).routes())


def run(templates: Path, locales: Path, voice: Voice, port: int, tell: Callable[[str], None]) -> None:
    """Until Ctrl-C, once the address was told. Raises ports.PortInUse."""
    listener = bind(_HOST, port, "--port")
    tell(f"http://{_HOST}:{listener.getsockname()[1]}/preview")
    config = uvicorn.Config(
        application(templates, locales, voice), log_config=None, log_level="warning", access_log=False, ws="none"
    )
    uvicorn.Server(config).run(sockets=[listener])
