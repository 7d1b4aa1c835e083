"""All checks at once: settings come in, findings go out within ten seconds. What cannot be checked is a warning."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from dns.asyncresolver import Resolver

from notifier.clock import Clock, system_clock
from notifier.config import Settings, SettingsError, load
from notifier.doctor import catalogs, keys, mail, sender, sms, store, web
from notifier.doctor.findings import Check, Finding, fail, ok, warn

_PATIENCE_S = 8


def examine() -> list[Finding]:
    """What is found with the settings of this process's environment."""
    try:
        settings = load()
    except SettingsError as error:
        wrong = [line.partition(": ") for line in str(error).splitlines()]
        mend = "set it right: README.md, “Run it for real”"
        return [
            *(fail("settings", f"{name}: {what}" if what else name, mend) for name, _, what in wrong),
            warn("settings", "nothing else could be checked", "run `notifier doctor` again once these are right"),
        ]
    # Not asyncio.run, which would wait for threads in which the system's resolver does not give up.
    loop = asyncio.new_event_loop()
    try:
        return [ok("settings", "all can be read"), *loop.run_until_complete(checked(settings))]
    finally:
        loop.close()


async def checked(settings: Settings, resolver: Resolver | None = None, clock: Clock = system_clock) -> list[Finding]:
    """What is found with these settings; `resolver` asks the DNS, none: as the machine does."""
    checks: Mapping[str, Check] = {
        "store": partial(store.check, settings, clock),
        "keys": partial(keys.check, settings),
        "catalogs": partial(catalogs.check, settings),
        "mail": partial(mail.check, settings, clock),
        "SMS": partial(sms.check, settings),
        "platform": partial(web.check_platform, settings, clock),
        "public URL": partial(web.check_public, settings, clock),
        "sender": partial(sender.check, settings, resolver),
    }
    found = await asyncio.gather(*(_bounded(about, check) for about, check in checks.items()))
    return [finding for findings in found for finding in findings]


async def _bounded(about: str, check: Check) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await check()
    except TimeoutError:
        return [warn(about, f"could not be checked within {_PATIENCE_S} s", "see whether what it talks to answers")]
    except Exception as error:  # noqa: BLE001  # one check that breaks must not hide what the others found
        return [warn(about, f"could not be checked: {type(error).__name__}", "please report this as a fault of ours")]
