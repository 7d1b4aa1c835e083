"""What may be told to an account's owner: a class for each notice, with the fields of its context.

Each is checked as it is made, before anything is sent: a missing field is an error of the type checker already, a wrong
value a `pydantic.ValidationError`.
"""

import re
from typing import Any, ClassVar

from notifier.contexts import (
    Activity,
    Block,
    CodePurpose,
    EmailChange,
    LoginMethod,
    Occasion,
    Occurrence,
    Review,
    Suspension,
    Suspicion,
    TwoFactor,
    Withdrawal,
)
from notifier.events import Context

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class Told(Context):
    """Base of all notices; `notice` is the name in an event's `type`."""

    notice: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """The name of the class is the name of the notice."""
        cls.notice = _CAPITAL.sub("_", cls.__name__).lower()


class LoginSucceeded(Activity, Told):
    """The owner signed in."""


class IpVerification(Activity, Told):
    """A sign-in from a new IP address: is it the owner? Prints a code."""


class NewDevice(Activity, Told):
    """A new device is to be authorized. Prints a code, and carries a link that asks for it."""


class PasswordReset(Activity, Told):
    """A reset of the password was asked for. Prints a code."""


class SmsAuthenticatorReset(Activity, Told):
    """A reset of the SMS authenticator was asked for. Prints a code."""


class GoogleAuthenticatorReset(Activity, Told):
    """A reset of the authenticator app was asked for. Prints a code."""


class WithdrawalConfirmation(Withdrawal, Told):
    """A withdrawal is to be confirmed. Prints a code, and carries a link that asks for it."""


class VerificationCode(CodePurpose, Told):
    """A code, and what it is for."""


class ReactivationRequested(Occurrence, Told):
    """The account is wanted back. Prints a code, and carries a link that asks for it."""


class AccountDeactivated(Occurrence, Told):
    """The account is deactivated."""


class AccountReactivated(Occurrence, Told):
    """The account is active again."""


class PasswordChanged(Activity, Told):
    """The password was changed. Starts a hold on withdrawals."""


class TwoFactorDisabled(TwoFactor, Told):
    """SMS or app authentication was switched off. Starts a hold on withdrawals."""


class TwoFactorReset(TwoFactor, Told):
    """SMS or app authentication was reset. Starts a hold on withdrawals."""


class EmailChanged(EmailChange, Told):
    """The e-mail address was changed; mailed to both. Starts a hold on withdrawals."""


class LoginMethodLinked(LoginMethod, Told):
    """Google, Apple or Telegram sign-in was linked."""


class WithdrawalsSuspended(Suspension, Told):
    """Withdrawals are on hold."""


class WithdrawalsResumed(Occasion, Told):
    """Withdrawals work again. The service sends it by itself when the last hold ends; posted, it ends every hold."""


class UnusualActivity(Suspicion, Told):
    """Withdrawals are stopped until the owner's identity is verified."""


class IdentityVerificationResult(Review, Told):
    """The owner's identity is verified, or not."""


class WithdrawalAppealReceived(Occasion, Told):
    """An appeal against a hold on withdrawals arrived."""


class WithdrawalAppealResult(Review, Told):
    """The appeal was accepted, or not."""


class AccountActivation(Occasion, Told):
    """The account is to be activated. Carries a link, of which the service reminds by itself."""


class AccountActivationReminder(Occasion, Told):
    """The account is not active yet. Carries a link."""


class AccountBlocked(Block, Told):
    """The account cannot be used for now."""


class DocumentReviewResult(Review, Told):
    """The documents were accepted, with a link to reactivate the account, or not."""
