"""The product's templates and catalogs come in; the same for Django go out, one flat template a part.

Jinja2 runs each template once with names instead of values: what it says by gettext becomes `{% blocktranslate %}`,
a value `{{ its name }}`, and what is decided by the notice alone is decided. So Django says the same, and pays neither
for layouts nor for macros.
"""

import html
import re
from functools import partial
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from bench.notices import LOCALES, MIXED, context
from bench.peers.posted import ALL_LINKS, CODES, LINKS
from bench.processes import ROOT

_DATE = '|date:"DATETIME_FORMAT"'
_NAME = re.compile(r"\{\{ ([^{}]+) \}\}")
_OWN = re.compile(r"<bdi>\{\{ ([^{}]+) \}\}</bdi>")
_LTR = re.compile(r'<bdi dir="ltr">\{\{ ([^{}]+) \}\}</bdi>')
_TAG = re.compile(r"\{%.*?%\}(?:[^{}]*\{\{ \w+ \}\})*[^{}]*\{% endblocktranslate %\}|\{\{.*?\}\}")
_SLOT = re.compile(r"%\((\w+)\)s")


def made() -> Any:
    """Where they are; written anew each time."""
    target = ROOT / "build" / "django"
    for notice in MIXED:
        for form in ("subject.txt", "body.txt", "body.html"):
            path = target / "templates" / notice / form
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_flat(notice, form), "utf-8")
    for locale in LOCALES:
        source = ROOT / "locales" / locale / "LC_MESSAGES" / "messages.po"
        if source.exists():
            path = target / "locale" / locale / "LC_MESSAGES" / "django.mo"
            path.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as po, path.open("wb") as mo:
                write_mo(mo, read_po(po, locale=locale))
    return target


def _flat(notice: str, form: str) -> str:
    text = _environment().get_template(f"{notice}/{form}").render(_names(notice))
    # A title was stripped of markup and escaped again, with the tags in it.
    text = _TAG.sub(lambda tag: html.unescape(tag[0]), text)
    head = "{% load i18n bench %}"
    return head + (text if form.endswith("html") else f"{{% autoescape off %}}{text}{{% endautoescape %}}")


def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        extensions=["jinja2.ext.i18n"],
        autoescape=select_autoescape(("html",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.policies["ext.i18n.trimmed"] = True
    env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    env.globals.update(
        gettext=partial(_said, None),
        pgettext=lambda about, text, **values: _said(about, text, **values),
        ngettext=lambda one, many, _, **values: _counted(one, many, **values),
    )
    env.filters.update(
        datetime=lambda value: Markup(f"{{{{ {_expression(value)}{_DATE} }}}}"),
        amount=lambda value, asset: Markup(f"{{{{ {_expression(value)}|amount:{_expression(asset)} }}}}"),
        origin=lambda _: Markup("{{ origin }}"),
        masked=lambda value: value,
    )
    return env


def _names(notice: str) -> dict[str, Any]:
    """Values that say their own names; None where this notice has none."""
    plain = (
        "brand", "support_email", "lang", "account", "email", "recipient_name", "antiphishing_phrase", "happened",
        "code", "code_minutes", "link_days", "reactivate_hours", "reactivation_delay_hours", "hold_hours",
    )  # fmt: skip
    values: dict[str, Any] = {name: _name(name) for name in plain}
    if notice not in CODES:
        values["code"] = None
    if notice != "password_reset":
        values["hold_hours"] = None
    return {
        **values,
        "notice": notice,
        "dir": "ltr",
        "base_url": _name("base_url"),
        "origins": [_name("origin")],
        "context": {name: _name(f"context.{name}") for name in context(notice, 0)} | _purpose(notice),
        "links": {name: _name(f"links.{name}") if name in LINKS[notice] else None for name in ALL_LINKS},
        "withdrawals_resume": None,
        "withdrawals_stopped": False,
    }


def _purpose(notice: str) -> dict[str, str]:
    return context(notice, 0) if notice == "verification_code" else {}


def _name(name: str) -> Markup:
    return Markup(f"{{{{ {name} }}}}")


def _expression(value: object) -> str:
    """The name, or name and filter, that a value says; raises where it says more."""
    text = str(value).strip().replace("{{ base_url }}/", "{{ origin }}")
    for pattern, filter in ((_OWN, "|own"), (_LTR, "|ltr"), (_NAME, "")):
        found = pattern.fullmatch(text)
        if found:
            return found[1] + filter
    raise ValueError(f"no name: {text}")


def _said(about: str | None, text: str, **values: object) -> Markup:
    before, named = "", []
    for number, (name, value) in enumerate(values.items()):
        if "{% blocktranslate" in str(value):
            # A label that is said by itself.
            tag = str(value).strip().replace(" %}", f" asvar said{number} %}}", 1)
            before += tag
            named.append(f"{name}=said{number}")
        else:
            named.append(f"{name}={_expression(value)}")
    about_it = f' context "{about}"' if about else ""
    opening = f"{{% blocktranslate{' with ' + ' '.join(named) if named else ''}{about_it} %}}"
    return Markup(f"{before}{opening}{_slots(text)}{{% endblocktranslate %}}")


def _counted(one: str, many: str, **values: object) -> Markup:
    name, value = next((name, value) for name, value in values.items() if name != "num")
    return Markup(
        f"{{% blocktranslate count {name}={_expression(value)} %}}{_slots(one)}{{% plural %}}{_slots(many)}"
        "{% endblocktranslate %}"
    )


def _slots(text: str) -> str:
    return _SLOT.sub(r"{{ \1 }}", text)
