"""A mail's texts and headers come in, the bytes that go over SMTP come out (RFC 5322, 2045-2047, 3834).

Written out rather than built with `email.message`, which costs ten times as much a mail; the tests read every mail back
with that package. Lines end in CRLF and are at most 76 characters long, so no relay needs to wrap them; all is ASCII,
but for a recipient's address that is not (RFC 6532).
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache

_LINE = 76
_BEYOND_ASCII = bytes(range(128, 256))


@dataclass(frozen=True, slots=True)
class MailText:
    """What a person reads."""

    subject: str
    text: str
    html: str


def assemble(
    words: MailText, *, sender: str, recipient: str, message_id: str, date: datetime, language: str, boundary: str
) -> bytes:
    """One multipart/alternative mail; the same arguments give the same bytes."""
    headers = [
        f"From: {_from(sender)}",
        f"Subject: {_subject(words.subject)}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id}",
        f"Content-Language: {language}",
        "Auto-Submitted: auto-generated",
        # Outlook and Exchange answer automatic mail with out-of-office notes unless told not to.
        "X-Auto-Response-Suppress: All",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    ]
    return b"".join(
        (
            f"To: {recipient}\r\n".encode(),
            "\r\n".join(headers).encode("ascii"),
            b"\r\n",
            _part("plain", words.text, boundary),
            _part("html", words.html, boundary),
            f"\r\n--{boundary}--\r\n".encode(),
        )
    )


# There are few senders and subjects; Header takes longer for one than all else for a mail.
@lru_cache(maxsize=8)
def _from(sender: str) -> str:
    name, address = parseaddr(sender)
    if name.isascii():
        return Header(formataddr((name, address)), "us-ascii", _LINE, "From").encode(linesep="\r\n")
    # Not formataddr: it writes one encoded word, however long, and RFC 2047 allows 75 characters.
    header = Header(name, "utf-8", _LINE, "From")
    header.append(f"<{address}>", "us-ascii")
    return header.encode(linesep="\r\n")


@lru_cache(maxsize=1024)
def _subject(text: str) -> str:
    # Encoded too: what would be read as if it were, and words that are too long for a line.
    plain = text.isascii() and "=?" not in text and max(map(len, text.split(" "))) < _LINE - len(" Subject: ")
    charset = "us-ascii" if plain else "utf-8"
    return Header(text, charset, _LINE, "Subject").encode(linesep="\r\n")


def _part(subtype: str, text: str, boundary: str) -> bytes:
    body = text.strip("\n").replace("\n", "\r\n").encode()
    # Quoted-printable costs three bytes for each that is not ASCII: for Cyrillic or Arabic base64 is half of that.
    # And a carriage return that ends no line would stand bare in it.
    plain = "\r" not in text and len(body.translate(None, _BEYOND_ASCII)) > len(body) * 0.8
    encoding, encoded = ("quoted-printable", _quoted(body)) if plain else ("base64", _base64(body))
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return f"\r\n--{boundary}\r\n{head}".encode() + encoded


def _quoted(body: bytes) -> bytes:
    return b"\r\n".join(map(_quoted_line, body.split(b"\r\n")))


# Most lines of a mail are those of the mail before.
@lru_cache(maxsize=2048)
def _quoted_line(line: bytes) -> bytes:
    return binascii.b2a_qp(line, istext=True).replace(b"=\n", b"=\r\n")


def _base64(body: bytes) -> bytes:
    encoded = base64.b64encode(body)
    return b"\r\n".join(encoded[i : i + _LINE] for i in range(0, len(encoded), _LINE))
