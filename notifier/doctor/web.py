"""Settings come in; what is found of the account platform and of our own public URL goes out.

Connected to and greeted by TLS, no more: a signed request is an action to the platform, and an unsigned one an alarm.
"""

import asyncio
import contextlib
import ssl
from urllib.parse import urlsplit

from notifier.clock import Clock
from notifier.config import Settings
from notifier.doctor.findings import Finding, certificate_fault, certified, fail, warn
from notifier.setting_types import LOOPBACK

_PORTS = {"https": 443, "http": 80}


async def check_platform(settings: Settings, clock: Clock) -> list[Finding]:
    """Where actions go."""
    found = [await _reached("platform", "NOTIFIER_PLATFORM_URL", settings.platform_url, clock)]
    url = urlsplit(settings.platform_url)
    if url.scheme == "http" and url.hostname not in LOOPBACK:
        found.append(warn("platform", "actions go to it in clear", "let NOTIFIER_PLATFORM_URL begin with https://"))
    return found


async def check_public(settings: Settings, clock: Clock) -> list[Finding]:
    """Where links lead. From in here it may not be reached though everybody else does."""
    found = await _reached("public URL", "NOTIFIER_PUBLIC_URL", settings.public_url, clock)
    return [warn(found.about, found.what, f"{found.mend}, unless others reach it") if found.level == "fail" else found]


async def _reached(about: str, setting: str, address: str, clock: Clock) -> Finding:
    url = urlsplit(address)
    host, port = url.hostname or "", url.port or _PORTS[url.scheme]
    try:
        ends = await _connected(host, port, secured=url.scheme == "https")
    except OSError as error:  # TLS's and the resolver's are some
        fault = certificate_fault(error)
        if fault:
            return fail(about, f"{host}:{port}: its certificate is not trusted: {fault}", f"have one made for {host}")
        reason = type(error).__name__
        return fail(about, f"{host}:{port} cannot be reached: {reason}", f"see {setting}, DNS and firewalls")
    return certified(about, f"{host}:{port} answers", ends, clock() / 1000)


async def _connected(host: str, port: int, *, secured: bool) -> float | None:
    """Until when its certificate is good (s since 1970)."""
    _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context() if secured else None)
    try:
        certificate = writer.get_extra_info("peercert") or {}
        return ssl.cert_time_to_seconds(certificate["notAfter"]) if certificate else None
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
