"""A notification and its event come in; the message that a transport sends goes out: the same on every attempt, unless
the catalog of its locale has changed meanwhile.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from functools import lru_cache

from notifier import ids
from notifier.clock import Clock, moment
from notifier.codes import Codes
from notifier.events import CODE_CHANNELS, Channel
from notifier.linkage import Linkage
from notifier.notifications import Notification
from notifier.records import Accepted, PrintedCode
from notifier.rendering import dkim
from notifier.rendering.i18n import bcp47
from notifier.rendering.mime import assemble
from notifier.rendering.renderer import About, Choice, Renderer
from notifier.return_path import ReturnPath
from notifier.setting_types import DkimKey
from notifier.transports.base import Item, ItemLink, Mail, Sms

Message = Mail | Sms | Item
Make = Callable[[Notification, Accepted, PrintedCode | None, Choice], Message]


@dataclass(frozen=True, slots=True)
class Composed:
    """A message, the locale that it is in, and why in that."""

    message: Message
    locale: str
    reason: str


class CodeGone(Exception):
    """The code that the message would print is not known any more."""


@dataclass(frozen=True, slots=True)
class Composer:
    """`sender` is a mailbox as RFC 5322 has it; its domain signs with `dkim_keys`. Without a return path bounces go to
    the sender. One message is written at a time, at the `desk`.
    """

    codes: Codes
    linkage: Linkage
    renderer: Renderer
    sender: str
    dkim_keys: Sequence[DkimKey]
    return_path: ReturnPath | None
    clock: Clock
    desk: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def compose(self, notification: Notification, accepted: Accepted) -> Composed:
        """Raises CodeGone."""
        code = None
        if accepted.code and notification.notice == accepted.notice and notification.channel in CODE_CHANNELS:
            code = await self.codes.printed(accepted.code, notification.channel, notification.due)
            if code is None:
                raise CodeGone
        choice = self.renderer.choose(notification.locale, notification.notice, notification.channel)
        make: Mapping[Channel, Make] = {"email": self._mail, "sms": self._sms, "inbox": self._item}
        # Chosen when it was accepted; from then on only another catalog makes another choice.
        reason = notification.locale_reason if choice.locale == notification.locale else choice.reason
        async with self.desk:
            message = make[notification.channel](notification, accepted, code, choice)
            # What a relay or the store has answered meanwhile is heard before the next is written: a batch that was
            # claimed would otherwise hold up those that are being handed over.
            await asyncio.sleep(0)
        return Composed(message, choice.locale, reason)

    def _item(self, notification: Notification, accepted: Accepted, _: PrintedCode | None, choice: Choice) -> Item:
        urls = self.linkage.urls(accepted, notification.id, "inbox", notification.notice)
        words = self.renderer.item(accepted, urls, choice, About(notification.notice))
        lives = {name: self.linkage.expires(accepted, name) for name, url in urls.items() if url}
        return Item(
            notification=notification.id,
            account=ids.digest(accepted.account),
            notice=notification.notice,
            locale=choice.locale,
            title=words.title,
            text=words.text,
            html=words.html,
            links=tuple(ItemLink(name, urls[name] or "", expires) for name, expires in lives.items()),
        )

    def _sms(self, notification: Notification, accepted: Accepted, code: PrintedCode | None, choice: Choice) -> Sms:
        urls = self.linkage.urls(accepted, notification.id, "sms", notification.notice)
        text = self.renderer.sms(accepted, urls, code, choice, About(notification.notice))
        left = (notification.deadline - self.clock()) // 1000
        return Sms(accepted.recipient.phone or "", text, left, notification.id, notification.lane.urgency)

    def _mail(self, notification: Notification, accepted: Accepted, code: PrintedCode | None, choice: Choice) -> Mail:
        urls = self.linkage.urls(accepted, notification.id, "email", notification.notice)
        recipient = accepted.address(notification.id, "email") or ""
        address = _address(self.sender)
        domain = address.rpartition("@")[2]
        message_id = f"<{notification.id}@{domain}>"
        content = assemble(
            self.renderer.mail(accepted, urls, code, choice, About(notification.notice, recipient)),
            sender=self.sender,
            recipient=recipient,
            message_id=message_id,
            date=moment(notification.due),
            language=bcp47(choice.locale),
            boundary=f"=_{notification.id}",
        )
        signed = dkim.sign(content, domain, self.dkim_keys)
        bounces_to = self.return_path.of(notification.id) if self.return_path else address
        return Mail(bounces_to, recipient, message_id, signed, notification.lane.urgency)


@lru_cache(maxsize=8)
def _address(mailbox: str) -> str:
    return parseaddr(mailbox)[1]
