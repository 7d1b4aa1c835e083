"""Sign-in and reset.

An owner signs in at an exchange with a code that does not come at first, loses access to their mail and resets the
password by text message, and is told of a new way to sign in that is not theirs.
"""

from collections.abc import Callable
from datetime import timedelta

from tests.scenarios.owners import ACCOUNT
from tests.scenarios.reading import URL
from tests.scenarios.stage import DEVICE, Stage

_PROVIDERS = {"en": "google", "sq": "apple", "nb": "telegram", "ru": "google", "sv": "apple"}
_HOLD = (
    "Withdrawals on hold for %(hours)s hour after the reset.",
    "Withdrawals on hold for %(hours)s hours after the reset.",
)


async def test_a_code_a_reset_and_a_way_in(stage: Stage, ends: Callable[[], None]) -> None:
    await _signed_in(stage)
    await _reset(stage)
    await _linked(stage)
    ends()


async def _signed_in(stage: Stage) -> None:
    name, recipient = stage.owner.first_name, stage.owner.recipient
    await stage.step(f"{name} signs in, and a code goes to the phone")
    wanted = {"account": ACCOUNT, "purpose": "sign_in", "recipient": recipient, "channels": ["sms"]}
    sent = await stage.ask("POST", "/v1/codes", 202, json=wanted)
    await stage.arrive()
    stage.text.says("Use this code to sign in.")
    assert stage.mails == []
    # The last line binds the code to the right address: a phone fills it in there and nowhere else.
    assert stage.text.body.endswith(f"\n@notify.example.com #{stage.text.code}")
    first, resend = stage.text.code, f"/v1/codes/{sent['code_id']}/resend"

    await stage.step("“Didn’t get it?” – too soon: a minute must pass")
    refused = await stage.ask("POST", resend, 429, json={"channels": ["sms"]})
    stage.diary.api("POST /v1/codes/…/resend (sms)", [f"429, “{refused['title']}”"])
    await stage.arrive()
    stage.silence()
    await stage.step("A minute later the same code is sent again, with its first end", minutes=1)
    again = await stage.ask("POST", resend, 202, json={"channels": ["sms"]})
    await stage.arrive()
    assert (stage.text.code, again["expires_at"]) == (first, sent["expires_at"])

    await stage.step("It still does not come: the other channel, whose code is another", minutes=1)
    await stage.ask("POST", resend, 202, json={"channels": ["email"]})
    await stage.arrive()
    assert stage.texts == []
    stage.mail.titled("Your verification code")
    stage.mail.says("Use this code to sign in.")
    assert await stage.verify(sent["code_id"], stage.mail.code, "email") == {"valid": True}


async def _reset(stage: Stage) -> None:
    owner = stage.owner
    await stage.step(f"{owner.first_name} cannot read mail any more, and resets the password by text message", days=1)
    facts = {**DEVICE, "location": owner.place}
    await stage.event("password_reset", ["sms"], occurred_at=stage.at(), **facts)
    assert stage.mails == []
    # What follows is said before it happens, in the message that asks for it.
    stage.text.says(_HOLD, hours=24)
    verdict = await stage.verify(str(stage.answer["code_id"]), stage.text.code, "sms")
    assert verdict == {"valid": True}
    await stage.step("The password is changed", minutes=3)
    await stage.event("password_changed", occurred_at=stage.at(), **facts)
    until = stage.now + timedelta(hours=24)
    stage.mail.says("For your safety, withdrawals are on hold until %(when)s.", when=until)
    stage.text.says("Withdrawals on hold until %(when)s.", when=until)


async def _linked(stage: Stage) -> None:
    provider = _PROVIDERS[stage.owner.locale]
    name = stage.owner.first_name
    await stage.step(f"Somebody links a sign-in with {provider.capitalize()}", hours=2)
    facts = {"occurred_at": stage.at(), **DEVICE, "location": stage.owner.place}
    await stage.event("login_method_linked", **facts, provider=provider)
    mail = stage.mail
    mail.titled("A new way to sign in was added")
    mail.says("Your account can now be opened by signing in with %(provider)s.", provider=provider.capitalize())
    await stage.step(f"{name} checks that the mail is genuine, and says that it was somebody else", minutes=20)
    mail.says("Is this message genuine?")
    mail.says("Every link in this message begins with: %(address)s", address=f"{URL}/")
    mail.says("You chose this phrase yourself. Do not trust an e-mail in our name that does not show it.")
    page = await stage.open(mail.link("d"))
    page.titled("Deactivate your account?")
    page.says("The address of this page begins with: %(address)s", address=f"{URL}/")
    done = await stage.press(page)
    done.titled("Your account is deactivated")
    stage.platform_was_told("account.deactivation_confirmed")
    stage.mail.titled("Your account is deactivated")
    await stage.step("The hold is over, but nobody is told that withdrawals work: the account is deactivated", days=2)
    stage.silence()
