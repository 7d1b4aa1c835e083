"""The environment comes in, one frozen `Settings` goes out; only the roots (app, worker, cli) read it.

Every setting is `NOTIFIER_<NAME>`; any may instead be a file's content, `NOTIFIER_<NAME>_FILE`. Lists are
space-separated, times are seconds or ISO 8601 durations (`7200`, `PT2H`). Secrets have no default.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from pydantic import DirectoryPath, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from links.durability import Acknowledge
from links.purposes import NAMES
from notifier.notices import HOLDS
from notifier.setting_types import (
    LONGEST_CODE,
    LOOPBACK,
    AccountName,
    ApiKeys,
    BounceAddress,
    CodeLengths,
    CodeLife,
    CodeLives,
    Countries,
    Digits,
    DkimKeys,
    Duration,
    Holds,
    KeyList,
    LaneDepths,
    LinkLives,
    Mailbox,
    OneLine,
    OwnAddress,
    PublicUrl,
    Rates,
    SmtpRelays,
    StoreUrl,
    TwilioAccount,
    WebhookSecrets,
    WebUrl,
    Words,
)

PREFIX = "NOTIFIER_"
# How the settings of an SMS account begin; the first is preferred.
_TWILIO: tuple[AccountName, ...] = get_args(AccountName)


class SettingsError(Exception):
    """The environment is wrong; each line of the text names a setting and what would be right."""


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

    # What has an example must be set. Who speaks, and where the links lead.
    public_url: PublicUrl = Field(examples=["https://notify.example.com"])
    brand: OneLine = Field(examples=["Northbank"])
    sender: Mailbox = Field(validation_alias="NOTIFIER_FROM", examples=["'Northbank <no-reply@example.com>'"])
    support_email: OwnAddress = Field(examples=["help@example.com"])
    default_locale: str = "en"
    # Where catalogs are read, and read again when they change. None: those that come with the service.
    locales: DirectoryPath | None = None
    # Pages that show every message in every language, to whoever asks: not for production.
    preview: bool = False

    # The store. None: the embedded server, kept in data_dir.
    redis_url: StoreUrl | None = None
    data_dir: Path = Path(".data")
    # Where what is accepted must have arrived before the caller is told.
    acknowledge: Acknowledge = "memory"

    # Mail and SMS.
    smtp_urls: SmtpRelays = Field(examples=["smtp://user:password@relay.example.com:587"])
    smtp_allow_plain: bool = False
    # How many mails a worker may have in doubt, and double if it is killed.
    mails_in_doubt: Annotated[int, Field(ge=1, le=100)] = 1
    bounce_address: BounceAddress | None = None
    dkim_keys: DkimKeys = ()
    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_from: str | None = None
    twilio_messaging_service_sid: str | None = None
    twilio_base_url: PublicUrl | None = None
    twilio_second_account_sid: str | None = None
    twilio_second_auth_token: SecretStr | None = None
    twilio_second_from: str | None = None
    twilio_second_messaging_service_sid: str | None = None
    twilio_second_base_url: PublicUrl | None = None

    # The account platform.
    platform_url: WebUrl = Field(examples=["https://accounts.example.com/webhooks"])
    platform_secrets: WebhookSecrets = Field(examples=["$(notifier keys secret --webhook)"])

    # Keys, newest last.
    link_keys: KeyList = Field(examples=["$(notifier keys secret)"])
    code_keys: KeyList = Field(examples=["$(notifier keys secret)"])
    payload_keys: KeyList = Field(examples=["$(notifier keys secret)"])
    api_keys: ApiKeys = ()

    # Links and codes.
    link_lives: LinkLives = {}
    link_challenges: Words | None = None
    reactivation_delay: Duration = timedelta(hours=2)
    code_life: CodeLife = LONGEST_CODE
    code_lives: CodeLives = {}
    code_length: Digits = 6
    code_lengths: CodeLengths = {}

    # Holds, limits, and how long an audit and an inbox are kept.
    holds: Holds = {}
    limits: Rates = {}
    lane_depths: LaneDepths = {}
    sms_countries: Countries = ()
    audit_age: Duration = timedelta(days=90)
    inbox_age: Duration = timedelta(days=90)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Settings that are right alone and wrong together."""
        exposed = [r.host for r in self.smtp_urls if r.tls == "none" and r.host not in LOOPBACK]
        if exposed and not self.smtp_allow_plain:
            raise ValueError("NOTIFIER_SMTP_URLS: tls=none only to this machine, or set NOTIFIER_SMTP_ALLOW_PLAIN")
        if self.acknowledge == "replica" and not self.redis_url:
            raise ValueError("NOTIFIER_ACKNOWLEDGE: replica needs NOTIFIER_REDIS_URL: the embedded server has none")
        for name in _TWILIO:
            _whole(name, self._twilio(name))
        if self.twilio_second_account_sid and not self.twilio_account_sid:
            raise ValueError("NOTIFIER_TWILIO_ACCOUNT_SID: is not set, and NOTIFIER_TWILIO_SECOND_ACCOUNT_SID is")
        unknown = set(self.link_challenges or ()) - NAMES
        if unknown:
            raise ValueError(f"NOTIFIER_LINK_CHALLENGES: each must be one of {', '.join(sorted(NAMES))}")
        if set(self.holds) - set(HOLDS):
            raise ValueError(f"NOTIFIER_HOLDS: each name must be one of {', '.join(sorted(HOLDS))}")
        return self

    @property
    def twilio_accounts(self) -> tuple[TwilioAccount, ...]:
        """What SMS is sent by, first preferred; none: no SMS."""
        accounts = (self._twilio(name) for name in _TWILIO)
        return tuple(account for account in accounts if account.sid)

    def _twilio(self, name: AccountName) -> TwilioAccount:
        """The settings that begin with a name, whether they make an account or not."""
        token: SecretStr | None = getattr(self, f"{name}_auth_token")
        return TwilioAccount(
            name,
            getattr(self, f"{name}_account_sid") or "",
            token.get_secret_value() if token else "",
            getattr(self, f"{name}_from"),
            getattr(self, f"{name}_messaging_service_sid"),
            getattr(self, f"{name}_base_url"),
        )

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


def _whole(name: str, account: TwilioAccount) -> None:
    """Raises ValueError for half of an account."""
    named = PREFIX + name.upper()
    if any(account[1:]) and not account.sid:
        raise ValueError(f"{named}_ACCOUNT_SID: is not set, and others of {named}_… are")
    if account.sid and not account.token:
        raise ValueError(f"{named}_AUTH_TOKEN: is not set, and {named}_ACCOUNT_SID is")
    if account.sid and not (account.sender or account.messaging_service):
        raise ValueError(f"{named}_FROM: set it or {named}_MESSAGING_SERVICE_SID")


def load() -> Settings:
    """The settings of this process's environment; raises SettingsError with one line for each that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise SettingsError("\n".join(map(_line, problems))) from None


def _line(problem: ErrorDetails) -> str:
    said = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:  # `_agree` names the settings itself
        return said
    name = str(problem["loc"][0])
    name = name if name.startswith(PREFIX) else PREFIX + name.upper()
    if said != problem["msg"]:
        return f"{name}: {said}"
    # Not ours, and in words of Python's.
    said = _WORDS.get(problem["type"], said.replace("Input should be", "must be"))
    such = [f"{name}={example}" for example in _EXAMPLES.get(name, ())]
    return ", for example ".join((f"{name}: {said}", *such))


_WORDS = {
    "missing": "is not set",
    "bool_parsing": "must be true or false",
    "int_parsing": "must be a whole number",
    "time_delta_parsing": "must be seconds or an ISO 8601 duration, such as 7200 or PT2H",
}
_EXAMPLES = {
    str(field.validation_alias or PREFIX + name.upper()): field.examples
    for name, field in Settings.model_fields.items()
    if field.examples
}
