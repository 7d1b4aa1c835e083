"""Signatures, verified by another's implementation (dkimpy), on mails as we write them."""

import base64
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.rendering.dkim import sign
from notifier.rendering.mime import MailText, assemble
from notifier.setting_types import DkimKey

DOMAIN = "northbank.example"
RSA = DkimKey("mail-2026", generate_private_key(65537, 2048))
EDWARDS = DkimKey("ed.mail", Ed25519PrivateKey.generate())
KEYS = [pytest.param([RSA], id="rsa"), pytest.param([EDWARDS], id="ed25519"), pytest.param([RSA, EDWARDS], id="both")]

RUSSIAN = "Ваш аккаунт деактивирован, и вывод средств остановлен. "
MAILS = {
    "ascii": MailText("Password reset", "Hello,\nbye.\n", "<p>Hello</p>\n"),
    "cyrillic, folded, base64": MailText("[Северный банк] " + RUSSIAN * 5, RUSSIAN * 30, f"<p>{RUSSIAN * 30}</p>"),
    "quoted-printable": MailText(
        "[Northbank] Çaktivizo", "Çaktivizo llogarinë tënde = \t\n" * 40, "<p>a  b\t c</p> " * 90
    ),
    "long ascii subject": MailText("[Northbank] " + "very " * 60, "a\n\n\n", "b\n \n"),
    "dots": MailText(".", ".\n..\n.hidden\n", "\n.\n"),
    "empty": MailText("", "", ""),
}


def assembled(words: MailText, recipient: str = "arta@mail.example") -> bytes:
    return assemble(
        words,
        sender="Северный банк <security@northbank.example>",
        recipient=recipient,
        message_id="<abc@northbank.example>",
        date=datetime(2026, 3, 9, 14, 5, 6, tzinfo=UTC),
        language="ru",
        boundary="=_abc",
    )


def record(name: bytes, timeout: int = 5) -> bytes | None:
    """The DNS, with the records that the module's docstring describes."""
    for selector, key in (RSA, EDWARDS):
        if name == f"{selector}._domainkey.{DOMAIN}.".encode():
            der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            if isinstance(key, RSAPrivateKey):
                return b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)
            return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(der[-32:])
    return None


def verified(content: bytes, count: int = 1) -> list[bool]:
    """Of each signature."""
    message, outcomes = dkim.DKIM(content), []
    for number in range(count):
        try:
            outcomes.append(message.verify(number, dnsfunc=record))
        except dkim.ValidationError:  # of the body's hash
            outcomes.append(False)
    return outcomes


@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("words", MAILS.values(), ids=MAILS)
def test_a_signature_is_verified(words: MailText, keys: list[DkimKey]) -> None:
    content = assembled(words)
    signed = sign(content, DOMAIN, keys)
    assert verified(signed, len(keys)) == [True] * len(keys)
    # Nothing of the mail itself has changed.
    assert signed.endswith(content)
    added = signed.removesuffix(content)
    assert added.count(b"DKIM-Signature:") == len(keys)
    assert max(map(len, added.split(b"\r\n"))) <= 76
    assert sign(content, DOMAIN, keys) == signed


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=300)


@given(
    text=TEXTS, html=TEXTS, subject=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")))
)
@settings(max_examples=100)
def test_any_mail_s_signature_is_verified(text: str, html: str, subject: str) -> None:
    signed = sign(assembled(MailText(subject, text, html)), DOMAIN, [RSA, EDWARDS])
    assert verified(signed, 2) == [True, True]


@pytest.mark.parametrize("body", ["", "\r\n", "\r\n\r\n", " \r\n \t\r\n", "a", "a \t b \r\n\r\n", "a\r\n \r\n"])
def test_any_body_s_signature_is_verified(body: str) -> None:
    content = b"From: a@northbank.example\r\nSubject:  s \t t\r\n\r\n" + body.encode()
    assert verified(sign(content, DOMAIN, [RSA, EDWARDS]), 2) == [True, True]


def test_an_address_beyond_ascii_is_signed() -> None:
    signed = sign(assembled(MAILS["ascii"], "ёлка@xn--e1afmkfd.xn--p1ai"), DOMAIN, [RSA, EDWARDS])
    assert verified(signed, 2) == [True, True]
    assert verified(signed.replace("ёлка".encode(), "ёлки".encode()), 2) == [False, False]


TAMPERED = {
    "body": (b"Hello", b"Hullo"),
    "html": (b"<p>", b"<p><p>"),
    "subject": (b"Password", b"Passwort"),
    "from": (b"<security@", b"<securitv@"),
    "to": (b"arta@", b"arba@"),
    "date": (b"09 Mar", b"10 Mar"),
    "message-id": (b"<abc@", b"<abd@"),
    "type": (b"alternative", b"mixed"),
    "second from": (b"To: arta", b"From: Eve <eve@northbank.example>\r\nTo: arta"),
    "second subject": (b"To: arta", b"Subject: click here\r\nTo: arta"),
    "second to": (b"To: arta", b"To: eve@northbank.example\r\nTo: arta"),
    "second type": (b"MIME-Version", b"Content-Type: text/html\r\nMIME-Version"),
    "an address to answer to": (b"To: arta", b"Reply-To: eve@northbank.example\r\nTo: arta"),
    "a text at the end": (b"--=_abc--\r\n", b"--=_abc--\r\nP.S.\r\n"),
}


@pytest.mark.parametrize(("was", "made"), TAMPERED.values(), ids=TAMPERED)
def test_what_was_tampered_with_is_not(was: bytes, made: bytes) -> None:
    signed = sign(assembled(MAILS["ascii"]), DOMAIN, [RSA, EDWARDS])
    assert was in signed
    assert verified(signed.replace(was, made), 2) == [False, False]


def test_by_another_key_neither() -> None:
    other = DkimKey(EDWARDS.selector, Ed25519PrivateKey.generate())
    assert verified(sign(assembled(MAILS["ascii"]), DOMAIN, [other])) == [False]


@pytest.mark.parametrize(
    ("was", "made"),
    [
        (b"Subject: Password reset", b"SUBJECT:Password \r\n\t reset  "),
        (b"\r\nbye.", b" \t\r\nbye."),
        (b"--=_abc--\r\n", b"--=_abc--\r\n\r\n\r\n"),
        (b"DKIM-Signature", b"Received: from us by relay.example\r\nDKIM-Signature"),
    ],
)
def test_what_relays_do_on_the_way_is_borne(was: bytes, made: bytes) -> None:
    signed = sign(assembled(MAILS["ascii"]), DOMAIN, [RSA])
    assert was in signed
    assert verified(signed.replace(was, made, 1)) == [True]


def test_without_keys_nothing_is_added() -> None:
    content = assembled(MAILS["ascii"])
    assert sign(content, DOMAIN, []) == content
