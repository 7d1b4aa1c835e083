"""Unusual activity.

An exchange has seen something that is not like its owner, and stops withdrawals. What the owner sends to verify who
they are does not suffice; their appeal is decided, and withdrawals work again.
"""

from collections.abc import Callable

from tests.scenarios.stage import DEVICE, Stage

_VERIFY, _NEXT = "https://northbank.example/verify", "https://northbank.example/appeal"
# Whose first appeal is turned down.
_AGAIN = ("nb", "ru")


async def test_withdrawals_are_stopped_and_work_again(stage: Stage, ends: Callable[[], None]) -> None:
    owner = stage.owner
    await stage.step("Something is not as usual")
    facts = {"occurred_at": stage.at(), **DEVICE, "location": owner.place}
    await stage.event("unusual_activity", **facts, reason=owner.seen, verify_url=_VERIFY)
    stage.mail.titled("Unusual activity in your account")
    stage.mail.says(
        "We noticed unusual activity in your account, so we stopped all withdrawals. They start again once you have"
        " verified your identity."
    )
    stage.mail.shows(owner.seen, _VERIFY)
    stage.mail.link("d")
    stage.mail.says("Is somebody else in your account?")
    stage.text.says("Unusual activity: withdrawals are stopped. Sign in to verify your identity.")

    await stage.step(f"What {owner.first_name} has sent does not suffice", days=2)
    await stage.event("identity_verification_result", result="rejected", reason=owner.photo, next_url=_NEXT)
    stage.mail.titled("We could not verify your identity")
    stage.mail.says("We checked what you sent us, and it was not enough to verify your identity.")
    stage.mail.shows(owner.photo, _NEXT)
    stage.text.says("We could not verify your identity.")
    assert await stage.scheduled("withdrawals_resumed") == {}

    if owner.locale in _AGAIN:
        await _appealed(stage)
        await stage.event("withdrawal_appeal_result", result="rejected", reason=owner.photo)
        stage.mail.titled("Your appeal was not accepted")
        stage.mail.says("Your appeal about withdrawals from your account was not accepted. They stay on hold.")
        stage.mail.shows(owner.photo)
        await stage.step("Withdrawals stay on hold", days=1)
        stage.silence()
    await _appealed(stage)
    await stage.event("withdrawal_appeal_result", result="approved")
    stage.mail.titled("Your appeal was accepted")
    stage.mail.says(
        "Your appeal about withdrawals from your account was accepted. We will write to you when they work again."
    )
    stage.text.says("Your appeal about withdrawals was accepted.")
    assert (await stage.scheduled("withdrawals_resumed")).keys() == {"email", "sms"}
    await stage.step("The hold is over", seconds=5)
    stage.mail.titled("Withdrawals work again")
    stage.text.says("Withdrawals from your account work again.")
    await stage.step("It is told once", days=3)
    stage.silence()
    stage.platform_was_told()
    ends()


async def _appealed(stage: Stage) -> None:
    """Up to its decision."""
    await stage.step(f"{stage.owner.first_name} appeals", hours=3)
    await stage.event("withdrawal_appeal_received", occurred_at=stage.at())
    stage.mail.titled("We received your appeal")
    stage.mail.says(
        "Your appeal about withdrawals from your account has arrived. We will write to you when it is decided."
    )
    stage.text.says("We received your appeal about withdrawals and will write to you when it is decided.")
    await stage.step("The appeal is decided", days=2)
