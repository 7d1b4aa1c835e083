"""Activation.

A marketplace has a new account, whose owner lets the link die that activates it, and asks for another. Later the
account is blocked until its owner has sent new documents, and then it is active again.
"""

from collections.abc import Callable
from datetime import timedelta

from tests.scenarios.stage import Stage

_APPEAL, _ORDERS, _SIGN_OUT = (f"https://market.example/{name}" for name in ("appeal", "orders", "sign-out"))


async def test_an_account_is_activated_blocked_and_comes_back(stage: Stage, ends: Callable[[], None]) -> None:
    await _too_late(stage)
    await _activated(stage)
    blocked = await _blocked(stage)
    way_back = await _documents(stage)
    page = await stage.open(way_back)
    page.titled("Reactivate your account?")
    page.offers("Confirm reactivation")
    done = await stage.press(page)
    done.titled("Your account is active again")
    stage.platform_was_told("account.activated", "account.reactivation_confirmed")
    stage.mail.titled("Your account is active again")
    stage.mail.says("You can sign in again.")
    stage.mail.says("For your safety, withdrawals are on hold until %(when)s.", when=stage.now + timedelta(hours=48))
    await stage.step("The first message is opened again")
    (await stage.open(blocked)).titled("A newer message has replaced this link")
    await stage.step("The hold is over", hours=48)
    stage.mail.titled("Withdrawals work again")
    await stage.step("It is told once", days=3)
    stage.silence()
    ends()


async def _too_late(stage: Stage) -> None:
    name = stage.owner.first_name
    await stage.step(f"{name} opens an account")
    await stage.event("account_activation", occurred_at=stage.at())
    until = stage.now + timedelta(days=3)
    stage.mail.titled("Activate your account")
    stage.mail.says("Welcome to %(brand)s. One step is left before you can use your account.", brand="Northbank")
    stage.mail.says("The link works until %(when)s.", when=until)
    stage.mail.says("If you did not open this account, do nothing: it will not be activated.")
    stage.text.says("One step is left, until %(when)s.", when=until)
    first = stage.mail.link("c")
    at = stage.at(days=2)
    assert await stage.scheduled("account_activation_reminder") == {"email": at, "sms": at}

    await stage.step("A day before the link dies", days=2)
    stage.mail.titled("Your account is not active yet")
    stage.mail.says("The link works until %(when)s.", when=until)
    stage.text.says("Your account is not active yet. The link works until %(when)s.", when=until)
    reminder = stage.mail.link("c")

    await stage.step(f"{name} comes too late", days=1, hours=4)
    for link in (first, reminder):
        page = await stage.open(link)
        page.titled("This link has expired")
        page.says("The link worked until %(when)s.", when=until)
        page.says("Ask for activation again where you sign in. We will send you a new link.")
    stage.platform_was_told()


async def _activated(stage: Stage) -> None:
    await stage.step("A new link is asked for where one signs in", minutes=10)
    await stage.event("account_activation", occurred_at=stage.at())
    mail, text = stage.mail, stage.text
    page = await stage.open(mail.link("c"))
    page.titled("Activate your account?")
    page.says("Your account will be active and you can sign in.")
    page.offers("Activate my account")
    done = await stage.press(page)
    done.titled("Your account is active")
    stage.platform_was_told("account.activated")
    await stage.standing(mail.id, "accepted", "rendered", "sent", "clicked", "forwarded")
    # One link in all its messages: used in one, used in all.
    by_sms = await stage.open(text.link)
    by_sms.titled("Your account is active")
    await stage.step("Nobody is reminded of what is done", days=2)
    stage.silence()


async def _blocked(stage: Stage) -> str:
    """The link back that its message carries."""
    await stage.step("The account is blocked", days=20)
    ways = {"appeal_url": _APPEAL, "orders_url": _ORDERS, "sign_out_url": _SIGN_OUT}
    await stage.event("account_blocked", occurred_at=stage.at(), reason=stage.owner.documents, **ways)
    mail = stage.mail
    mail.titled("Your account is temporarily unavailable")
    mail.says("You cannot use your account for now.")
    mail.says("From %(when)s you can ask to have it back.", when=stage.now + timedelta(hours=2))
    mail.shows(stage.owner.documents, _APPEAL, _ORDERS, _SIGN_OUT)
    for way in ("Confirm reactivation", "Appeal this decision", "See my orders", "Sign out everywhere"):
        mail.says(way)
    stage.text.says("Your account is temporarily unavailable.")
    page = await stage.open(mail.link("r"))
    page.titled("This link does not work yet")
    return mail.link("r")


async def _documents(stage: Stage) -> str:
    """The link back, once they were accepted."""
    name = stage.owner.first_name
    await stage.step(f"{name} has sent documents, which are not accepted", days=1)
    await stage.event("document_review_result", result="rejected", reason=stage.owner.photo)
    stage.mail.titled("Your documents were not accepted")
    stage.mail.says("We looked at your documents and cannot accept them.")
    stage.mail.shows(stage.owner.photo)
    assert stage.mail.links == 0
    await stage.step(f"{name} has sent better ones", days=1)
    await stage.event("document_review_result", result="approved")
    stage.mail.titled("Your documents were accepted")
    stage.mail.says("Thank you. Your documents are in order, and you can reactivate your account now.")
    stage.text.says("Your documents were accepted.")
    return stage.mail.link("r")
