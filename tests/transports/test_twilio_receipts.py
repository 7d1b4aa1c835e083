"""Twilio's status callbacks, as its own signer signs them: what is ours is read, what is not is refused."""

import pytest
from structlog.testing import capture_logs
from twilio.request_validator import RequestValidator

from notifier.setting_types import TwilioAccount
from notifier.transports.base import Report
from notifier.transports.twilio_receipts import Forged, TwilioReceipts, callback_url

PUBLIC = "https://notify.example.com"
ACCOUNTS = (
    TwilioAccount("twilio", "AC" + "0" * 32, "first-token", sender="+12025550100"),
    TwilioAccount("twilio_second", "AC" + "1" * 32, "second-token", sender="+12025550101"),
)
ID = "abcdefghijklmnop"


def read(
    form: dict[str, str],
    *,
    token: str = "first-token",
    signed: dict[str, str] | None = None,
    url: str = f"{PUBLIC}/v1/receipts/twilio?notification={ID}",
    notification: str = ID,
    public_url: str = PUBLIC,
) -> Report | None:
    """What is read from a form that was signed for `url`, with other content if `signed`."""
    signature = RequestValidator(token).compute_signature(url, form if signed is None else signed)
    return TwilioReceipts(ACCOUNTS, public_url).read(notification, form, signature)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("accepted", "queued"),
        ("scheduled", "queued"),
        ("queued", "queued"),
        ("sending", "queued"),
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("read", "delivered"),
    ],
)
def test_what_goes_well(told: str, status: str) -> None:
    report = read({"MessageStatus": told, "MessageSid": "SM1", "To": "+355691234567", "Empty": ""})
    assert report == Report(ID, status, "twilio")  # type: ignore[arg-type]


@pytest.mark.parametrize("told", ["undelivered", "failed", "canceled"])
@pytest.mark.parametrize(
    ("code", "reason", "dead"),
    [
        ("30005", "twilio_30005", True),
        ("30006", "twilio_30006", True),
        ("21610", "twilio_21610", True),
        ("30003", "twilio_30003", False),
        ("30007", "twilio_30007", False),
        ("30008", "twilio_30008", False),
        ("30034", "twilio_30034", False),
        ("39999", "twilio_39999", False),
    ],
)
def test_what_goes_wrong(told: str, code: str, reason: str, dead: bool) -> None:
    report = read({"MessageStatus": told, "ErrorCode": code})
    assert report == Report(ID, "undelivered", "twilio", reason, dead_address=dead)


@pytest.mark.parametrize("code", ["", "+355691234567", "9" * 5000, "²"])
def test_a_reason_is_never_other_than_a_code(code: str) -> None:
    report = read({"MessageStatus": "failed", "ErrorCode": code})
    assert report == Report(ID, "undelivered", "twilio", "twilio_failed")


@pytest.mark.parametrize("told", [None, "", "receiving", "received", "partially_delivered", "DELIVERED"])
def test_what_says_nothing_of_it(told: str | None) -> None:
    assert read({"MessageSid": "SM1"} if told is None else {"MessageStatus": told}) is None


def test_the_account_is_the_one_that_signed() -> None:
    report = read({"MessageStatus": "sent"}, token="second-token")
    assert report
    assert report.by == "twilio_second"


def test_an_account_that_takes_what_it_cannot_deliver_is_told_of() -> None:
    with capture_logs() as logs:
        read({"MessageStatus": "undelivered", "ErrorCode": "30032", "To": "+355691234567"}, token="second-token")
        read({"MessageStatus": "undelivered", "ErrorCode": "30003", "To": "+355691234567"})
    told = {"event": "sms_account_failed", "account": "twilio_second", "reason": "twilio_30032", "log_level": "warning"}
    assert logs == [told]


@pytest.mark.parametrize(
    "public_url", ["https://notify.example.com:8443", "https://example.com/notify", "http://127.0.0.1:8000"]
)
def test_the_url_is_the_public_one(public_url: str) -> None:
    url = callback_url(public_url, ID)
    assert url == f"{public_url}/v1/receipts/twilio?notification={ID}"
    assert read({"MessageStatus": "sent"}, url=url, public_url=public_url)


def test_what_is_not_signed_by_an_account_of_ours_is_refused() -> None:
    form = {"MessageStatus": "delivered", "MessageSid": "SM1"}
    with pytest.raises(Forged):
        read(form, token="another-token")
    with pytest.raises(Forged):
        read(form, signed={"MessageStatus": "sent", "MessageSid": "SM1"})
    with pytest.raises(Forged):
        read(form, signed={"MessageStatus": "delivered"})
    with pytest.raises(Forged):
        read(form, notification="ponmlkjihgfedcba")
    with pytest.raises(Forged):
        read(form, url=f"https://internal.example/v1/receipts/twilio?notification={ID}")
    for signature in ("", "x", "é", RequestValidator("").compute_signature(callback_url(PUBLIC, ID), form)):
        with pytest.raises(Forged):
            TwilioReceipts(ACCOUNTS, PUBLIC).read(ID, form, signature)
