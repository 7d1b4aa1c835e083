"""Holds.

The password, the second factor and the address of an account at an exchange are changed within hours. Each change holds
withdrawals; the latest end counts, every message says it, and when it has come the owner is told, once.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.scenarios.owners import ACCOUNT, OWNERS
from tests.scenarios.stage import DEVICE, Stage

_HELD = "For your safety, withdrawals are on hold until %(when)s."
_HELD_SHORT = "Withdrawals on hold until %(when)s."
_RESUMED = "Withdrawals work again"


async def test_the_latest_end_counts_and_is_told_once(stage: Stage, ends: Callable[[], None]) -> None:
    await stage.step("The password is changed: a day without withdrawals")
    until = await _changed(stage, "password_changed", "Your password was changed", hours=24)
    await stage.step("The authenticator app is switched off", hours=1)
    until = await _changed(
        stage, "two_factor_disabled", "Two-factor authentication was switched off", hours=24, method="authenticator"
    )
    await stage.step("The SMS authenticator is reset: two days, which end later", hours=1)
    until = await _changed(stage, "two_factor_reset", "Two-factor authentication was reset", hours=48, method="sms")
    await stage.step("It is switched off again: a day, which would end sooner", hours=1)
    title = "Two-factor authentication was switched off"
    await _changed(stage, "two_factor_disabled", title, until=until, method="sms")
    until = await _address_changed(stage)
    at = until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert await stage.scheduled("withdrawals_resumed") == {"email": at, "sms": at}

    await stage.step("The first of those ends have passed, and nothing is said", hours=47)
    stage.silence()
    async with stage.restarted():
        await stage.step("The service has been restarted, and the latest end has come", hours=1)
        _resumed(stage)
        assert stage.mail.recipient == stage.owner.new_email
        await stage.step("It is told once", days=3)
        stage.silence()
    await _unlocked(stage)
    ends()


async def _changed(
    stage: Stage, notice: str, title: str, *, hours: int = 0, until: datetime | None = None, **context: str
) -> datetime:
    """Until when its messages say that withdrawals are on hold."""
    until = until or stage.now + timedelta(hours=hours)
    await stage.event(notice, occurred_at=stage.at(), **DEVICE, location=stage.owner.place, **context)
    stage.mail.titled(title)
    stage.mail.link("d")
    _held(stage, until)
    return until


def _held(stage: Stage, until: datetime) -> None:
    for mail in stage.mails:
        mail.says(_HELD, when=until)
    stage.text.says(_HELD_SHORT, when=until)


async def _address_changed(stage: Stage) -> datetime:
    """Both addresses are told, each with a link of its own; the new one not where its owner sits."""
    old, new = stage.owner.email, stage.owner.new_email
    await stage.step("The e-mail address is changed: two days again, and both addresses are told", hours=1)
    stage.email = new
    facts = {"occurred_at": stage.at(), **DEVICE, "location": stage.owner.place}
    await stage.event("email_changed", **facts, old_email=old, new_email=new)
    told = {mail.recipient: mail for mail in stage.mails}
    assert told.keys() == {old, new}
    for mail in told.values():
        mail.titled("Your e-mail address was changed")
    told[old].says("The e-mail address of your account was changed. From now on our messages go to the new one.")
    told[new].says("Your account has a new e-mail address: this one. From now on our messages come here.")
    until = stage.now + timedelta(hours=48)
    _held(stage, until)
    assert told[old].link("d") != told[new].link("d")
    told[old].shows(stage.owner.place)
    assert stage.owner.place not in told[new].text
    for mail in told.values():
        page = await stage.open(mail.link("d"))
        page.titled("Deactivate your account?")
        page.offers("Deactivate my account")
    return until


def _resumed(stage: Stage) -> None:
    stage.mail.titled(_RESUMED)
    stage.mail.says("Withdrawals from your account are no longer on hold. You can withdraw as usual.")
    stage.text.says("Withdrawals from your account work again.")


async def _unlocked(stage: Stage) -> None:
    """A hold that a longer one replaces, and of which nothing is told once the account is erased."""
    await stage.step("The account is unlocked: two days")
    await stage.event("account_reactivated", occurred_at=stage.at())
    stage.mail.titled("Your account is active again")
    _held(stage, stage.now + timedelta(hours=48))
    await stage.step("The exchange holds withdrawals for five days: the other message is cancelled", hours=1)
    until = stage.now + timedelta(days=5)
    await stage.event("withdrawals_suspended", reason=stage.owner.payment, resumes_at=stage.at(days=5))
    stage.mail.titled("Withdrawals are on hold")
    stage.mail.says(
        "Withdrawals from your account are on hold until %(when)s. We will write to you when they work again.",
        when=until,
    )
    stage.mail.shows(stage.owner.payment)
    stage.text.says(_HELD_SHORT, when=until)
    assert await stage.scheduled("withdrawals_resumed") == {"email": stage.at(days=5), "sms": stage.at(days=5)}
    await stage.step(f"{stage.owner.first_name} leaves the exchange, which has everything erased", hours=1)
    await stage.ask("DELETE", f"/v1/accounts/{ACCOUNT}", 200)
    assert await stage.scheduled("withdrawals_resumed") == {}
    await stage.step("Nothing more comes", days=6)
    stage.silence()


@pytest.mark.parametrize("owner", OWNERS[:1], indirect=True)
async def test_who_acts_by_the_old_address_is_answered_there(stage: Stage) -> None:
    await _address_changed(stage)
    told = {mail.recipient: mail for mail in stage.mails}
    by_old, by_sms = told[stage.owner.email].link("d"), stage.text.link
    for link in (by_old, by_sms):
        (await stage.open(link)).shows(stage.owner.place)
    # Whoever reads the new address may be a stranger.
    page = await stage.open(told[stage.owner.new_email].link("d"))
    assert stage.owner.place not in page.whole
    await stage.press(await stage.open(by_old))
    assert stage.mail.recipient == stage.owner.email
    stage.mail.titled("Your account is deactivated")
