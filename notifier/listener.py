"""Bells come in, from arq's queue; the jobs that they name are run. What the store answers meanwhile ends no worker."""

import asyncio
from typing import Any

import structlog
from arq.worker import Worker, get_kwargs
from redis.exceptions import RedisError

from notifier.readiness import report

log = structlog.get_logger()

_PAUSE_S = 1


class Listener(Worker):
    """arq's worker, which by itself ends at the first error that its client does not retry: a store that is full, that
    cannot write its file, or that was killed between two commands that belong together.
    """

    def __init__(self, settings: Any) -> None:
        """`settings` is a class as arq reads it."""
        arguments: dict[str, Any] = {**get_kwargs(settings)}
        super().__init__(**arguments)

    async def main(self) -> None:
        """Listen until cancelled."""
        settings = self.ctx["settings"]
        # Before anything waits for the store.
        await report(self.pool, settings.acknowledge)
        await super().main()

    async def _poll_iteration(self) -> None:
        # A cancellation that meets the client's wait_for is lost in it (Python before 3.12), and it comes only once:
        # a worker that was told to end would go on until it is cut off.
        task = asyncio.current_task()
        if task and task.cancelling():
            raise asyncio.CancelledError
        try:
            await super()._poll_iteration()
        except (RedisError, OSError) as error:
            log.warning("store_failed", error=type(error).__name__)
            await asyncio.gather(*self.tasks.values(), return_exceptions=True)
            self.tasks.clear()
            await asyncio.sleep(_PAUSE_S)
            # What failed while it took a job has not given the job's place back.
            self.job_counter, self.sem = 0, asyncio.BoundedSemaphore(self.max_jobs + 1)
