"""Settings come in; what is found of the relays goes out: connection, TLS and login are a mail's, and none is sent."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from notifier.clock import Clock
from notifier.config import Settings
from notifier.doctor.findings import Finding, certificate_fault, certified, fail, warn
from notifier.setting_types import LOOPBACK, SmtpRelay
from notifier.transports.relay import Greeting
from notifier.transports.replies import Trouble
from notifier.transports.smtp import SmtpTransport

# What a relay's trouble means, and how to mend it; {at} is its host and port.
_TROUBLES: Mapping[str, tuple[str, str]] = {
    "ConnectionRefusedError": ("nobody listens there", "see host and port, and whether the relay runs"),
    "gaierror": ("its name is not known", "see the host, and this machine's DNS"),
    "silent": ("does not answer", "see host, port and tls; a firewall may drop what goes to this port"),
    "smtp_535": ("refuses this user or password", "see user and password (percent-encoded where they have : / @ or %)"),
    "smtp_530": ("wants a login", "write user:password@ before the host"),
    "smtp_534": ("wants another login", "ask who runs it for a password of an application"),
    "SMTPException": ("does not offer the TLS or the login that is asked for", "see tls: starttls (587), tls (465)"),
    "SSLError": ("does not speak TLS as asked for", "see tls: starttls (587), tls (465); TLS 1.2 at least"),
}


async def check(settings: Settings, clock: Clock) -> list[Finding]:
    """One finding for each relay, and more where there is more to say."""
    relays = settings.smtp_urls
    transport = SmtpTransport(relays, name=urlsplit(settings.public_url).hostname)
    try:
        greetings = await transport.greet()
    finally:
        await transport.close()
    now = clock() / 1000
    found = [finding for relay, one in zip(relays, greetings, strict=True) for finding in _of(relay, one, now)]
    if len(relays) == 1:
        found.append(warn("mail", "there is one relay", "name a second in NOTIFIER_SMTP_URLS, for when it is away"))
    return found


def _of(relay: SmtpRelay, told: Greeting | Trouble, now: float) -> list[Finding]:
    at = f"{relay.host}:{relay.port}"
    if isinstance(told, Trouble):
        fault = certificate_fault(told)
        if fault:
            told_so, mend = f"its certificate is not trusted: {fault}", f"have one made for {relay.host} by a known CA"
        else:
            told_so, mend = _TROUBLES.get(told.reason, (f"cannot be used: {told.reason}", "see its log"))
        return [fail("mail", f"{at} {told_so}", f"{mend} (NOTIFIER_SMTP_URLS)")]
    login = f" as {relay.username}" if relay.username else ""
    found = [certified("mail", f"{at} answers{' and lets us in' if login else ''}", told.certified_until, now)]
    if not told.secured and relay.host not in LOOPBACK:
        found.append(warn("mail", f"{at} gets mails in clear", "say tls=starttls or tls=tls"))
    if not told.international:
        found.append(warn("mail", f"{at} takes no addresses beyond ASCII", "none, unless owners have such (SMTPUTF8)"))
    return found
