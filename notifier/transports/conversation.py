"""One mail over one connection (RFC 5321 section 3.3): a `Mail` goes in up to the last dot, then the dot; the relay's
receipt comes out.

In two steps, because the dot divides what can go wrong: before it the relay has not taken the mail, so another may have
it; after it, and until the relay has answered, nobody can tell.
"""

import asyncio
import re
from typing import cast

import aiosmtplib

from notifier.transports.base import Ambiguous, Mail, Receipt
from notifier.transports.replies import Step, Trouble, queue_id, refusal

# Lines end in CRLF and nothing else, and a dot that begins one is doubled (RFC 5321 section 4.5.2): no content can end
# its mail before we do.
_LINE_END = re.compile(rb"\r\n|\r|\n")
_DOT = re.compile(rb"^\.", re.MULTILINE)
# How often to look whether the relay has read on. s
_LOOK = 0.01


class Unfit(Exception):
    """The relay announces no SMTPUTF8 (RFC 6531), which this mail's address needs."""


class Hung(Ambiguous):
    """All of it was sent, and the relay is silent."""


async def offer(client: aiosmtplib.SMTP, mail: Mail) -> None:
    """Everything up to the dot; raises Permanent, Deferred, Trouble or Unfit. The caller bounds the time."""
    options = b""
    if not mail.recipient.isascii():
        # The second is part of the first (RFC 6531 section 3.1), and a relay that forgot it would not understand.
        if not (client.supports_extension("smtputf8") and client.supports_extension("8bitmime")):
            raise Unfit
        options = b" BODY=8BITMIME SMTPUTF8"
    await _say(client, f"MAIL FROM:<{mail.sender}>".encode() + options, "mail")
    await _say(client, f"RCPT TO:<{mail.recipient}>".encode(), "rcpt")
    await _say(client, b"DATA", "data")
    transport = cast(asyncio.WriteTransport, client.transport)
    transport.write(_on_the_wire(mail.content))
    # A relay that has hung up meanwhile is noticed now; and the dot must not wait in our own buffer behind a content
    # that the relay does not read, as it would not be known then whether it had gone.
    await asyncio.sleep(0)
    while client.is_connected and transport.get_write_buffer_size():  # noqa: ASYNC110  # nothing tells when it is empty
        await asyncio.sleep(_LOOK)
    if not client.is_connected:
        raise Trouble("dropped")


async def finish(client: aiosmtplib.SMTP, relay: str, patience: float) -> Receipt:
    """The dot; raises Ambiguous, Permanent, Deferred or Trouble. `patience` in seconds is for the answer to it."""
    try:
        code, text = await client.execute_command(b".", timeout=patience)
    except aiosmtplib.SMTPTimeoutError:
        raise Hung("ambiguous") from None
    except (aiosmtplib.SMTPException, OSError):
        raise Ambiguous("ambiguous") from None
    if 200 <= code < 300:
        return Receipt(relay, queue_id(text))
    if 400 <= code < 600:
        raise refusal(code, text, "dot")
    raise Ambiguous("ambiguous")


async def _say(client: aiosmtplib.SMTP, command: bytes, step: Step) -> None:
    try:
        code, text = await client.execute_command(command)
    except aiosmtplib.SMTPResponseException:
        raise Trouble("malformed") from None
    except (aiosmtplib.SMTPException, OSError):
        raise Trouble("dropped") from None
    if code // 100 != (3 if step == "data" else 2):
        raise refusal(code, text, step)


def _on_the_wire(content: bytes) -> bytes:
    lines = _DOT.sub(b"..", _LINE_END.sub(b"\r\n", content))
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"
