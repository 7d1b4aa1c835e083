"""What is rolled out under load is not the same everywhere, or not whole: nothing is lost by it."""

import asyncio
import shutil
from email import message_from_bytes, policy
from pathlib import Path

from tests.faults.conftest import Hold
from tests.faults.trial import Fault, Trial, start_worker
from tests.people import link
from tests.service import key, until

_KEYS = ("NOTIFIER_PAYLOAD_KEYS", "NOTIFIER_LINK_KEYS", "NOTIFIER_CODE_KEYS")


_WHOLE = ("notifier", "links", "templates", "locales")


async def rotated(trial: Trial) -> None:
    """Keys get successors, process by process: workers meet payloads under a key that they are given later, and what an
    owner was sent before works after.
    """
    contents: dict[str, bytes] = {}
    trial.relay.contents = contents
    (before,) = await trial.burst(1)
    await trial.arrived(before)
    for name in _KEYS:
        trial.service.environment[name] += f" {key()}"
    processes = ("api", *trial.workers)
    async with asyncio.TaskGroup() as load:
        for process in processes:
            load.create_task(trial.burst(trial.size // len(processes)))
            await _restart(trial, process)
    url = link(message_from_bytes(contents[before], policy=policy.default), "d")
    assert (await trial.service.browser.post(url)).status_code in (200, 202)
    account = trial.accepted[before].owner.account
    await until(lambda: trial.service.actions(account))
    # Its owner is told, by a mail that nobody posted.
    trial.may_stray += 1


async def without_a_template(trial: Trial) -> None:
    """A worker has all but one of a message's templates, which is mended later."""
    rolled_out = trial.service.logs / "rolled-out"
    for name in _WHOLE:
        shutil.copytree(name, rolled_out / name)
    shutil.copy("worker.py", rolled_out)
    missing = rolled_out / "templates" / "login_succeeded" / "body.html"
    missing.unlink()
    # -P: not what lies in the working directory.
    await start_worker(trial, "worker", "-P", "-m", "notifier", PYTHONPATH=str(rolled_out))
    ids = await trial.burst(trial.size)

    async def known() -> bool:
        return all("error_FileNotFoundError" in str(shown["timeline"]) for _, shown in await trial.show(ids))

    await until(known, 60)
    assert '"event": "attempt_broke", "level": "error"' in (trial.service.logs / "worker.log").read_text()
    shutil.copy(Path(*missing.relative_to(rolled_out).parts), missing)


async def _restart(trial: Trial, name: str) -> None:
    """As a new version is rolled out."""
    process = trial.service.processes[name]
    process.terminate()
    await asyncio.to_thread(process.wait, 20)
    trial.service.again(name)
    await trial.service.ready()


FAULTS = (
    Fault("keys rotated under load", rotated, short=0, full=600),
    Fault("worker without a template", without_a_template, short=0, full=100, workers=0),
)


async def test_nothing_is_lost(fault: Fault, hold: Hold) -> None:
    tally = await hold(fault)
    assert (tally.lost, tally.waiting, tally.unaccounted) == (0, 0, 0), tally
