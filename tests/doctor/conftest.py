"""Settings whose edges are real, and a DNS server that says what a test wants it to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest
import trustme
from dns.asyncresolver import Resolver

from notifier.config import Settings
from notifier.doctor.findings import Finding
from tests.ports import HOST
from tests.transports.conftest import authority, start

__all__ = ["authority", "start"]

Alter = Callable[..., Settings]


@pytest.fixture
def alter(settings: Settings) -> Alter:
    """The settings, but for what is given."""
    return lambda **changed: settings.model_copy(update=changed)


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts our authority."""
    bundle = tmp_path / "authorities.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))


class Zone(asyncio.DatagramProtocol):
    """A DNS server: `records` are texts of TXT records, or words of MX records, by name and kind. While `silent` it
    answers nothing.
    """

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.silent = False
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self.silent or self._transport is None:
            return
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), question.rdtype.name
        answer = dns.message.make_response(query)
        found = self.records.get((name, kind), [])
        if found:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        elif not any(known == name for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), addr)


@pytest.fixture
async def zone() -> AsyncIterator[tuple[Zone, Resolver]]:
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(Zone, local_addr=(HOST, 0))
    resolver = Resolver(configure=False)
    resolver.nameservers, resolver.port = [HOST], transport.get_extra_info("sockname")[1]
    yield server, resolver
    transport.close()


def levels(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.level, finding.what) for finding in findings]


def only(findings: list[Finding], level: str) -> Finding:
    (found,) = [finding for finding in findings if finding.level == level]
    return found
