"""What the DNS says of the sender, asked of a DNS server of the test's own."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dns.asyncresolver import Resolver

from notifier.doctor import sender
from notifier.doctor.findings import Finding
from notifier.setting_types import DkimKey
from tests.doctor.conftest import Alter, Zone

DOMAIN = "northbank.example"
ED = DkimKey("e1", ed25519.Ed25519PrivateKey.generate())
RSA = DkimKey("r1", rsa.generate_private_key(65537, 2048))


def published(key: DkimKey) -> str:
    public = key.key.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        return base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def text(*parts: str) -> str:
    """A TXT record, each part a string of its own."""
    return " ".join(f'"{part}"' for part in parts)


def well() -> dict[tuple[str, str], list[str]]:
    long = f"v=DKIM1; k=rsa; p={published(RSA)}"
    return {
        (DOMAIN, "TXT"): [text("something else"), text("v=spf1 include:relay.example -all")],
        (DOMAIN, "MX"): ["10 mail.northbank.example."],
        (f"_dmarc.{DOMAIN}", "TXT"): [text("v=DMARC1; p=reject")],
        (f"e1._domainkey.{DOMAIN}", "TXT"): [text(f"v=DKIM1; k=ed25519; p={published(ED)}")],
        # More than 255 characters are several strings.
        (f"r1._domainkey.{DOMAIN}", "TXT"): [text(long[:200], long[200:])],
    }


async def test_a_sender_is_well(alter: Alter, zone: tuple[Zone, Resolver]) -> None:
    server, resolver = zone
    server.records = well()
    found = await sender.check(alter(dkim_keys=(ED, RSA)), resolver)
    assert [finding.level for finding in found] == ["ok"] * 5


@pytest.mark.parametrize(
    ("name", "kind", "records", "level", "told"),
    [
        (DOMAIN, "TXT", [], "warn", "SPF of northbank.example: there is no record"),
        (DOMAIN, "TXT", ["v=spf10 -all"], "warn", "SPF of northbank.example: there is no record"),
        (DOMAIN, "TXT", ["v=spf1 -all", "v=spf1 ~all"], "fail", "2 records, which count as none"),
        (DOMAIN, "TXT", ["v=spf1 +all"], "fail", "everybody may send for it"),
        (DOMAIN, "TXT", ["v=spf1 mx ?all"], "warn", "forbids nobody"),
        (DOMAIN, "MX", [], "warn", "no mail server takes them"),
        (DOMAIN, "MX", ["0 ."], "warn", "no mail server takes them"),
        (f"_dmarc.{DOMAIN}", "TXT", [], "warn", "DMARC of northbank.example: there is no record"),
        (f"_dmarc.{DOMAIN}", "TXT", ["v=DMARC1; p=none"], "warn", "forge are let through"),
        (f"_dmarc.{DOMAIN}", "TXT", ["v=DMARC1; p=reject", "v=DMARC1; p=none"], "fail", "2 records"),
        (f"e1._domainkey.{DOMAIN}", "TXT", [], "fail", "DKIM e1: there is no record"),
        (f"e1._domainkey.{DOMAIN}", "TXT", ["v=DKIM1; k=ed25519; p="], "fail", "revoked"),
        (f"e1._domainkey.{DOMAIN}", "TXT", ["v=DKIM1; k=ed25519; p=AAAA"], "fail", "another key"),
        (f"e1._domainkey.{DOMAIN}", "TXT", ["v=DKIM1; k=ed25519; p=!"], "fail", "another key"),
        (f"e1._domainkey.{DOMAIN}", "TXT", [f"v=DKIM1; p={published(ED)}"], "fail", "another key"),
        (f"e1._domainkey.{DOMAIN}", "TXT", [f"v=DKIM1; k=ed25519; t=y; p={published(ED)}"], "warn", "a test"),
    ],
)
async def test_what_is_wrong_is_told_alone(
    name: str, kind: str, records: list[str], level: str, told: str, alter: Alter, zone: tuple[Zone, Resolver]
) -> None:
    server, resolver = zone
    server.records = well() | {(name, kind): records if kind == "MX" else [text(record) for record in records]}
    found = await sender.check(alter(dkim_keys=(ED,)), resolver)
    (wrong,) = [finding for finding in found if finding.level != "ok"]
    assert (wrong.level, told in wrong.what) == (level, True), wrong
    assert wrong.mend


async def test_what_to_publish_is_told(alter: Alter, zone: tuple[Zone, Resolver]) -> None:
    found = await sender.check(alter(dkim_keys=(ED, RSA)), zone[1])
    for key, kind in ((ED, "ed25519"), (RSA, "rsa")):
        name = f"{key.selector}._domainkey.{DOMAIN}"
        assert any(f'publish TXT at {name}: "v=DKIM1; k={kind}; p={published(key)}"' == one.mend for one in found)


async def test_the_policy_of_a_domain_above_counts_and_bounces_may_go_elsewhere(
    alter: Alter, zone: tuple[Zone, Resolver]
) -> None:
    server, resolver = zone
    server.records = well() | {("bounces.example", "TXT"): [text("v=spf1 -all")]}
    settings = alter(sender=f"Northbank <security@mail.{DOMAIN}>", bounce_address="b@bounces.example", dkim_keys=(ED,))
    found = {finding.what: finding.level for finding in await sender.check(settings, resolver)}
    assert found[f"DMARC of mail.{DOMAIN}: reject"] == "ok"
    assert found["SPF of bounces.example: there is one record"] == "ok"
    assert found["bounces to bounces.example: no mail server takes them"] == "warn"


async def test_a_dns_that_is_silent_could_not_be_asked(
    alter: Alter, zone: tuple[Zone, Resolver], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, resolver = zone
    server.silent = True
    monkeypatch.setattr(sender, "_PATIENCE_S", 0.1)
    found: list[Finding] = await sender.check(alter(dkim_keys=(ED,)), resolver)
    assert {finding.level for finding in found} == {"warn"}
    assert all("could not be checked" in finding.what for finding in found)
