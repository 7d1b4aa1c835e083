"""What an experienced developer writes first: the product's own templates in one Jinja2 environment, gettext looked up
while they run, Babel for times and amounts, and `EmailMessage`.
"""

import gettext
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel.dates import format_datetime as localized
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, pass_context, select_autoescape
from jinja2.runtime import Context

from bench.peers.posted import ALL_LINKS, BASE_URL, BRAND, SENDER, SUPPORT
from bench.processes import ROOT
from notifier.rendering.catalog import compile_catalog

_current: ContextVar[gettext.NullTranslations] = ContextVar("current")


@cache
def translations(locale: str) -> gettext.NullTranslations:
    """Compiled once, as `msgfmt` does."""
    path = ROOT / "locales" / locale / "LC_MESSAGES" / "messages.po"
    return compile_catalog(locale, path.read_bytes() if path.exists() else b"").translations


@pass_context
def _datetime(context: Context, value: datetime) -> str:
    return localized(value, "long", tzinfo=ZoneInfo(context["timezone"]), locale=context["locale"])


@pass_context
def _amount(context: Context, value: str, asset: str) -> str:
    return f"{format_decimal(Decimal(value), locale=context['locale'], decimal_quantization=False)} {asset}"


def masked(address: str) -> str:
    """`a***@example.com`."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain}"


def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        extensions=["jinja2.ext.i18n"],
        autoescape=select_autoescape(("html",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _current.get().gettext(text),
        lambda one, many, n: _current.get().ngettext(one, many, n),
        newstyle=True,
        pgettext=lambda context, text: _current.get().pgettext(context, text),
        npgettext=lambda context, one, many, n: _current.get().npgettext(context, one, many, n),
    )
    env.filters.update(
        datetime=_datetime,
        shorttime=_datetime,
        amount=_amount,
        masked=masked,
        origin=lambda url: "{0.scheme}://{0.netloc}/".format(urlsplit(url)),
    )
    return env


_ENV = _environment()


def facts(job: dict[str, Any], urls: dict[str, str], code: str | None) -> dict[str, Any]:
    """What the templates ask for."""
    recipient, context = job["recipient"], job["context"]
    happened = datetime.fromisoformat(context["occurred_at"]) if "occurred_at" in context else datetime.now(UTC)
    return {
        "brand": BRAND,
        "base_url": BASE_URL,
        "support_email": SUPPORT,
        "reactivation_delay_hours": 2,
        "lang": recipient["locale"],
        "dir": "ltr",
        "locale": recipient["locale"],
        "timezone": recipient["timezone"],
        "account": masked(recipient["email"]),
        "email": recipient["email"],
        "recipient_name": recipient["name"],
        "antiphishing_phrase": recipient["antiphishing_phrase"],
        "notice": job["notice"],
        "context": context,
        "happened": happened,
        "code": code,
        "code_minutes": 30,
        "links": dict.fromkeys(ALL_LINKS) | urls,
        "origins": [f"{BASE_URL}/"],
        "link_days": 7,
        "reactivate_hours": 24,
        "reactivation_opens": happened + timedelta(hours=2),
        "withdrawals_resume": None,
        "withdrawals_stopped": False,
        "hold_hours": 24 if job["notice"] == "password_reset" else None,
    }


def mail(job: dict[str, Any], urls: dict[str, str], code: str | None) -> EmailMessage:
    """HTML and text."""
    _current.set(translations(job["recipient"]["locale"]))
    given, notice = facts(job, urls, code), job["notice"]
    message = EmailMessage(SMTP)
    message["From"], message["To"] = SENDER, job["recipient"]["email"]
    message["Subject"] = " ".join(_ENV.get_template(f"{notice}/subject.txt").render(given).split())
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(job.get("id") or uuid.uuid4().hex, "northbank.example")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_ENV.get_template(f"{notice}/body.txt").render(given))
    message.add_alternative(_ENV.get_template(f"{notice}/body.html").render(given), "html")
    return message
