"""One mail over one connection (RFC 5321 section 3.3): a `Mail` goes in up to the last dot, then the dot; the relay's
receipt comes out.

In two steps, because the dot divides what can go wrong: before it the relay has not taken the mail, so another may have
it; after it, and until the relay has answered, nobody can tell.
"""

import asyncio
import re

from notifier.transports.base import Ambiguous, Mail, Receipt, TransportError
from notifier.transports.line import Broken, Line, Malformed, Reply
from notifier.transports.replies import Step, Trouble, queue_id, refusal

# Lines end in CRLF and nothing else, and a dot that begins one is doubled (RFC 5321 section 4.5.2): no content can end
# its mail before we do.
_LONE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
# How often to look whether the relay has read on. s
_LOOK = 0.01
# How long a kept connection has to show that it is still there. s
_STILL_THERE = 1


class Unfit(Exception):
    """The relay announces no SMTPUTF8 (RFC 6531), which this mail's address needs."""


class Hung(Ambiguous):
    """All of it was sent, and the relay is silent."""


class Stale(Exception):
    """A kept connection is not there any more; `silent`: nor does anything say so."""

    def __init__(self, *, silent: bool) -> None:
        super().__init__()
        self.silent = silent


async def offer(line: Line, mail: Mail, *, kept: bool = False) -> None:
    """Everything up to the dot; raises Permanent, Deferred, Trouble or Unfit. The caller bounds the time.

    A connection that was `kept` may have been closed meanwhile: RSET finds out before a mail is at stake, or Stale.
    """
    commands = _commands(line, mail)
    if kept:
        commands = [(b"RSET", None), *commands]
    if line.at_once:
        replies = line.say(*(command for command, _ in commands))
        for number, (reply, (_, step)) in enumerate(zip(replies, commands, strict=True)):
            try:
                await _well(reply, step)
            except TransportError:
                # It answers the rest as well, and is ready for the next mail, unless it waits for this one's content.
                *_, last = [await _answer(each) for each in replies[number:]]
                if last.code == _GO_ON:
                    line.abort()
                raise
    else:
        for command, step in commands:
            await _well(line.say(command)[0], step)
    line.write(_on_the_wire(mail.content))
    # A relay that has hung up meanwhile is noticed now; and the dot must not wait in our own buffer behind a content
    # that the relay does not read, as it would not be known then whether it had gone.
    await asyncio.sleep(0)
    while line.is_connected and line.transport.get_write_buffer_size():  # noqa: ASYNC110  # nothing tells when it is empty
        await asyncio.sleep(_LOOK)
    if not line.is_connected:
        raise Trouble("dropped")


_GO_ON = 354


def _commands(line: Line, mail: Mail) -> list[tuple[bytes, Step | None]]:
    options = b""
    if not mail.recipient.isascii():
        # The second is part of the first (RFC 6531 section 3.1), and a relay that forgot it would not understand.
        if not (line.supports("smtputf8") and line.supports("8bitmime")):
            raise Unfit
        options = b" BODY=8BITMIME SMTPUTF8"
    return [
        (f"MAIL FROM:<{mail.sender}>".encode() + options, "mail"),
        (f"RCPT TO:<{mail.recipient}>".encode(), "rcpt"),
        (b"DATA", "data"),
    ]


async def finish(line: Line, relay: str, patience: float) -> Receipt:
    """The dot; raises Ambiguous, Permanent, Deferred or Trouble. `patience` in seconds is for the answer to it."""
    try:
        async with asyncio.timeout(patience):
            code, text = await line.say(b".")[0]
    except TimeoutError:
        raise Hung("ambiguous") from None
    except (Broken, Malformed):
        raise Ambiguous("ambiguous") from None
    if 200 <= code < 300:
        return Receipt(relay, queue_id(text))
    if 400 <= code < 600:
        raise refusal(code, text, "dot")
    raise Ambiguous("ambiguous")


async def _well(reply: asyncio.Future[Reply], step: Step | None) -> None:
    """Without a step it is whether the connection is still there."""
    if step is None:
        await _still_there(reply)
        return
    code, text = await _answer(reply)
    if code // 100 != (3 if step == "data" else 2):
        raise refusal(code, text, step)


async def _answer(reply: asyncio.Future[Reply]) -> Reply:
    try:
        return await reply
    except Malformed:
        raise Trouble("malformed") from None
    except Broken:
        raise Trouble("dropped") from None


async def _still_there(reply: asyncio.Future[Reply]) -> None:
    try:
        async with asyncio.timeout(_STILL_THERE):
            code, _ = await reply
    except TimeoutError:
        raise Stale(silent=True) from None
    except (Broken, Malformed):
        raise Stale(silent=False) from None
    if code // 100 != 2:
        raise Stale(silent=False)


def _on_the_wire(content: bytes) -> bytes:
    lines = _LONE.sub(b"\r\n", content) if _has_lone(content) else content
    if lines.startswith(b"."):
        lines = b"." + lines
    lines = lines.replace(b"\r\n.", b"\r\n..")
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


def _has_lone(content: bytes) -> bool:
    """What we write ourselves has none, and to count is quicker by far than to look for them."""
    whole = content.count(b"\r\n")
    return content.count(b"\n") != whole or content.count(b"\r") != whole
