"""An assembled mail and private keys come in, the mail goes out with a signature of each (RFC 6376, 8301 and 8463).

Written out, as the library that there is takes ten times as long; the tests verify with it. A key's other half stands
in the DNS, as TXT of `<selector>._domainkey.<domain>`:

    v=DKIM1; k=rsa; p=…        openssl pkey -in key.pem -pubout -outform DER | base64 -w0
    v=DKIM1; k=ed25519; p=…    openssl pkey -in key.pem -pubout -outform DER | tail -c 32 | base64

An RSA record is longer than one string of a TXT may be (255 bytes): it is given as several, which are read as one.
"""

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from notifier.setting_types import DkimKey

# What assemble() writes, each once more than it stands there, so that no second one can be put in beside it (RFC 6376
# section 8.15); and two that would be answered to.
_WRITTEN = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
_SIGNED = (*(name for name in _WRITTEN for _ in range(2)), "Reply-To", "Cc")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_BLANKS = re.compile(rb"[ \t]+")
_LINE = 72


def sign(content: bytes, domain: str, keys: Sequence[DkimKey]) -> bytes:
    """With a DKIM-Signature header for each key, of `domain`; the same arguments give the same bytes."""
    if not keys:
        return content
    head, _, body = content.partition(b"\r\n\r\n")
    body_hash = base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest()).decode()
    signed = _signed_fields(head)
    return b"".join(_signature(domain, key, body_hash, signed) for key in keys) + content


def _signature(domain: str, key: DkimKey, body_hash: str, signed: bytes) -> bytes:
    edwards = isinstance(key.key, Ed25519PrivateKey)
    field = (
        f"DKIM-Signature: v=1; a={'ed25519' if edwards else 'rsa'}-sha256; c=relaxed/relaxed;\r\n"
        f" d={domain}; s={key.selector};\r\n"
        f" h={':'.join(_SIGNED[:10])}:\r\n {':'.join(_SIGNED[10:])};\r\n"
        f" bh={body_hash};\r\n"
        " b="
    ).encode("ascii")
    data = signed + _relaxed_field(field)
    if isinstance(key.key, Ed25519PrivateKey):
        # Of the hash, as the other kind is (RFC 8463 section 3).
        made = key.key.sign(hashlib.sha256(data).digest())
    else:
        made = key.key.sign(data, PKCS1v15(), SHA256())
    encoded = base64.b64encode(made)
    return field + b"\r\n ".join(encoded[i : i + _LINE] for i in range(0, len(encoded), _LINE)) + b"\r\n"


def _signed_fields(head: bytes) -> bytes:
    """The header fields that are named, the last of a name first (RFC 6376 section 5.4.2), in relaxed form."""
    fields: dict[str, list[bytes]] = defaultdict(list)
    for line in _FOLD.sub(b"", head).split(b"\r\n"):
        relaxed = _relaxed_field(line)
        fields[relaxed.partition(b":")[0].decode("ascii", "replace")].append(relaxed + b"\r\n")
    return b"".join(fields[name].pop() for name in map(str.lower, _SIGNED) if fields[name])


def _relaxed_field(field: bytes) -> bytes:
    """RFC 6376 section 3.4.2."""
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + _BLANKS.sub(b" ", _FOLD.sub(b"", value)).strip()


def _relaxed_body(body: bytes) -> bytes:
    """RFC 6376 section 3.4.4."""
    text = body.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    text = text.replace(b" \r\n", b"\r\n").rstrip(b" \r\n")
    return text + b"\r\n" if text else b""
