"""Catalogs come in; as long as this runs, what changes on disk is checked and served, or refused: a process needs no
restart.

It looks at the files every second rather than being told by the kernel: that also sees a volume whose symbolic link
now leads elsewhere (Kubernetes), and files on a share.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from notifier.rendering.i18n import Catalogs, News, Stamp

log = structlog.get_logger()

_EVERY = timedelta(seconds=1)


@asynccontextmanager
async def watched(catalogs: Catalogs, every: timedelta = _EVERY) -> AsyncIterator[None]:
    """For as long as the context lasts."""
    task = asyncio.create_task(_watch(catalogs, every))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def warnings(catalogs: Catalogs) -> list[str]:
    """A sentence for each catalog that is refused."""
    return [
        f"the catalog {locale} is refused, what served before goes on serving: {'; '.join(faults[:3])}"
        for locale, faults in sorted(catalogs.refused.items())
    ]


async def _watch(catalogs: Catalogs, every: timedelta) -> None:
    # Until cancelled. The first thing that it does is to compile and check everything.
    seen: Stamp | None = None
    taken: Stamp | None = None
    for locale, version in sorted(catalogs.versions.items()):
        log.info("catalog_serves", locale=locale, version=version)
    while True:
        try:
            before, seen = seen, catalogs.stamp()
            # What stands there at the start; later on what has not changed for a while: a file may be half written.
            if taken is None or (seen == before and seen != taken):
                taken = seen
                # Some 50 ms of work for each file that has changed.
                _tell(await asyncio.to_thread(catalogs.reload))
        except OSError as error:
            taken = None
            log.error("catalogs_unreadable", error=type(error).__name__)
        await asyncio.sleep(every.total_seconds())


def _tell(news: News) -> None:
    for locale, faults in sorted(news.refused.items()):
        log.error("catalog_refused", locale=locale, reasons=list(faults[:10]))
    for locale, version in sorted(news.taken.items()):
        log.info("catalog_serves", locale=locale, version=version)
    for locale in news.gone:
        log.warning("catalog_gone", locale=locale)
