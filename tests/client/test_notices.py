"""Every notice has its class, and each makes the event that the service reads."""

import pytest
from pydantic import ValidationError

from notifier import examples
from notifier.api.validation import read
from notifier.client import Event, Recipient, notices
from notifier.events import Envelope
from notifier.notices import NOTICES

TOLD = {told.notice: told for told in notices.Told.__subclasses__()}


def test_every_notice_has_a_class() -> None:
    assert TOLD.keys() == NOTICES.keys()


@pytest.mark.parametrize("notice", NOTICES)
def test_it_is_made_of_the_notices_context_and_is_read_as_such(notice: str) -> None:
    example = examples.event(notice)
    told = TOLD[notice].model_validate(examples.EXAMPLES[notice].context)
    posted = Event(
        source=example["source"],
        id=example["id"],
        account=example["subject"],
        recipient=Recipient.model_validate(example["data"]["recipient"]),
        notice=told,
        channels=("email", "sms"),
        reference=example["data"]["reference"],
    ).cloudevent()

    assert isinstance(told, NOTICES[notice].context)
    envelope = read(Envelope, posted)
    wanted = read(Envelope, {name: value for name, value in example.items() if name != "time"})
    assert envelope.model_dump(exclude={"data"}) == wanted.model_dump(exclude={"data"})
    context = NOTICES[notice].context
    assert read(context, envelope.data.context) == read(context, wanted.data.context)
    assert envelope.data.recipient == wanted.data.recipient


def test_what_is_wrong_is_told_before_anything_is_sent() -> None:
    with pytest.raises(ValidationError, match="ip"):
        notices.LoginSucceeded(occurred_at="2026-03-09T14:05:00Z", ip="not one", device="Firefox")


def test_ids_that_are_not_given_differ() -> None:
    made = [
        Event(
            source="s",
            account="a",
            recipient=Recipient(email="anna@example.com"),
            notice=notices.VerificationCode(purpose="sign_in"),
        )
        for _ in range(2)
    ]
    assert made[0].id != made[1].id
