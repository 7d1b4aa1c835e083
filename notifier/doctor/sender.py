"""Settings come in; what the DNS says of the sender goes out: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489), and
where bounces go. What the DNS does not answer in time could not be checked.
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Sequence
from email.utils import parseaddr
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.resolver import NXDOMAIN, NoAnswer

from notifier.config import Settings
from notifier.doctor.findings import Finding, fail, ok, warn
from notifier.setting_types import DkimKey

_ABOUT = "sender"
_PATIENCE_S = 3


async def check(settings: Settings, resolver: Resolver | None) -> list[Finding]:
    """Of the domain that mails come from, and of the one that bounces go to."""
    domain = parseaddr(settings.sender)[1].rpartition("@")[2]
    bounces = settings.bounce_address.rpartition("@")[2] if settings.bounce_address else domain
    try:
        asked = _Asked(resolver or Resolver())
    except DNSException:
        return [_unanswered(domain)]
    questions: list[tuple[str, Awaitable[Finding]]] = [
        (f"SPF of {bounces}", _spf(asked, bounces)),
        (f"DMARC of {domain}", _dmarc(asked, domain)),
        (f"bounces to {bounces}", _mx(asked, bounces)),
        *((f"DKIM {key.selector}", _dkim(asked, domain, key)) for key in settings.dkim_keys),
    ]
    found = await asyncio.gather(*(_answered(name, question) for name, question in questions))
    if not settings.dkim_keys:
        found.append(warn(_ABOUT, "mails are not signed here", "set NOTIFIER_DKIM_KEYS, unless your relay signs them"))
    return found


class _Asked:
    """The DNS, which has three seconds for each question."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def texts(self, name: str) -> list[str]:
        """The TXT records of a name, each as one string."""
        return [b"".join(record.strings).decode("latin-1") for record in await self.records(name, "TXT")]

    async def records(self, name: str, kind: str) -> list[Any]:
        """None where the DNS says that there are none; raises DNSException where it says nothing."""
        try:
            return [*await self._resolver.resolve(f"{name}.", kind, lifetime=_PATIENCE_S)]
        except (NXDOMAIN, NoAnswer):
            return []


async def _answered(name: str, question: Awaitable[Finding]) -> Finding:
    try:
        return await question
    except (DNSException, OSError):
        return _unanswered(name)


def _unanswered(name: str) -> Finding:
    return warn(_ABOUT, f"{name}: could not be checked, as the DNS does not answer", "see this machine's resolver")


async def _spf(asked: _Asked, domain: str) -> Finding:
    about = f"SPF of {domain}"
    policies = [text for text in await asked.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]
    if not policies:
        return warn(_ABOUT, f"{about}: there is no record", f'publish TXT at {domain}: "v=spf1 …your relays… -all"')
    if len(policies) > 1:
        return fail(_ABOUT, f"{about}: {len(policies)} records, which count as none", "make one of them")
    terms = policies[0].lower().split()
    if {"+all", "all"} & set(terms):
        return fail(_ABOUT, f"{about}: everybody may send for it", "end it with -all")
    if {"-all", "~all"} & set(terms) or any(term.startswith("redirect=") for term in terms):
        return ok(_ABOUT, f"{about}: there is one record")
    return warn(_ABOUT, f"{about}: forbids nobody to send for it", "end it with -all")


async def _dmarc(asked: _Asked, domain: str) -> Finding:
    """Of the domain, or of the nearest one above that has one."""
    about, labels = f"DMARC of {domain}", domain.split(".")
    for start in range(len(labels) - 1):
        above = ".".join(labels[start:])
        policies = [text for text in await asked.texts(f"_dmarc.{above}") if text.startswith("v=DMARC1")]
        if len(policies) > 1:
            return fail(_ABOUT, f"{about}: {len(policies)} records, which count as none", "make one of them")
        if policies:
            policy = _tags(policies[0]).get("p", "").lower()
            if policy in ("quarantine", "reject"):
                return ok(_ABOUT, f"{about}: {policy}")
            return warn(_ABOUT, f"{about}: mails that others forge are let through", "say p=quarantine or p=reject")
    mend = f'publish TXT at _dmarc.{domain}: "v=DMARC1; p=quarantine; rua=mailto:…"'
    return warn(_ABOUT, f"{about}: there is no record", mend)


async def _mx(asked: _Asked, domain: str) -> Finding:
    exchanges = [str(record.exchange) for record in await asked.records(domain, "MX")]
    if exchanges and exchanges != ["."]:
        return ok(_ABOUT, f"bounces to {domain}: there is a mail server")
    return warn(_ABOUT, f"bounces to {domain}: no mail server takes them", "publish MX, or set NOTIFIER_BOUNCE_ADDRESS")


async def _dkim(asked: _Asked, domain: str, key: DkimKey) -> Finding:
    name = f"{key.selector}._domainkey.{domain}"
    kind, public = _public(key)
    publish = f'publish TXT at {name}: "v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"'
    about = f"DKIM {key.selector}"
    records = [_tags(text) for text in await asked.texts(name)]
    records = [tags for tags in records if "p" in tags]
    if not records:
        return fail(_ABOUT, f"{about}: there is no record, so nobody can verify it", publish)
    if len(records) > 1:
        return fail(_ABOUT, f"{about}: {len(records)} records, of which any may be taken", "leave one of them")
    if not records[0]["p"]:
        return fail(_ABOUT, f"{about}: the record says that the key is revoked", publish)
    if records[0].get("k", "rsa") != kind or _decoded(records[0]["p"]) != public:
        return fail(_ABOUT, f"{about}: the record has another key than NOTIFIER_DKIM_KEYS", publish)
    if "y" in records[0].get("t", "").split(":"):
        return warn(_ABOUT, f"{about}: the record says that it is a test", "remove t=y")
    return ok(_ABOUT, f"{about}: the record has our key")


def _public(key: DkimKey) -> tuple[str, bytes]:
    """As a record has it (RFC 6376 section 3.6.1, RFC 8463 section 3)."""
    public = key.key.public_key()
    if isinstance(key.key, Ed25519PrivateKey):
        return "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _tags(text: str) -> dict[str, str]:
    """`name=value; …` (RFC 6376 section 3.2)."""
    pairs: Sequence[tuple[str, str, str]] = [part.partition("=") for part in text.split(";")]
    return {name.strip(): "".join(value.split()) for name, is_given, value in pairs if is_given}


def _decoded(words: str) -> bytes:
    try:
        return base64.b64decode(words, validate=True)
    except binascii.Error:
        return b""
