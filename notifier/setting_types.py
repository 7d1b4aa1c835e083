"""How each kind of setting is written: words of the environment come in, typed values go out, or ValueError.

Each type's text says what would be right, and repeats nothing of what was given: it may be a secret.
"""

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from email.utils import parseaddr
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from limits import RateLimitItem, parse
from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr
from pydantic_settings import NoDecode

from links.purposes import NAMES
from notifier import store_url
from notifier.pressure import DEPTHS
from notifier.recipients import parse_email
from notifier.throttle import DEFAULTS

# Rules that a key may have of its own.
KEY_RULES = frozenset({"api_key", "code_producer"})
SCOPES = frozenset(
    {"events:write", "codes:write", "notifications:read", "inbox", "links:write", "receipts:write", "admin"}
)
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
# The life of a `reactivate` link that its owner asked for, beside the purposes' own.
ON_REQUEST = "reactivate_on_request"
LONGEST_CODE = timedelta(minutes=30)
_LINE = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
# Labels of a name in the DNS.
_SELECTOR = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*")
# Shorter ones are refused by many who verify (RFC 8301 section 3.2). Bits.
_LEAST_RSA = 2048
# Of the 64 characters that may stand before an @ (RFC 5321 section 4.5.3.1.1): return_path.py adds 44.
_LONGEST_BOUNCE_LOCAL = 20


def _split(value: Any) -> Any:
    return tuple(value.split()) if isinstance(value, str) else value


def _seconds(value: Any) -> Any:
    return float(value) if isinstance(value, str) and value.replace(".", "", 1).isdecimal() else value


def _keys(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    keys = []
    for word in value.split():
        try:
            key = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            raise ValueError("each key must be 32 random bytes in URL-safe base64")
        keys.append(key)
    if not keys:
        raise ValueError("needs at least one key")
    return tuple(keys)


class Keys(tuple[bytes, ...]):
    """32-byte keys, newest last; never shown."""

    def __repr__(self) -> str:
        return f"<{len(self)} keys>"


def _pairs(value: Any) -> Any:
    """`name=value name=value`."""
    if not isinstance(value, str):
        return value
    pairs = [word.partition("=") for word in value.split()]
    if not all(name and is_given for name, is_given, _ in pairs):
        raise ValueError("must be name=value, space-separated")
    return {name: given for name, _, given in pairs}


def _lives(names: Collection[str] = ()) -> Callable[[Any], Any]:
    """`name=duration …`, of these names if any."""

    def read(value: Any) -> Any:
        pairs = _pairs(value)
        if names and set(pairs) - set(names):
            raise ValueError(f"each name must be one of {', '.join(sorted(names))}")
        return {name: _seconds(life) for name, life in pairs.items()}

    return read


def _countries(words: tuple[str, ...]) -> tuple[str, ...]:
    named = tuple(word.upper() for word in words)
    if set(named) - SUPPORTED_REGIONS:
        raise ValueError("each must be a country's two letters (ISO 3166), such as AL")
    return named


def _life(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("must not be less than no time")
    return value


def _one_line(value: str) -> str:
    if not _LINE.fullmatch(value):
        raise ValueError("must be one line of 1 to 64 characters")
    return value


def _code_life(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= LONGEST_CODE:
        raise ValueError("a code lives longer than no time and 30 minutes at most")
    return value


def rates(value: Any, names: Collection[str] = DEFAULTS) -> Any:
    """`name=5/10minute …`, of these names; raises ValueError."""
    try:
        read = {name: parse(rate) if isinstance(rate, str) else rate for name, rate in _pairs(value).items()}
    except ValueError:
        raise ValueError("each must be name=times/span, such as code_address=5/10minute") from None
    if set(read) - set(names):
        raise ValueError(f"each name must be one of {', '.join(sorted(names))}")
    # A limit of none would lock everybody out, and not say why.
    if any(rate.amount < 1 for rate in read.values()):
        raise ValueError("each must allow at least 1, such as code_address=5/10minute")
    return read


def _depths(value: Any) -> Any:
    """`critical=1000000 …`."""
    depths = _pairs(value)
    if set(depths) - set(DEPTHS):
        raise ValueError(f"each name must be one of {', '.join(DEPTHS)}")
    return depths


class ApiKey(NamedTuple):
    """One producer's key, of which only the SHA-256 is known, and what it may do.

    `id` is what one that is kept in the store goes by, '' for one of the settings. `notices` are those that it may
    post, None: all. `limits` are rules of its own. `signing` is the sealed secret that its requests are signed with,
    b'' where they are not.
    """

    producer: str
    digest: str
    scopes: frozenset[str]
    id: str = ""
    notices: frozenset[str] | None = None
    limits: Mapping[str, RateLimitItem] = MappingProxyType({})
    signing: bytes = b""

    def __repr__(self) -> str:
        return f"<key {self.id} of {self.producer}>"


def _api_keys(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    keys = []
    for word in value.split():
        # Scopes have a colon themselves, so the third part is all that follows the second.
        producer, _, rest = word.partition(":")
        digest, _, scopes = rest.partition(":")
        named = frozenset(scopes.split(",")) if scopes else SCOPES
        if not producer or len(digest) != 64 or set(digest) - set("0123456789abcdef") or named - SCOPES:
            raise ValueError("each must be producer:sha256-hex-of-key[:scope,scope]")
        keys.append(ApiKey(producer, digest, named))
    return tuple(keys)


class SmtpRelay(NamedTuple):
    """`smtp://user:pass@host:587?tls=starttls&connections=8&rate=50`; `rate` is in mails a second, None is no limit."""

    host: str
    port: int
    tls: Literal["tls", "starttls", "none"]
    username: str | None
    password: str | None
    connections: int = 8
    rate: float | None = None

    def __repr__(self) -> str:
        return f"<relay {self.host}:{self.port} tls={self.tls}>"


def _relays(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    relays = tuple(_relay(word) for word in value.split())
    if not relays:
        raise ValueError("needs at least one relay")
    return relays


def _relay(word: str) -> SmtpRelay:
    wrong = ValueError(
        "each must be smtp://[user:password@]host[:port][?tls=tls|starttls|none][&connections=1..100][&rate=mails-a-second]"
    )
    try:
        url = urlsplit(word)
        options = dict(part.partition("=")[::2] for part in url.query.split("&") if part)
        host = url.hostname or ""
        tls = options.pop("tls", "none" if host in LOOPBACK else "starttls")
        connections, rate = int(options.pop("connections", "8")), float(options.pop("rate", "inf"))
        port = url.port or {"tls": 465, "starttls": 587}.get(tls, 25)
    except ValueError:
        raise wrong from None
    if url.scheme != "smtp" or not host or url.path not in ("", "/") or url.fragment or options:
        raise wrong
    if tls not in ("tls", "starttls", "none") or not 1 <= connections <= 100 or not rate > 0:
        raise wrong
    return SmtpRelay(
        host,
        port,
        tls,  # type: ignore[arg-type]  # checked above
        unquote(url.username) if url.username else None,
        unquote(url.password) if url.password else None,
        connections,
        rate if isfinite(rate) else None,
    )


class DkimKey(NamedTuple):
    """A private key, and the selector under which the DNS has its public one (RFC 6376 section 3.1); never shown."""

    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"<DKIM key {self.selector}>"


def _dkim_keys(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    keys = tuple(_dkim_key(*word.partition("=")[::2]) for word in value.split())
    if len({key.selector for key in keys}) < len(keys):
        # A selector is one record in the DNS, and a record is one key.
        raise ValueError("each selector may stand once")
    return keys


def _dkim_key(selector: str, path: str) -> DkimKey:
    wrong = ValueError("each must be selector=path of a PEM file that holds an RSA (2048 bits or more) or Ed25519 key")
    if not _SELECTOR.fullmatch(selector):
        raise wrong
    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise wrong from None
    if isinstance(key, Ed25519PrivateKey) or (isinstance(key, RSAPrivateKey) and key.key_size >= _LEAST_RSA):
        return DkimKey(selector, key)
    raise wrong


def _store_url(value: SecretStr) -> SecretStr:
    store_url.check(value.get_secret_value())
    return value


AccountName = Literal["twilio", "twilio_second"]


class TwilioAccount(NamedTuple):
    """What SMS is sent by, as `sender` (a number) or by `messaging_service`; `name` is how receipts call it.

    `base_url` is another endpoint than Twilio's own.
    """

    name: AccountName
    sid: str
    token: str
    sender: str | None = None
    messaging_service: str | None = None
    base_url: str | None = None

    def __repr__(self) -> str:
        return f"<account {self.name}>"


def _web_url(value: str) -> str:
    return str(HttpUrl(value))


def _public_url(value: str) -> str:
    url = HttpUrl(value)
    if url.query or url.fragment or (url.scheme != "https" and url.host not in LOOPBACK):
        raise ValueError("must be https://host[/path] (http only to this machine)")
    return str(url).rstrip("/")


def _mailbox(value: str) -> str:
    """`Brand <security@example.com>` or a bare address, as RFC 5322 has it; raises ValueError."""
    name, address = parseaddr(value)
    if any(ord(c) < 32 for c in name):
        raise ValueError("must be one line: Name <name@example.com>")
    return value.replace(address, _own_address(address))


def _own_address(value: str) -> str:
    """In ASCII, its domain too: ours must be one that every relay and mailbox can answer to."""
    return parse_email(value, international=False)


def _bounce_address(value: str) -> str:
    address = _own_address(value)
    if len(address.rpartition("@")[0]) > _LONGEST_BOUNCE_LOCAL:
        raise ValueError(f"must have at most {_LONGEST_BOUNCE_LOCAL} characters before its @, as each mail adds 44")
    return address


def _webhook_secrets(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    secrets = []
    for word in value.split():
        try:
            secrets.append(base64.b64decode(word.removeprefix("whsec_"), validate=True))
        except binascii.Error:
            raise ValueError("each must be whsec_ and base64, as Standard Webhooks has it") from None
        if len(secrets[-1]) < 24:
            raise ValueError("each must hold at least 24 random bytes, as Standard Webhooks has it")
    if not secrets:
        raise ValueError("needs at least one secret")
    return tuple(secrets)


Duration = Annotated[timedelta, BeforeValidator(_seconds), AfterValidator(_life)]
CodeLife = Annotated[Duration, AfterValidator(_code_life)]
Digits = Annotated[int, Field(ge=4, le=10)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Countries = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_countries)]
OneLine = Annotated[str, AfterValidator(_one_line)]
StoreUrl = Annotated[SecretStr, AfterValidator(_store_url)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
OwnAddress = Annotated[str, AfterValidator(_own_address)]
BounceAddress = Annotated[str, AfterValidator(_bounce_address)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
SmtpRelays = Annotated[tuple[SmtpRelay, ...], NoDecode, BeforeValidator(_relays)]
DkimKeys = Annotated[tuple[DkimKey, ...], NoDecode, BeforeValidator(_dkim_keys)]
ApiKeys = Annotated[tuple[ApiKey, ...], NoDecode, BeforeValidator(_api_keys)]
KeyList = Annotated[tuple[bytes, ...], NoDecode, BeforeValidator(_keys), AfterValidator(Keys)]
WebhookSecrets = Annotated[tuple[bytes, ...], NoDecode, BeforeValidator(_webhook_secrets), AfterValidator(Keys)]
LinkLives = Annotated[dict[str, Duration], NoDecode, BeforeValidator(_lives(NAMES | {ON_REQUEST}))]
Holds = Annotated[dict[str, Duration], NoDecode, BeforeValidator(_lives())]
CodeLives = Annotated[dict[str, CodeLife], NoDecode, BeforeValidator(_lives())]
CodeLengths = Annotated[dict[str, Digits], NoDecode, BeforeValidator(_pairs)]
Rates = Annotated[dict[str, Any], NoDecode, BeforeValidator(rates)]
LaneDepths = Annotated[dict[str, Annotated[int, Field(ge=1)]], NoDecode, BeforeValidator(_depths)]
