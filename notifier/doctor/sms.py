"""Settings come in; what is found of the SMS accounts goes out: each is asked how it is, and no message is sent."""

from notifier.config import PREFIX, Settings
from notifier.doctor.findings import Finding, fail, ok, warn
from notifier.transports.twilio import TwilioTransport

_REFUSED = {"twilio_20003", "twilio_401", "twilio_20404", "twilio_404"}


async def check(settings: Settings) -> list[Finding]:
    """One finding for each account."""
    accounts = settings.twilio_accounts
    if not accounts:
        return [
            warn("SMS", "no account is set: nothing is sent by SMS", "set NOTIFIER_TWILIO_ACCOUNT_SID and the others")
        ]
    transport = TwilioTransport(accounts, settings.public_url)
    try:
        told = await transport.standing()
    finally:
        await transport.close()
    return [_of(name, standing) for name, standing in told]


def _of(name: str, standing: str) -> Finding:
    names = f"{PREFIX}{name.upper()}_ACCOUNT_SID and …_AUTH_TOKEN"
    if standing == "active":
        return ok("SMS", f"{name}: the account is active")
    if standing in _REFUSED:
        return fail("SMS", f"{name}: Twilio refuses this account or token", f"see {names}")
    if standing.startswith("twilio_"):
        return fail("SMS", f"{name}: no answer ({standing})", "see whether this machine reaches Twilio by HTTPS")
    return fail("SMS", f"{name}: the account is {standing}", "see Twilio's console")
