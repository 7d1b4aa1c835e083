"""How each kind of setting is written: words of the environment come in, typed values go out, or ValueError.

Each type's text says what would be right, and repeats nothing of what was given: it may be a secret.
"""

import base64
import binascii
from collections.abc import Callable, Collection
from datetime import timedelta
from email.utils import parseaddr
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from limits import parse
from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl
from pydantic_settings import NoDecode

from links.purposes import NAMES
from notifier.recipients import parse_email
from notifier.throttle import DEFAULTS

SCOPES = frozenset({"events:write", "codes:write", "notifications:read", "links:write", "admin"})
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
# The life of a `reactivate` link that its owner asked for, beside the purposes' own.
ON_REQUEST = "reactivate_on_request"
LONGEST_CODE = timedelta(minutes=30)


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


def _rates(value: Any) -> Any:
    """`name=5/10minute …`."""
    try:
        rates = {name: parse(rate) if isinstance(rate, str) else rate for name, rate in _pairs(value).items()}
    except ValueError:
        raise ValueError("each must be name=times/span, such as code_address=5/10minute") from None
    if set(rates) - set(DEFAULTS):
        raise ValueError(f"each name must be one of {', '.join(sorted(DEFAULTS))}")
    return rates


class ApiKey(NamedTuple):
    """One producer's key, of which only the SHA-256 is known; no scopes mean all."""

    producer: str
    digest: str
    scopes: frozenset[str]


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
    """`smtp://user:pass@host:587?tls=starttls`."""

    host: str
    port: int
    tls: Literal["tls", "starttls", "none"]
    username: str | None
    password: str | None

    def __repr__(self) -> str:
        return f"<relay {self.host}:{self.port} tls={self.tls}>"


def _relays(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    relays = []
    for word in value.split():
        url = urlsplit(word)
        options = dict(part.partition("=")[::2] for part in url.query.split("&") if part)
        host = url.hostname or ""
        tls = options.pop("tls", "none" if host in LOOPBACK else "starttls")
        try:
            port = url.port or {"tls": 465, "starttls": 587}.get(tls, 25)
        except ValueError:
            port = 0
        if url.scheme != "smtp" or not host or not port or tls not in ("tls", "starttls", "none") or options:
            raise ValueError("each must be smtp://[user:password@]host[:port][?tls=tls|starttls|none]")
        relays.append(
            SmtpRelay(
                host,
                port,
                tls,  # type: ignore[arg-type]  # checked above
                unquote(url.username) if url.username else None,
                unquote(url.password) if url.password else None,
            )
        )
    if not relays:
        raise ValueError("needs at least one relay")
    return tuple(relays)


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
    parse_email(address)
    if any(ord(c) < 32 for c in name):
        raise ValueError("must be one line: Name <name@example.com>")
    return value


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


Duration = Annotated[timedelta, BeforeValidator(_seconds), Field(ge=timedelta(0))]
Digits = Annotated[int, Field(ge=4, le=10)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
OneLine = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]
WebUrl = Annotated[str, AfterValidator(_web_url)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
SmtpRelays = Annotated[tuple[SmtpRelay, ...], NoDecode, BeforeValidator(_relays)]
ApiKeys = Annotated[tuple[ApiKey, ...], NoDecode, BeforeValidator(_api_keys)]
KeyList = Annotated[tuple[bytes, ...], NoDecode, BeforeValidator(_keys), AfterValidator(Keys)]
WebhookSecrets = Annotated[tuple[bytes, ...], NoDecode, BeforeValidator(_webhook_secrets), AfterValidator(Keys)]
LinkLives = Annotated[dict[str, Duration], NoDecode, BeforeValidator(_lives(NAMES | {ON_REQUEST}))]
CodeLives = Annotated[dict[str, Duration], NoDecode, BeforeValidator(_lives())]
CodeLengths = Annotated[dict[str, Digits], NoDecode, BeforeValidator(_pairs)]
Rates = Annotated[dict[str, Any], NoDecode, BeforeValidator(_rates)]
