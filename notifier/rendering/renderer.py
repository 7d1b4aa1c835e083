"""What is to be said comes in (an accepted event, its URLs and code, or a page's facts), words in its language go out.

Pure: no clock, no network, no store. One Jinja environment a locale, made when first needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context as TemplateContext

from notifier.clock import moment
from notifier.linkage import Urls
from notifier.recipients import mask_email, mask_phone
from notifier.records import Accepted, PrintedCode
from notifier.rendering import formats
from notifier.rendering.i18n import Catalogs, bcp47, direction
from notifier.rendering.mime import MailText


@dataclass(frozen=True, slots=True)
class Voice:
    """What the operator sets of every message: who speaks, where links lead, and how long things last."""

    brand: str
    base_url: str
    support_email: str
    life_emergency: timedelta
    life_on_request: timedelta
    reactivation_delay: timedelta
    hold_account_reactivated: timedelta


class Renderer:
    """Renders the templates below `templates` with the translations of `catalogs`."""

    def __init__(self, templates: Path, catalogs: Catalogs, voice: Voice) -> None:
        self._templates = templates
        self._catalogs = catalogs
        self._voice = voice

    def mail(self, accepted: Accepted, urls: Urls, code: PrintedCode | None) -> MailText:
        """The three parts of a mail."""
        facts = self._facts(accepted, urls, code)
        env = self._environment(accepted.locale)

        def part(name: str) -> str:
            return env.get_template(f"{accepted.notice}/{name}").render(facts)

        # A subject is one line whatever a template's author did.
        return MailText(" ".join(part("subject.txt").split()), part("body.txt"), part("body.html"))

    def sms(self, accepted: Accepted, urls: Urls, code: PrintedCode | None) -> str:
        """The text of an SMS."""
        env = self._environment(accepted.locale)
        text = env.get_template(f"{accepted.notice}/sms.txt").render(self._facts(accepted, urls, code)).strip()
        # One no-break space would turn the whole text into UCS-2, at twice the segments.
        return text.replace(formats.NO_BREAK_SPACE, " ").replace(formats.NARROW_NO_BREAK_SPACE, " ")

    def page(self, name: str, locale: str, zone: str, facts: Mapping[str, Any]) -> str:
        """A page of templates/pages."""
        env = self._environment(locale)
        return env.get_template(f"pages/{name}.html").render({**self._common(locale, zone), **facts})

    def _facts(self, accepted: Accepted, urls: Urls, code: PrintedCode | None) -> dict[str, Any]:
        voice, recipient = self._voice, accepted.recipient
        happened = getattr(accepted.context, "occurred_at", None) or moment(accepted.accepted)
        return self._common(accepted.locale, recipient.timezone) | {
            "account": masked(accepted),
            "recipient_name": recipient.name,
            "antiphishing_phrase": recipient.antiphishing_phrase,
            "notice": accepted.notice,
            "context": accepted.context,
            "code": code.digits if code else None,
            "code_minutes": code.minutes if code else None,
            "links": urls,
            "link_days": _whole(voice.life_emergency, 86_400),
            "reactivate_hours": _whole(voice.life_on_request, 3_600),
            "reactivation_opens": happened + voice.reactivation_delay,
            "withdrawals_resume": happened + voice.hold_account_reactivated,
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

    @cache  # noqa: B019  # one Renderer lives as long as its process
    def _environment(self, locale: str) -> Environment:
        env = Environment(
            loader=FileSystemLoader(self._templates),
            extensions=["jinja2.ext.i18n"],
            undefined=StrictUndefined,
            autoescape=select_autoescape(("html",), default=False),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        env.policies["ext.i18n.trimmed"] = True
        env.install_gettext_translations(self._catalogs.translations(locale), newstyle=True)  # type: ignore[attr-defined]
        env.filters.update(datetime=_datetime, shorttime=_shorttime, amount=_amount)
        return env


def masked(accepted: Accepted) -> str:
    """The owner's address as a message or page may show it."""
    recipient = accepted.recipient
    return mask_email(recipient.email) if recipient.email else mask_phone(recipient.phone or "")


def _whole(span: timedelta, unit: int) -> int:
    # Never "0 hours", and never more than is true but for the last started unit.
    return max(1, round(span.total_seconds() / unit))


@pass_context
def _datetime(context: TemplateContext, value: Any) -> str:
    return formats.full_datetime(value, context["locale"], context["timezone"])


@pass_context
def _shorttime(context: TemplateContext, value: Any) -> str:
    return formats.short_datetime(value, context["locale"], context["timezone"])


@pass_context
def _amount(context: TemplateContext, value: Any, asset: str) -> str:
    return formats.amount(value, asset, context["locale"])
