"""The worker of the Celery peer: Django's templates in the language of the reader, and `send_mail`."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import django
import redis
from celery import Celery
from django.conf import settings
from django.core.mail import send_mail
from django.core.signing import TimestampSigner
from django.template.loader import render_to_string
from django.utils import timezone, translation

from bench.notices import LOCALES
from bench.peers import django_templates
from bench.peers.jinja_mail import facts
from bench.peers.posted import BASE_URL, CODE_LIFE_S, CODES, LINKS, SENDER, SMTP_PORT, SOCKET, code

if not settings.configured:
    made = django_templates.made()
    settings.configure(
        SECRET_KEY="a key of fifty characters or more, for links alone",  # of a peer in a bench
        USE_I18N=True,
        USE_TZ=True,
        LANGUAGE_CODE="en",
        LANGUAGES=[(locale, locale) for locale in LOCALES],
        LOCALE_PATHS=[made / "locale"],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [made / "templates"],
                "OPTIONS": {
                    # What the cached loader does where DEBUG is off.
                    "libraries": {"bench": "bench.peers.django_filters"},
                },
            }
        ],
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=SMTP_PORT,
    )
    django.setup()

app = Celery("peer", broker=f"redis+socket://{SOCKET}")
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
_signer = TimestampSigner(salt="links")
_store = redis.Redis(unix_socket_path=SOCKET)


@app.task(name="send")  # type: ignore[untyped-decorator,unused-ignore]
def send(job: dict[str, Any]) -> None:
    """One mail, its code kept for as long as it works."""
    notice, recipient, digits = job["notice"], job["recipient"], None
    if notice in CODES:
        digits = code()
        _store.set(f"code:{job['id']}", digits, ex=CODE_LIFE_S)
    urls = {name: f"{BASE_URL}/l/{_signer.sign_object([name, job['id']])}" for name in LINKS[notice]}
    given = {**facts(job, urls, digits), "origin": f"{BASE_URL}/", "now": datetime.now(UTC)}
    with translation.override(recipient["locale"]), timezone.override(ZoneInfo(recipient["timezone"])):
        send_mail(
            " ".join(render_to_string(f"{notice}/subject.txt", given).split()),
            render_to_string(f"{notice}/body.txt", given),
            SENDER,
            [recipient["email"]],
            html_message=render_to_string(f"{notice}/body.html", given),
        )
