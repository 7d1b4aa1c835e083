"""The environment comes in, one frozen `Settings` goes out; only the roots (app, worker, cli) read it.

Every setting is `NOTIFIER_<NAME>`; a secret may instead be a file's content, `NOTIFIER_<NAME>_FILE`. Lists are
space-separated, times are seconds or ISO 8601 durations (`7200`, `PT2H`). Secrets have no default.
"""

import base64
import binascii
import os
from collections.abc import Callable, Collection
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self
from urllib.parse import unquote, urlsplit

from limits import parse
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from links.purposes import NAMES
from notifier.recipients import parse_email
from notifier.throttle import DEFAULTS

PREFIX = "NOTIFIER_"


class SettingsError(Exception):
    """The environment is wrong; each line of the text names a setting and what would be right."""


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


# The life of a `reactivate` link that its owner asked for, beside the purposes' own.
ON_REQUEST = "reactivate_on_request"
_LONGEST_CODE = timedelta(minutes=30)
_Digits = Field(ge=4, le=10)

Duration = Annotated[timedelta, BeforeValidator(_seconds), Field(ge=timedelta(0))]
KeyList = Annotated[tuple[bytes, ...], NoDecode, BeforeValidator(_keys), AfterValidator(Keys)]


class ApiKey(NamedTuple):
    """One producer's key, of which only the SHA-256 is known; no scopes mean all."""

    producer: str
    digest: str
    scopes: frozenset[str]


SCOPES = frozenset({"events:write", "codes:write", "notifications:read", "links:write", "admin"})


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


LOOPBACK = {"127.0.0.1", "::1", "localhost"}


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


def parse_mailbox(value: str) -> str:
    """`Brand <security@example.com>` or a bare address, as RFC 5322 has it; raises ValueError."""
    name, address = parseaddr(value)
    parse_email(address)
    if any(ord(c) < 32 for c in name):
        raise ValueError("must be one line: Name <name@example.com>")
    return value


def _platform_secrets(value: Any) -> Any:
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


class _SecretFiles(PydanticBaseSettingsSource):
    """`NOTIFIER_X_FILE` → the content of that file, for any setting X."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        # `sender` is set as NOTIFIER_FROM: a field with an alias goes by that.
        key = field.validation_alias or field_name
        name = f"{field.validation_alias or PREFIX + field_name.upper()}_FILE"
        path = os.environ.get(name)
        if path is None:
            return None, key, False
        try:
            return Path(path).read_text("utf-8").strip(), key, False
        except OSError as error:
            raise SettingsError(f"{name}: {error.strerror}: {path}") from None
        except UnicodeDecodeError:
            raise SettingsError(f"{name}: must hold text in UTF-8: {path}") from None

    def __call__(self) -> dict[str, Any]:
        read = [self.get_field_value(field, name) for name, field in self.settings_cls.model_fields.items()]
        return {key: value for value, key, _ in read if value is not None}


class Settings(BaseSettings):
    """Everything an operator may set. Frozen."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    # Who speaks, and where the links lead.
    public_url: Annotated[str, AfterValidator(_public_url)]
    brand: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]
    sender: Annotated[str, AfterValidator(parse_mailbox)] = Field(validation_alias="NOTIFIER_FROM")
    support_email: Annotated[str, AfterValidator(parse_email)]
    default_locale: str = "en"

    # The store. None: the embedded server, kept in data_dir.
    redis_url: SecretStr | None = None
    data_dir: Path = Path(".data")

    # Mail and SMS.
    smtp_urls: Annotated[tuple[SmtpRelay, ...], NoDecode, BeforeValidator(_relays)]
    smtp_allow_plain: bool = False
    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_from: str | None = None
    twilio_messaging_service_sid: str | None = None
    twilio_base_url: str | None = None

    # The account platform.
    platform_url: Annotated[str, AfterValidator(_web_url)]
    platform_secrets: Annotated[tuple[bytes, ...], NoDecode, BeforeValidator(_platform_secrets), AfterValidator(Keys)]

    # Keys, newest last.
    link_keys: KeyList
    code_keys: KeyList
    payload_keys: KeyList
    api_keys: Annotated[tuple[ApiKey, ...], NoDecode, BeforeValidator(_api_keys)] = ()

    # Links and codes.
    link_lives: Annotated[dict[str, timedelta], NoDecode, BeforeValidator(_lives(NAMES | {ON_REQUEST}))] = {}
    link_challenges: Annotated[tuple[str, ...] | None, NoDecode, BeforeValidator(_split)] = None
    reactivation_delay: Duration = timedelta(hours=2)
    code_life: Annotated[Duration, Field(gt=timedelta(0), le=_LONGEST_CODE)] = _LONGEST_CODE
    code_lives: Annotated[dict[str, timedelta], NoDecode, BeforeValidator(_lives())] = {}
    code_length: Annotated[int, _Digits] = 6
    code_lengths: Annotated[dict[str, Annotated[int, _Digits]], NoDecode, BeforeValidator(_pairs)] = {}

    # Holds, limits, and how long an audit is kept.
    hold_account_reactivated: Duration = timedelta(hours=48)
    limits: Annotated[dict[str, Any], NoDecode, BeforeValidator(_rates)] = {}
    sms_countries: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    audit_age: Duration = timedelta(days=90)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Settings that are right alone and wrong together."""
        exposed = [r.host for r in self.smtp_urls if r.tls == "none" and r.host not in LOOPBACK]
        if exposed and not self.smtp_allow_plain:
            raise ValueError("NOTIFIER_SMTP_URLS: tls=none only to this machine, or set NOTIFIER_SMTP_ALLOW_PLAIN")
        if self.twilio_account_sid and not self.twilio_auth_token:
            raise ValueError("NOTIFIER_TWILIO_AUTH_TOKEN: is not set, and NOTIFIER_TWILIO_ACCOUNT_SID is")
        if self.twilio_account_sid and not (self.twilio_from or self.twilio_messaging_service_sid):
            raise ValueError("NOTIFIER_TWILIO_FROM: set it or NOTIFIER_TWILIO_MESSAGING_SERVICE_SID")
        unknown = set(self.link_challenges or ()) - NAMES
        if unknown:
            raise ValueError(f"NOTIFIER_LINK_CHALLENGES: each must be one of {', '.join(sorted(NAMES))}")
        if any(life > _LONGEST_CODE for life in self.code_lives.values()):
            raise ValueError("NOTIFIER_CODE_LIVES: a code lives 30 minutes at most")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then the files that it names; no .env is read."""
        return init_settings, env_settings, _SecretFiles(settings_cls)


def load() -> Settings:
    """The settings of this process's environment; raises SettingsError with one line for each that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(
            "\n".join(
                _line(problem["loc"], "is not set" if problem["type"] == "missing" else problem["msg"])
                for problem in error.errors(include_url=False, include_input=False)
            )
        ) from None


def _line(loc: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not loc:  # `_agree` names the settings itself
        return message
    name = str(loc[0])
    return f"{name if name.startswith(PREFIX) else PREFIX + name.upper()}: {message}"
