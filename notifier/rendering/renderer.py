"""What is to be said comes in (an accepted event, its URLs and code, or a page's facts), words in its language go out.

Pure: no clock, no network, no store. A message is written with one catalog, wholly: where that lacks any of its
strings, with the next that fits its reader.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from notifier.clock import moment
from notifier.events import Channel
from notifier.linkage import Urls
from notifier.notices import NOTICES
from notifier.recipients import mask_email, mask_phone
from notifier.records import Accepted, PrintedCode
from notifier.rendering import formats
from notifier.rendering.catalog import Catalog
from notifier.rendering.environments import Environments, origin
from notifier.rendering.i18n import Edition, bcp47, direction
from notifier.rendering.mime import MailText
from notifier.rendering.molds import Molds
from notifier.rendering.negotiation import Reason
from notifier.rendering.wording import Wording

# The templates of a message, by its channel.
_MAIL = ("subject.txt", "body.html", "body.txt")
FORMS: Mapping[Channel, tuple[str, ...]] = {"email": _MAIL, "sms": ("sms.txt",), "inbox": _MAIL}
# Where layouts are looked for first: an item is a mail's words in a layout of its own.
_INBOX = "inbox"


@dataclass(frozen=True, slots=True)
class Voice:
    """What the operator sets of every message: who speaks, where links lead, and how long things last.

    `holds` is for how long each notice puts withdrawals on hold.
    """

    brand: str
    base_url: str
    support_email: str
    life_emergency: timedelta
    life_on_request: timedelta
    reactivation_delay: timedelta
    life_activation: timedelta
    holds: Mapping[str, timedelta]


@dataclass(frozen=True, slots=True)
class About:
    """What one message of an event tells, where that is not the event's own notice to its recipient's address."""

    notice: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class ItemText:
    """What a person reads in the inbox; `html` is a fragment."""

    title: str
    text: str
    html: str


class Language(NamedTuple):
    """One that a page may be read in: its name in itself, and where the page is so; `current`: here."""

    tag: str
    name: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What a message is written with, and why with that."""

    catalog: Catalog
    reason: Reason

    @property
    def locale(self) -> str:
        """Of the catalog."""
        return self.catalog.locale


# A reader's tag, a notice and a channel come in; what that message is written with goes out.
Choose = Callable[[str | None, str, Channel], Choice]


class Shelf(Protocol):
    """Where the editions come from: an i18n.Catalogs, or something that is not served."""

    @property
    def edition(self) -> Edition:
        """What serves now."""
        ...


class Renderer:
    """Renders the templates below `templates` with the editions of `catalogs`."""

    def __init__(self, templates: Path, catalogs: Shelf, voice: Voice) -> None:
        self._environments = Environments([templates])
        self._inbox_environments = Environments([templates / _INBOX, templates])
        self._catalogs = catalogs
        self._voice = voice
        self.wording = Wording(templates)
        # By catalog: of one that serves no more nothing is kept.
        self._molds: WeakKeyDictionary[Catalog, Molds] = WeakKeyDictionary()

    def choose(self, tag: str | None, notice: str, channel: Channel) -> Choice:
        """What a message to a reader of `tag` is written with: the first that says all of it."""
        return self._choose(tag, [f"{notice}/{form}" for form in FORMS[channel]])

    def mail(
        self,
        accepted: Accepted,
        urls: Urls,
        code: PrintedCode | None,
        choice: Choice | None = None,
        about: About | None = None,
    ) -> MailText:
        """The three parts of a mail, in its event's locale where nothing else was chosen."""
        about = about or About(accepted.notice, accepted.recipient.email)
        choice = choice or self.choose(accepted.locale, about.notice, "email")
        facts = self._facts(accepted, urls, code, about, choice.locale)
        return MailText(
            _line(self._part(choice, about, "subject.txt", facts)),
            self._part(choice, about, "body.txt", facts),
            self._part(choice, about, "body.html", facts),
        )

    def subject(
        self, accepted: Accepted, urls: Urls, code: PrintedCode | None, choice: Choice, about: About | None = None
    ) -> str:
        """A mail's subject alone."""
        about = about or About(accepted.notice, accepted.recipient.email)
        facts = self._facts(accepted, urls, code, about, choice.locale)
        return _line(self._part(choice, about, "subject.txt", facts))

    def sms(
        self,
        accepted: Accepted,
        urls: Urls,
        code: PrintedCode | None,
        choice: Choice | None = None,
        about: About | None = None,
    ) -> str:
        """The text of an SMS, in its event's locale where nothing else was chosen."""
        about = about or About(accepted.notice)
        choice = choice or self.choose(accepted.locale, about.notice, "sms")
        facts = self._facts(accepted, urls, code, about, choice.locale)
        # One no-break space would turn the whole text into UCS-2, at twice the segments.
        template = self._environments.of(choice.catalog).get_template(f"{about.notice}/sms.txt")
        text = formats.closed_up(template.render(facts), choice.locale).strip()
        # What was cut ends in three dots, and a sentence that ends there needs no fourth.
        text = text.replace("....", "...")
        return text.replace(formats.NO_BREAK_SPACE, " ").replace(formats.NARROW_NO_BREAK_SPACE, " ")

    def item(
        self, accepted: Accepted, urls: Urls, choice: Choice | None = None, about: About | None = None
    ) -> ItemText:
        """What the inbox shows, never with a code; in its event's locale where nothing else was chosen."""
        about = about or About(accepted.notice)
        choice = choice or self.choose(accepted.locale, about.notice, "inbox")
        facts = self._facts(accepted, urls, None, about, choice.locale)
        environment = self._inbox_environments.of(choice.catalog)

        def part(form: str) -> str:
            return environment.get_template(f"{about.notice}/{form}").render(facts).strip()

        return ItemText(_line(part("subject.txt")), part("body.txt"), part("body.html"))

    def _part(self, choice: Choice, about: About, form: str, facts: Mapping[str, Any]) -> str:
        return self._said(choice.catalog, f"{about.notice}/{form}", facts)

    def _said(self, catalog: Catalog, template: str, facts: Mapping[str, Any]) -> str:
        molds = self._molds.setdefault(catalog, Molds())
        return formats.closed_up(
            molds.write(self._environments.of(catalog).get_template(template), facts), catalog.locale
        )

    def page(self, name: str, locale: str, zone: str, facts: Mapping[str, Any]) -> str:
        """A page of templates/pages; like a message it falls back whole."""
        catalog = self._choose(locale, [f"pages/{name}.html"]).catalog
        return self._said(catalog, f"pages/{name}.html", {**self._common(catalog.locale, zone), **facts})

    def page_with(self, catalog: Catalog, name: str, zone: str, facts: Mapping[str, Any]) -> str:
        """A page in the words of this catalog, which may be shown but once."""
        template = self._environments.of(catalog).get_template(f"pages/{name}.html")
        return formats.closed_up(template.render({**self._common(catalog.locale, zone), **facts}), catalog.locale)

    def _choose(self, tag: str | None, templates: Sequence[str]) -> Choice:
        edition, uses = self._catalogs.edition, {key for template in templates for key in self.wording.of(template)}
        found = edition.match(tag)
        # The last is English, which says everything.
        locale = next(locale for locale in found.chain if edition.catalog(locale).says(uses))
        return Choice(edition.catalog(locale), found.reason if locale == found.chain[0] else "incomplete")

    def _facts(
        self, accepted: Accepted, urls: Urls, code: PrintedCode | None, about: About, locale: str
    ) -> dict[str, Any]:
        voice, recipient, row = self._voice, accepted.recipient, NOTICES[about.notice]
        due = moment(accepted.due)
        # What follows an event leads where it does itself, and is sent when the hold is over.
        own = about.notice == accepted.notice
        ways_out = accepted.context.web_addresses if own else ()
        happened = getattr(accepted.context, "occurred_at", None) or due
        follows = voice.holds.get(row.leads_to or "", timedelta(0))
        return self._common(locale, recipient.timezone) | {
            "account": masked(about.email or recipient.email, recipient.phone),
            "email": about.email,
            "recipient_name": recipient.name,
            "antiphishing_phrase": recipient.antiphishing_phrase,
            "notice": about.notice,
            "context": accepted.context.read_at(about.email),
            "happened": happened,
            "code": code.digits if code else None,
            "code_minutes": code.minutes if code else None,
            "links": urls,
            # What the links that are there begin with; our own is the first.
            "origins": [f"{voice.base_url}/"] * any(urls.values()) + sorted(set(map(origin, ways_out))),
            "link_days": _whole(voice.life_emergency, 86_400),
            "reactivate_hours": _whole(voice.life_on_request, 3_600),
            "reactivation_opens": happened + voice.reactivation_delay,
            "activate_until": due + voice.life_activation,
            "withdrawals_resume": moment(accepted.held_until) if own and accepted.held_until else None,
            "withdrawals_stopped": own and accepted.stopped,
            "hold_hours": _whole(follows, 3_600) if follows else None,
        }

    def _common(self, locale: str, zone: str) -> dict[str, Any]:
        return {
            "brand": self._voice.brand,
            "base_url": self._voice.base_url,
            # A code is bound to a host without its port (WebOTP's "domain-bound code").
            "site": urlsplit(self._voice.base_url).hostname,
            "support_email": self._voice.support_email,
            "reactivation_delay_hours": _whole(self._voice.reactivation_delay, 3_600),
            "lang": bcp47(locale),
            "dir": direction(locale),
            "locale": locale,
            "timezone": zone,
        }


def masked(email: str | None, phone: str | None) -> str:
    """The owner's address as a message or page may show it."""
    return mask_email(email) if email else mask_phone(phone or "")


def _whole(span: timedelta, unit: int) -> int:
    # Never "0 hours", and never more than is true but for the last started unit.
    return max(1, round(span.total_seconds() / unit))


def _line(text: str) -> str:
    """One line, whatever a template's author did."""
    return " ".join(text.split())
