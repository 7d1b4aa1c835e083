"""Settings: what is wrong is told in one line that names it; what is secret is never shown."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_elliptic_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from notifier.app import create_app
from notifier.config import PREFIX, Settings, SettingsError, load
from notifier.setting_types import SmtpRelay
from tests.service import environment

SECRET = "hunter2hunter2"


@pytest.fixture
def set_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name, value in environment(NOTIFIER_DATA_DIR=str(tmp_path)).items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "not a url"),
        ("PUBLIC_URL", "http://notify.example.com"),
        ("PUBLIC_URL", f"https://notify.example.com?{SECRET}"),
        ("PUBLIC_URL", f"javascript:{SECRET}"),
        ("FROM", SECRET),
        ("FROM", "Northbank"),
        ("SMTP_URLS", ""),
        ("SMTP_URLS", f"http://user:{SECRET}@mail.example:587"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example:99999"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@[::1:25"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example?tls=maybe"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example?tls=none"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example?tls=tls&x=1"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example/path"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example?connections=0"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example?connections=101"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example?connections=many"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example?connections="),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example?rate=0"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example?rate=-5"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example?rate=nan"),
        ("SMTP_URLS", f"smtp://user:{SECRET}@mail.example?rate=5/s"),
        ("SMTP_URLS", f"smtp://user:{SECRET}#@mail.example"),
        ("DKIM_KEYS", SECRET),
        ("DKIM_KEYS", f"={SECRET}"),
        ("DKIM_KEYS", f"mail=/nowhere/{SECRET}"),
        ("DKIM_KEYS", "mail=/"),
        ("DKIM_KEYS", "mail="),
        ("DKIM_KEYS", f"-mail={__file__}"),
        ("DKIM_KEYS", f"mail={__file__}"),
        ("FROM", "Northbank <ёлка@northbank.example>"),
        ("SUPPORT_EMAIL", "ёлка@northbank.example"),
        ("SMTP_ALLOW_PLAIN", "maybe"),
        ("LINK_KEYS", ""),
        ("LINK_KEYS", SECRET),
        ("CODE_KEYS", base64.urlsafe_b64encode(SECRET.encode()).decode()),
        ("PAYLOAD_KEYS", "é" * 43),
        ("PLATFORM_SECRETS", ""),
        ("PLATFORM_SECRETS", f"whsec_{SECRET}!"),
        ("PLATFORM_SECRETS", "whsec_c2hvcnQ="),
        ("PLATFORM_SECRETS", "whsec_é"),
        ("API_KEYS", SECRET),
        ("API_KEYS", f"tests:{SECRET}"),
        ("API_KEYS", f"tests:{'0' * 64}:everything"),
        ("API_KEYS", f":{'0' * 64}"),
        ("CODE_LIFE", "half an hour"),
        ("CODE_LIFE", "-PT30M"),
        ("CODE_LIFE", "²"),
        ("CODE_LIFE", "9" * 400),
        ("CODE_LIFE", "PT31M"),
        ("CODE_LIVES", "sign_in=PT31M"),
        ("CODE_LIVES", "sign_in=PT0S"),
        ("CODE_LIVES", "sign_in=-PT1M"),
        ("CODE_LIFE", "0"),
        ("CODE_LENGTHS", "sign_in=3"),
        ("LINK_LIVES", "deactivate"),
        ("LINK_LIVES", "everything=P1D"),
        ("LINK_LIVES", "deactivate=soon"),
        ("LINK_CHALLENGES", "everything"),
        ("HOLDS", "password_changed"),
        ("HOLDS", "login_succeeded=P1D"),
        ("HOLDS", "password_changed=-P1D"),
        ("LIMITS", "visitor=often"),
        ("LIMITS", "api_key=0/minute"),
        ("SMS_COUNTRIES", "XX"),
        ("SMS_COUNTRIES", "AL,NO"),
        ("SMS_COUNTRIES", f"AL {SECRET}"),
        ("LANE_DEPTHS", "everything=1"),
        ("LANE_DEPTHS", "bulk"),
        ("LANE_DEPTHS", "bulk=0"),
        ("LANE_DEPTHS", f"bulk={SECRET}"),
        ("LIMITS", "everything=1/second"),
        ("TWILIO_BASE_URL", f"http://user:{SECRET}@sms.example"),
        ("TWILIO_SECOND_BASE_URL", "sms.example"),
        ("PLATFORM_URL", "ftp://platform.example"),
        ("SUPPORT_EMAIL", "help"),
        ("BOUNCE_ADDRESS", f"{'b' * 21}@northbank.example"),
        ("BRAND", "North\nbank"),
        ("REDIS_URL", f"redis+sentinel://:{SECRET}@a.example"),
        ("REDIS_URL", f"redis://:{SECRET}@a.example:{SECRET}"),
        ("REDIS_URL", SECRET),
        ("LOCALES", f"/nowhere/{SECRET}"),
        ("PREVIEW", SECRET),
        ("ACKNOWLEDGE", SECRET),
        ("ACKNOWLEDGE", "replica"),
        ("REACTIVATION_DELAY", "-1"),
        ("CODE_LENGTH", "3"),
        ("CODE_LENGTH", "11"),
        ("CODE_LENGTH", "six"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(name: str, value: str, set_environment: pytest.MonkeyPatch) -> None:
    set_environment.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError) as error:
        load()
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{PREFIX}{name}: ")
    assert SECRET not in line
    assert SECRET not in repr(error.value)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("LINK_LIVES", "deactivate=-P1D", "must not be less than no time"),
        ("REACTIVATION_DELAY", "-PT1H", "must not be less than no time"),
        ("AUDIT_AGE", "soon", "must be seconds or an ISO 8601 duration, such as 7200 or PT2H"),
        ("BRAND", "", "must be one line of 1 to 64 characters"),
        ("BRAND", "North\nbank", "must be one line of 1 to 64 characters"),
        ("PREVIEW", "maybe", "must be true or false"),
        ("CODE_LENGTH", "six", "must be a whole number"),
        ("SMS_COUNTRIES", "XX", "each must be a country's two letters (ISO 3166), such as AL"),
    ],
)
def test_what_would_be_right_is_told_in_words_of_ours(
    name: str, value: str, told: str, set_environment: pytest.MonkeyPatch
) -> None:
    set_environment.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError) as error:
        load()
    assert str(error.value).startswith(f"{PREFIX}{name}: {told}")


def test_countries_are_written_in_any_casing(set_environment: pytest.MonkeyPatch) -> None:
    set_environment.setenv("NOTIFIER_SMS_COUNTRIES", "al No")
    assert load().sms_countries == ("AL", "NO")


@pytest.mark.parametrize("value", ["xx", "pt"])
def test_a_default_locale_that_is_not_served_is_one_line(value: str, set_environment: pytest.MonkeyPatch) -> None:
    set_environment.setenv("NOTIFIER_DEFAULT_LOCALE", value)
    with pytest.raises(SettingsError, match=r"^NOTIFIER_DEFAULT_LOCALE: must be one of ar, [^\n]*$"):
        create_app(load())


@pytest.mark.parametrize(
    "name", ["PUBLIC_URL", "BRAND", "FROM", "SMTP_URLS", "LINK_KEYS", "CODE_KEYS", "PAYLOAD_KEYS", "PLATFORM_SECRETS"]
)
def test_a_setting_without_default_must_be_set(name: str, set_environment: pytest.MonkeyPatch) -> None:
    set_environment.delenv(PREFIX + name)
    with pytest.raises(SettingsError) as error:
        load()
    assert str(error.value).startswith(f"{PREFIX}{name}: is not set, for example {PREFIX}{name}=")


def test_every_wrong_setting_has_its_line(set_environment: pytest.MonkeyPatch) -> None:
    for name in ("CODE_LENGTH", "LINK_KEYS", "PUBLIC_URL"):
        set_environment.setenv(PREFIX + name, "x")
    with pytest.raises(SettingsError) as error:
        load()
    assert sorted(line.split(":")[0] for line in str(error.value).splitlines()) == [
        "NOTIFIER_CODE_LENGTH",
        "NOTIFIER_LINK_KEYS",
        "NOTIFIER_PUBLIC_URL",
    ]


SECOND = {
    "ACCOUNT_SID": "AC" + "1" * 32,
    "AUTH_TOKEN": "second-token",
    "FROM": "+12025550101",
    "BASE_URL": "https://sms.example/gateway/",
}


@pytest.mark.parametrize("missing", ["ACCOUNT_SID", "AUTH_TOKEN", "FROM"])
@pytest.mark.parametrize("name", ["TWILIO", "TWILIO_SECOND"])
def test_half_of_an_sms_account_is_wrong(name: str, missing: str, set_environment: pytest.MonkeyPatch) -> None:
    if name == "TWILIO_SECOND":
        for part, value in SECOND.items():
            set_environment.setenv(f"NOTIFIER_TWILIO_SECOND_{part}", value)
    set_environment.delenv(f"NOTIFIER_{name}_{missing}")
    with pytest.raises(SettingsError, match=f"^NOTIFIER_{name}_{missing}: [^\n]*$"):
        load()


def test_a_second_sms_account_needs_a_first(set_environment: pytest.MonkeyPatch) -> None:
    for part, value in SECOND.items():
        set_environment.setenv(f"NOTIFIER_TWILIO_SECOND_{part}", value)
    for part in ("ACCOUNT_SID", "AUTH_TOKEN", "FROM"):
        set_environment.delenv(f"NOTIFIER_TWILIO_{part}")
    with pytest.raises(SettingsError, match=r"^NOTIFIER_TWILIO_ACCOUNT_SID: [^\n]*$"):
        load()


def test_sms_accounts_are_in_order(set_environment: pytest.MonkeyPatch) -> None:
    assert [account.name for account in load().twilio_accounts] == ["twilio"]
    for part, value in SECOND.items():
        set_environment.setenv(f"NOTIFIER_TWILIO_SECOND_{part}", value)
    first, second = load().twilio_accounts
    assert first == ("twilio", "AC" + "0" * 32, "twilio-token", "+12025550100", None, None)
    assert second == (
        "twilio_second",
        "AC" + "1" * 32,
        "second-token",
        "+12025550101",
        None,
        "https://sms.example/gateway",
    )
    for part in ("ACCOUNT_SID", "AUTH_TOKEN", "FROM"):
        set_environment.delenv(f"NOTIFIER_TWILIO_{part}")
        set_environment.delenv(f"NOTIFIER_TWILIO_SECOND_{part}")
    set_environment.delenv("NOTIFIER_TWILIO_SECOND_BASE_URL")
    assert load().twilio_accounts == ()


def test_any_setting_may_be_a_files_content(set_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LINK_KEYS", "FROM", "TWILIO_AUTH_TOKEN"):
        held = tmp_path / name
        held.write_text(environment()[PREFIX + name] + "\n")
        set_environment.delenv(PREFIX + name)
        set_environment.setenv(f"{PREFIX}{name}_FILE", str(held))
    settings = load()
    assert len(settings.link_keys[0]) == 32
    assert settings.sender == "Northbank <security@northbank.example>"
    assert settings.twilio_auth_token
    assert settings.twilio_auth_token.get_secret_value() == "twilio-token"


@pytest.mark.parametrize("content", [None, b"\xff" + SECRET.encode()])
def test_a_file_that_cannot_be_read_is_one_line(
    content: bytes | None, set_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if content:
        (tmp_path / "key").write_bytes(content)
    set_environment.setenv("NOTIFIER_LINK_KEYS_FILE", str(tmp_path / "key"))
    with pytest.raises(SettingsError, match=r"^NOTIFIER_LINK_KEYS_FILE: [^\n]*$") as error:
        load()
    assert SECRET not in str(error.value)
    # Nothing that a reporter of errors prints holds the content.
    assert error.value.__suppress_context__


def test_another_programs_variable_sets_nothing(set_environment: pytest.MonkeyPatch) -> None:
    set_environment.setenv("SENDER", "Eve <eve@example.com>")
    assert "eve" not in load().sender


def test_sentinels_are_set_like_a_server(set_environment: pytest.MonkeyPatch) -> None:
    url = f"redis+sentinel://app:{SECRET}@a.example,b.example:26380/bank?sentinel_password={SECRET}"
    set_environment.setenv("NOTIFIER_REDIS_URL", url)
    set_environment.setenv("NOTIFIER_ACKNOWLEDGE", "replica")
    settings = load()
    assert settings.redis_url
    assert settings.redis_url.get_secret_value() == url
    assert settings.acknowledge == "replica"
    assert SECRET not in repr(settings)


def test_secrets_are_never_shown(set_environment: pytest.MonkeyPatch) -> None:
    set_environment.setenv("NOTIFIER_SMTP_URLS", f"smtp://user:{SECRET}@mail.example")
    set_environment.setenv("NOTIFIER_REDIS_URL", f"redis://:{SECRET}@redis.example")
    set_environment.setenv("NOTIFIER_TWILIO_AUTH_TOKEN", SECRET)
    settings = load()
    shown = f"{settings!r} {settings!s} {settings.smtp_urls!s} {settings.link_keys!s} {settings.platform_secrets!s}"
    shown += f"{settings.twilio_accounts!r} {settings.twilio_accounts[0]!s}"
    assert SECRET not in shown
    for keys in (settings.link_keys, settings.code_keys, settings.payload_keys, settings.platform_secrets):
        assert repr(keys[0]) not in shown
        assert keys[0].hex() not in shown


def test_keys_and_secrets_keep_their_order(set_environment: pytest.MonkeyPatch) -> None:
    old, new = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    set_environment.setenv("NOTIFIER_LINK_KEYS", f"{old} {new}")
    set_environment.setenv("NOTIFIER_PLATFORM_SECRETS", f"whsec_{old} whsec_{new}")
    settings = load()
    assert list(settings.link_keys) == list(settings.platform_secrets) == [b"\1" * 32, b"\2" * 32]


def test_a_relay_says_how_much_it_takes(set_environment: pytest.MonkeyPatch) -> None:
    urls = "smtp://a.example smtp://b.example:2525?tls=tls&connections=100&rate=0.5 smtp://[::1]?connections=1"
    set_environment.setenv("NOTIFIER_SMTP_URLS", urls)
    assert load().smtp_urls == (
        SmtpRelay("a.example", 587, "starttls", None, None, connections=8, rate=None),
        SmtpRelay("b.example", 2525, "tls", None, None, connections=100, rate=0.5),
        SmtpRelay("::1", 25, "none", None, None, connections=1, rate=None),
    )


def test_our_own_address_is_in_ascii(set_environment: pytest.MonkeyPatch) -> None:
    set_environment.setenv("NOTIFIER_FROM", "Северный банк <security@банк.рф>")
    set_environment.setenv("NOTIFIER_SUPPORT_EMAIL", "help@банк.рф")
    settings = load()
    assert settings.sender == "Северный банк <security@xn--80ab2al.xn--p1ai>"
    assert settings.support_email == "help@xn--80ab2al.xn--p1ai"


def pem(key: Ed25519PrivateKey | RSAPrivateKey | EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    sealing = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing)


def test_dkim_keys_are_read_from_files(set_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys: dict[str, RSAPrivateKey | Ed25519PrivateKey] = {
        "mail-2026.a": generate_private_key(65537, 2048),
        "ed": Ed25519PrivateKey.generate(),
    }
    for selector, key in keys.items():
        (tmp_path / selector).write_bytes(pem(key))
    set_environment.setenv("NOTIFIER_DKIM_KEYS", " ".join(f"{name}={tmp_path / name}" for name in keys))
    settings = load()
    assert [key.selector for key in settings.dkim_keys] == [*keys]
    assert [pem(key.key) for key in settings.dkim_keys] == [pem(key) for key in keys.values()]
    assert repr(settings.dkim_keys) == "(<DKIM key mail-2026.a>, <DKIM key ed>)"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: pem(generate_private_key(65537, 1024)), id="short"),
        pytest.param(lambda: pem(generate_elliptic_key(SECP256R1())), id="of another kind"),
        pytest.param(lambda: pem(Ed25519PrivateKey.generate(), b"password"), id="encrypted"),
        pytest.param(
            lambda: (
                Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            ),
            id="public",
        ),
        pytest.param(lambda: b"", id="empty"),
    ],
)
def test_another_key_is_none(content: Callable[[], bytes], set_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content())
    set_environment.setenv("NOTIFIER_DKIM_KEYS", f"mail={tmp_path / 'key'}")
    with pytest.raises(SettingsError, match=r"^NOTIFIER_DKIM_KEYS: each must be selector=path of a PEM file [^\n]*$"):
        load()


def test_a_selector_is_one_key(set_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(pem(Ed25519PrivateKey.generate()))
    set_environment.setenv("NOTIFIER_DKIM_KEYS", f"mail={tmp_path / 'key'} mail={tmp_path / 'key'}")
    with pytest.raises(SettingsError, match=r"^NOTIFIER_DKIM_KEYS: each selector may stand once$"):
        load()


def test_settings_are_frozen(settings: Settings) -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.brand = "x"  # type: ignore[misc]
