"""Deactivate and come back.

An owner of an account at an exchange gets a message about something they did not do, and deactivates the account by the
link in it. Two hours later they may ask for it back; the exchange may want to know more first. Then the account is
active again, and withdrawals are on hold for two days more.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.people import WITHDRAWAL
from tests.scenarios.owners import ACCOUNT
from tests.scenarios.reading import Said
from tests.scenarios.stage import DEVICE, Stage

# By which alert and which channel each owner comes to deactivate, and whether the exchange asks for more before it
# gives the account back. Every alert in every language: tests/test_journey.py.
_WAYS = {
    "en": ("login_succeeded", "email", False),
    "sq": ("password_reset", "email", True),
    "nb": ("withdrawal_confirmation", "sms", False),
    "ru": ("new_device", "email", True),
    "sv": ("google_authenticator_reset", "sms", False),
}
_TITLES: dict[str, tuple[str, str | None]] = {
    "login_succeeded": ("Successful sign-in", None),
    "password_reset": ("Password reset", None),
    "withdrawal_confirmation": ("Confirm your withdrawal request", None),
    "new_device": ("Authorize the new device", "subject"),
    "google_authenticator_reset": ("Reset Google Authenticator", None),
}
_CHECKS = "https://northbank.example/checks"
_LIVES = (
    "This code works for %(minutes)s minute and only once.",
    "This code works for %(minutes)s minutes and only once.",
)
_EFFECT = "Deactivating your account signs you out everywhere and stops all withdrawals."


async def test_the_account_is_deactivated_and_comes_back(stage: Stage, ends: Callable[[], None]) -> None:
    reactivate = await _an_alert_and_the_way_out(stage)
    await _too_early(stage, reactivate)
    await _asked_for(stage)
    await _confirmed(stage)
    await stage.step("The hold is over", hours=48)
    stage.mail.titled("Withdrawals work again")
    stage.mail.says("Withdrawals from your account are no longer on hold. You can withdraw as usual.")
    stage.text.says("Withdrawals from your account work again.")
    await stage.step("Nothing more comes", days=3)
    stage.silence()
    ends()


async def _an_alert_and_the_way_out(stage: Stage) -> str:
    """The link back that the message about the deactivation carries."""
    notice, by, _ = _WAYS[stage.owner.locale]
    name = stage.owner.first_name
    await stage.step("Somebody else is at work")
    facts: dict[str, Any] = {"occurred_at": stage.at(), **DEVICE, "location": stage.owner.place}
    if notice == "withdrawal_confirmation":
        facts |= WITHDRAWAL | {"withdrawal_id": "wd-5512"}
    await stage.event(notice, **facts)
    alert, text = stage.mail, stage.text
    alert.titled(*_TITLES[notice])
    alert.shows(DEVICE["ip"], DEVICE["device"], stage.owner.place)
    alert.says("Not you?")
    alert.says(_EFFECT)
    text.says("Not you? %(url)s", url=f"https://notify.example.com{text.link}")

    place = "mail" if by == "email" else "text message"
    await stage.step(f"{name} deactivates the account by the link in the {place}", minutes=6)
    page = await stage.open(alert.link("d") if by == "email" else text.link)
    page.titled("Deactivate your account?")
    page.says(_EFFECT)
    page.says("Nothing happens until you press the button.")
    page.offers("Deactivate my account")
    stage.platform_was_told()
    opens = stage.now + timedelta(hours=2)
    done = await stage.press(page)
    done.titled("Your account is deactivated")
    done.says("You can undo this from %(when)s.", when=opens)
    stage.platform_was_told("account.deactivation_confirmed")
    clicked = alert.id if by == "email" else stage.sms_id
    await stage.standing(clicked, "accepted", "rendered", "sent", "clicked", "forwarded")

    stage.mail.titled("Your account is deactivated")
    stage.mail.says("You are signed out everywhere and withdrawals are stopped.")
    for message in (stage.mail, stage.text):
        message.says("You can undo this from %(when)s.", when=opens)
    return stage.mail.link("r")


async def _too_early(stage: Stage, reactivate: str) -> None:
    opens = stage.now + timedelta(hours=2)
    await stage.step(f"{stage.owner.first_name} wants the account back at once", minutes=25)
    page = await stage.open(reactivate)
    page.titled("This link does not work yet")
    page.says("The link will work from %(when)s.", when=opens)
    page.says("Keep the message and open the link again later.")
    pressed = await stage.press(page)
    for one in (page, pressed):
        assert (one.status, one.retry_after) == (409, (2 * 60 - 25) * 60)
    assert await stage.not_done() == ("reactivate", "early")
    stage.platform_was_told("account.deactivation_confirmed")


async def _asked_for(stage: Stage) -> None:
    await stage.step("Reactivation is asked for at the exchange, which wants a code from each channel", hours=2)
    request = {"account": ACCOUNT, "purpose": "reactivation", "recipient": stage.owner.recipient}
    sent = await stage.ask("POST", "/v1/codes", 202, json={**request, "channels": ["email", "sms"]})
    await stage.arrive()
    for message in (stage.mail, stage.text):
        message.says("Use this code to reactivate your account.")
    stage.mail.says(
        (
            "This code works for %(minutes)s minute and only once.",
            "This code works for %(minutes)s minutes and only once.",
        ),
        minutes=30,
    )
    assert stage.mail.code != stage.text.code
    for channel, code in (("email", stage.mail.code), ("sms", stage.text.code)):
        verdict = await stage.verify(sent["code_id"], code, channel)
        assert verdict == {"valid": True}
    assert (await stage.verify(sent["code_id"], stage.mail.code, "email"))["reason"] == "used"


async def _confirmed(stage: Stage) -> None:
    checks = _WAYS[stage.owner.locale][2]
    await stage.step("Both codes were right: one confirmation is left", minutes=2)
    await stage.event("reactivation_requested", occurred_at=stage.at())
    request = stage.mail
    request.titled("Confirm reactivation", "subject")
    request.says("Reactivation of your account was requested.")
    request.says("If it was not you, do nothing: your account stays deactivated.")
    page = await stage.open(request.link("r"))
    page.titled("Reactivate your account?")
    page.says("Code from the message")
    page.offers("Confirm reactivation")
    slip = await stage.press(page, code="000000" if request.code != "000000" else "111111")
    slip.says("This is not the code in that message. Check it and type it again.")
    if checks:
        stage.edges.platform.answers = [
            (200, {"outcome": "refused", "reason": stage.owner.documents, "next_url": _CHECKS})
        ]
    done = await stage.press(page, code=request.code)
    stage.platform_was_told("account.deactivation_confirmed", "account.reactivation_confirmed")
    await stage.standing(request.id, "accepted", "rendered", "sent", "clicked", "forwarded")
    if checks:
        done.titled("Your request was refused")
        done.shows(stage.owner.documents)
        done.leads(_CHECKS, "Continue")
        stage.silence()
        await stage.step("The exchange has seen what it asked for, and gives the account back", hours=5)
        await stage.event("account_reactivated", occurred_at=stage.at())
    else:
        done.titled("Your account is active again")
    _held(stage, stage.mail, stage.text)
    stage.mail.titled("Your account is active again")
    stage.mail.link("d")


def _held(stage: Stage, mail: Said, text: Said) -> None:
    until = stage.now + timedelta(hours=48)
    mail.says("For your safety, withdrawals are on hold until %(when)s.", when=until)
    text.says("Withdrawals on hold until %(when)s.", when=until)
