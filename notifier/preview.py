"""A checked `Event` comes in; what its messages would say, and how long their links and code would live, goes out.

A dry run: nothing is sent or stored. What it shows opens nothing: the code is no code, the links are none of ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from notifier.clock import Clock
from notifier.codes import Codes
from notifier.events import Channel, Event
from notifier.holds import CONCERNED, Hold
from notifier.linkage import Linkage
from notifier.notices import NOTICES, Lane
from notifier.records import Accepted, PrintedCode
from notifier.rendering.i18n import Catalogs
from notifier.rendering.mime import MailText
from notifier.rendering.negotiation import Reason
from notifier.rendering.preheader import preheader
from notifier.rendering.renderer import Choice, ItemText, Renderer
from notifier.rendering.segments import Segments, segments
from notifier.schedule import held, saying


@dataclass(frozen=True, slots=True)
class Wording:
    """What one message is written in: the tag that was asked for, the locale chosen, and why that."""

    asked: str | None
    locale: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class MailPreview:
    """A mail; `preheader` is what an inbox shows of it."""

    wording: Wording
    words: MailText
    preheader: str


@dataclass(frozen=True, slots=True)
class SmsPreview:
    """An SMS, and how it is billed."""

    wording: Wording
    text: str
    segments: Segments


@dataclass(frozen=True, slots=True)
class ItemPreview:
    """An item in the inbox."""

    wording: Wording
    words: ItemText


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """A link; times in ms. It acts until `expires`, and where `delay` is given only on an account that has been
    deactivated for as long. `challenged`: its page asks for the message's code.
    """

    purpose: str
    channels: Sequence[Channel]
    delay: int | None
    expires: int
    challenged: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """Times in ms: the messages would be sent at `due`, and not past `deadline`."""

    notice: str
    lane: Lane
    due: int
    deadline: int
    code: PrintedCode | None
    code_expires: int | None
    links: Sequence[LinkPreview]
    mail: MailPreview | None
    sms: SmsPreview | None
    item: ItemPreview | None


@dataclass(frozen=True, slots=True)
class Previewer:
    """The stage's tools, handed in by the roots. `reactivation_delay` in ms; `spans` is for how long each notice puts
    withdrawals on hold.
    """

    codes: Codes
    linkage: Linkage
    renderer: Renderer
    catalogs: Catalogs
    reactivation_delay: int
    spans: Mapping[str, timedelta]
    clock: Clock

    def preview(self, event: Event) -> Preview:
        """As it would be accepted now."""
        asked = event.recipient.locale
        accepted = Accepted.of(
            event,
            locale=self.catalogs.negotiate(asked),
            accepted=self.clock(),
            notifications={channel: channel for channel in event.channels},
            code=None if NOTICES[event.notice].code is None else "sample",
        )
        if accepted.notice in CONCERNED:
            # As if the account had no other hold: a preview reads nothing that is stored.
            accepted = saying(accepted, held(accepted, Hold(), self.spans, self.renderer.choose).after)
        purpose = accepted.code_purpose
        code = None if purpose is None else self.codes.sample(purpose)
        expires = None if purpose is None else self.codes.expires(purpose, accepted.due)
        return Preview(
            notice=accepted.notice,
            lane=NOTICES[accepted.notice].lane,
            due=accepted.due,
            deadline=accepted.deadline(expires, self.linkage.own(accepted)),
            code=code,
            code_expires=expires,
            links=self._links(accepted, event.channels),
            mail=self._mail(accepted, code) if "email" in event.channels else None,
            sms=self._sms(accepted, code) if "sms" in event.channels else None,
            item=self._item(accepted) if "inbox" in event.channels else None,
        )

    def _mail(self, accepted: Accepted, code: PrintedCode | None) -> MailPreview:
        choice = self._choice(accepted, "email")
        words = self.renderer.mail(accepted, self.linkage.samples(accepted, "email"), code, choice)
        return MailPreview(_wording(accepted, choice), words, preheader(words.html))

    def _sms(self, accepted: Accepted, code: PrintedCode | None) -> SmsPreview:
        choice = self._choice(accepted, "sms")
        text = self.renderer.sms(accepted, self.linkage.samples(accepted, "sms"), code, choice)
        return SmsPreview(_wording(accepted, choice), text, segments(text))

    def _item(self, accepted: Accepted) -> ItemPreview:
        choice = self._choice(accepted, "inbox")
        return ItemPreview(
            _wording(accepted, choice), self.renderer.item(accepted, self.linkage.samples(accepted, "inbox"), choice)
        )

    def _choice(self, accepted: Accepted, channel: Channel) -> Choice:
        return self.renderer.choose(accepted.recipient.locale, accepted.notice, channel)

    def _links(self, accepted: Accepted, channels: Sequence[Channel]) -> list[LinkPreview]:
        carried = {channel: self.linkage.carried(accepted, channel) for channel in channels}
        every = {link.purpose.name: link for links in carried.values() for link in links}
        return [
            LinkPreview(
                purpose=name,
                channels=[channel for channel in channels if link in carried[channel]],
                delay=self.reactivation_delay if name == "reactivate" else None,
                expires=link.expires,
                challenged=link.challenged,
            )
            for name, link in every.items()
        ]


def _wording(accepted: Accepted, choice: Choice) -> Wording:
    return Wording(accepted.recipient.locale, choice.locale, choice.reason)
