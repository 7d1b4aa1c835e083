"""Signed mails over real SMTP, whose dots are stuffed on the way."""

import pytest

from notifier.rendering.dkim import sign
from notifier.rendering.mime import MailText
from tests.rendering.test_dkim import DOMAIN, EDWARDS, MAILS, RSA, assembled, verified
from tests.transports.conftest import Start, To
from tests.transports.test_smtp import mail


@pytest.mark.parametrize("words", MAILS.values(), ids=MAILS)
async def test_a_signature_is_not_broken_on_the_way(start: Start, to: To, words: MailText) -> None:
    relay = await start()
    await to(relay.at()).send(mail(sign(assembled(words), DOMAIN, [RSA, EDWARDS])))
    assert verified(relay.mails[0], 2) == [True, True]
