"""Takes the name of a template and what it shows; gives the page, which loads nothing from
anywhere else.
"""

import re
import secrets
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

# A full stop or a bracket after a URL ends the sentence, not the URL.
_URL = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]")


def linkify(text: str) -> Markup:
    """The text, escaped, its URLs made into links."""
    html, end = Markup(""), 0
    for url in _URL.finditer(text):
        html += escape(text[end : url.start()])
        html += Markup('<a href="{0}" target="_blank" rel="noopener">{0}</a>').format(url[0])
        end = url.end()
    return html + escape(text[end:])


def moment(when: datetime) -> Markup:
    """A `<time>` element in the time zone of this machine, which is that of its one reader."""
    return Markup('<time datetime="{}">{:%H:%M:%S}<span> · {:%d %b}</span></time>').format(
        when.isoformat(), when.astimezone(), when.astimezone()
    )


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(linkify=linkify, moment=moment)
_templates.policies["json.dumps_kwargs"] = {"ensure_ascii": False}


def page(template: str, **shown: object) -> HTMLResponse:
    nonce = secrets.token_urlsafe(16)
    html = _templates.get_template(template).render(nonce=nonce, **shown)
    # A message shown in a frame inherits this: it cannot load a remote image, or say it was read.
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; "
        "img-src data:; connect-src 'self'; form-action 'self'"
    )
    return HTMLResponse(html, headers={"content-security-policy": policy})
