"""Settings: what is wrong is told in one line that names it; what is secret is never shown."""

import base64
from pathlib import Path

import pytest

from notifier.config import PREFIX, Settings, SettingsError, load
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
        ("CODE_LENGTHS", "sign_in=3"),
        ("LINK_LIVES", "deactivate"),
        ("LINK_LIVES", "everything=P1D"),
        ("LINK_LIVES", "deactivate=soon"),
        ("LINK_CHALLENGES", "everything"),
        ("LIMITS", "visitor=often"),
        ("LIMITS", "everything=1/second"),
        ("PLATFORM_URL", "ftp://platform.example"),
        ("SUPPORT_EMAIL", "help"),
        ("BRAND", "North\nbank"),
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
    "name", ["PUBLIC_URL", "BRAND", "FROM", "SMTP_URLS", "LINK_KEYS", "CODE_KEYS", "PAYLOAD_KEYS", "PLATFORM_SECRETS"]
)
def test_a_setting_without_default_must_be_set(name: str, set_environment: pytest.MonkeyPatch) -> None:
    set_environment.delenv(PREFIX + name)
    with pytest.raises(SettingsError) as error:
        load()
    assert str(error.value) == f"{PREFIX}{name}: is not set"


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


@pytest.mark.parametrize("missing", ["AUTH_TOKEN", "FROM"])
def test_half_of_an_sms_account_is_wrong(missing: str, set_environment: pytest.MonkeyPatch) -> None:
    set_environment.delenv(f"NOTIFIER_TWILIO_{missing}")
    with pytest.raises(SettingsError, match=f"^NOTIFIER_TWILIO_{missing}: [^\n]*$"):
        load()


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


def test_secrets_are_never_shown(set_environment: pytest.MonkeyPatch) -> None:
    set_environment.setenv("NOTIFIER_SMTP_URLS", f"smtp://user:{SECRET}@mail.example")
    set_environment.setenv("NOTIFIER_REDIS_URL", f"redis://:{SECRET}@redis.example")
    set_environment.setenv("NOTIFIER_TWILIO_AUTH_TOKEN", SECRET)
    settings = load()
    shown = f"{settings!r} {settings!s} {settings.smtp_urls!s} {settings.link_keys!s} {settings.platform_secrets!s}"
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


def test_settings_are_frozen(settings: Settings) -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.brand = "x"  # type: ignore[misc]
