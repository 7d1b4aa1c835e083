"""What is kept of an event comes back as it was accepted, whatever is asked of new ones by then."""

import secrets

import pytest
from pydantic import ValidationError

from notifier.events import Recipient
from notifier.examples import EXAMPLES
from notifier.notices import NOTICES
from notifier.records import Accepted
from notifier.sealing import Sealer

SEALER = Sealer([secrets.token_bytes(32)])
RECIPIENT = {
    "email": "Arta@EXAMPLE.com",
    "phone": "+355 69 123 4567",
    "locale": "sq-AL",
    "timezone": "Europe/Tirane",
    "name": "Arta  Hoxha",
    "antiphishing_phrase": "çafka blu",
}


def accepted(notice: str, recipient: Recipient) -> Accepted:
    context = NOTICES[notice].context.model_validate(EXAMPLES[notice].context)
    return Accepted(
        event="e" * 26,
        account="acct-1",
        notice=notice,
        recipient=recipient,
        context=context,
        locale="sq",
        accepted=1,
        notifications={"n" * 26: "email"},
    )


@pytest.mark.parametrize("notice", EXAMPLES)
def test_what_was_accepted_comes_back(notice: str) -> None:
    before = accepted(notice, Recipient.model_validate(RECIPIENT))
    after = Accepted.open(SEALER, before.event, before.seal(SEALER))
    assert after == before
    assert type(after.context) is NOTICES[notice].context


def test_what_would_be_refused_today_was_accepted() -> None:
    address, place = "-arta@example.com", "evil.example\u202e"
    recipient = Recipient.model_construct(_fields_set=None, **RECIPIENT | {"email": address})
    before = accepted("login_succeeded", recipient)
    before = before.model_copy(update={"context": before.context.model_copy(update={"location": place})})
    after = Accepted.open(SEALER, before.event, before.seal(SEALER))
    assert after.recipient.email == address
    assert after.recipient.phone == RECIPIENT["phone"]
    assert after.context.model_dump()["location"] == place


def test_at_the_door_it_is_refused_or_put_right() -> None:
    with pytest.raises(ValidationError, match="must be one e-mail address"):
        Recipient.model_validate(RECIPIENT | {"email": "-arta@example.com"})
    arta = Recipient.model_validate(RECIPIENT)
    assert (arta.email, arta.phone, arta.name) == ("Arta@example.com", "+355691234567", "Arta Hoxha")
