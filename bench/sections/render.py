"""Rendering alone: a mail as bytes, by ours and as others write it; a locale's first; what 40 locales take."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import load, notices, stacks
from bench.peers import jinja_mail, posted
from bench.processes import ROOT
from bench.sinks import SmtpSink
from bench.table import Row, ratio
from links.purposes import purposes
from links.tokens import Tokens
from notifier import ids
from notifier.clock import moment
from notifier.events import Recipient
from notifier.linkage import Linkage
from notifier.notices import HOLDS, NOTICES
from notifier.records import Accepted, PrintedCode
from notifier.rendering.i18n import Catalogs
from notifier.rendering.mime import assemble
from notifier.rendering.renderer import Renderer, Voice

NAME = "5. Rendering"
# More mails than times that are remembered (rendering/formats.py): each round writes every time anew.
MAILS, LOCALES = 1_500, 40
# Names that CLDR knows, for copies of catalogs.
_MORE = (
    "de_AT", "de_CH", "fr_CA", "fr_BE", "fr_CH", "es_MX", "es_AR", "es_CO", "es_CL", "it_CH", "nl_BE", "sv_FI", "ru_KZ",
    "ar_EG", "ar_MA", "pt_PT", "pt_AO", "el_CY", "tr_CY", "en_GB", "en_AU", "en_CA", "ro_MD", "da_GL",
)  # fmt: skip
_NOW = 1_773_065_100_000


def run(rounds: int) -> list[Row]:
    """In this process, on one core."""
    found: dict[str, list[float]] = defaultdict(list)
    catalogs, renderer, linkage = _parts(ROOT / "locales")
    catalogs.reload()
    prepared = [_accepted(number, event) for number, event in enumerate(notices.mixed(MAILS))]
    jobs = [posted.job(posted.Posted.model_validate(event), "x") for event in notices.mixed(MAILS)]
    for number, job in enumerate(jobs):
        if "occurred_at" in job["context"]:
            job["context"]["occurred_at"] = _happened(number).isoformat()
    _ours(renderer, linkage, prepared)
    _peer(jobs)
    for _ in range(rounds):
        found["ours"].append(_ours(renderer, linkage, prepared))
        found["peer"].append(_peer(jobs))
    first = [float(value) for _ in range(rounds) for value in _first()]
    per_round = len(first) // rounds
    longest = [max(first[i : i + per_round]) for i in range(0, len(first), per_round)]
    return [
        Row(NAME, "notifier: HTML, text and MIME bytes", "mails/s", found["ours"]),
        Row(NAME, "Jinja2 + gettext + EmailMessage", "mails/s", found["peer"]),
        ratio(NAME, "notifier / Jinja2 + gettext + EmailMessage", found["ours"], found["peer"], 10),
        Row(NAME, "a locale's first mail, the slowest of 21", "ms", longest, "<= 20 ms", 20, "at most"),
        Row(NAME, f"a worker with {LOCALES} locales, all used", "MB", [_memory()], "<= 150 MB", 150, "at most"),
    ]


def _parts(locales: Path) -> tuple[Catalogs, Renderer, Linkage]:
    voice = Voice(
        brand=posted.BRAND,
        base_url=posted.BASE_URL,
        support_email=posted.SUPPORT,
        life_emergency=timedelta(days=7),
        life_on_request=timedelta(hours=24),
        reactivation_delay=timedelta(hours=2),
        life_activation=timedelta(days=3),
        holds=HOLDS,
    )
    table = purposes()
    tokens = Tokens([os.urandom(32)], table, lambda: _NOW)
    catalogs = Catalogs(locales)
    return (
        catalogs,
        Renderer(ROOT / "templates", catalogs, voice),
        Linkage(posted.BASE_URL, tokens, table, timedelta(hours=24)),
    )


def _happened(number: int) -> datetime:
    """Each at another time."""
    return datetime(2026, 3, 9, 14, tzinfo=UTC) + timedelta(seconds=61 * number)


def _accepted(number: int, event: "dict[str, dict[str, object]]") -> tuple[str, Accepted]:
    name, data = str(event["type"]).removeprefix("account."), event["data"]
    recipient = Recipient.model_validate(data["recipient"])
    context = NOTICES[name].context.model_validate(data["context"])
    if "occurred_at" in type(context).model_fields:
        context = context.model_copy(update={"occurred_at": _happened(number)})
    id = ids.new_id("email")
    return id, Accepted(
        event="e",
        account=str(event["subject"]),
        notice=name,
        recipient=recipient,
        context=context,
        locale=recipient.locale or "en",
        accepted=_NOW + number,
        notifications={id: "email"},
        code="c" if NOTICES[name].code is not None else None,
    )


def _ours(renderer: Renderer, linkage: Linkage, prepared: list[tuple[str, Accepted]]) -> float:
    begun = time.perf_counter()
    for id, accepted in prepared:
        _written(renderer, linkage, id, accepted)
    return len(prepared) / (time.perf_counter() - begun)


def _written(renderer: Renderer, linkage: Linkage, id: str, accepted: Accepted) -> bytes:
    words = renderer.mail(
        accepted, linkage.urls(accepted, id, "email"), PrintedCode("123456", 30) if accepted.code else None
    )
    return assemble(
        words,
        sender=posted.SENDER,
        recipient=accepted.recipient.email or "",
        message_id=f"<{id}@northbank.example>",
        date=moment(accepted.due),
        language=accepted.locale,
        boundary=f"=_{id}",
    )


def _peer(jobs: list[dict[str, object]]) -> float:
    urls = {name: [f"{posted.BASE_URL}/l/{each}{'x' * 70}" for each in names] for name, names in posted.LINKS.items()}
    begun = time.perf_counter()
    for job in jobs:
        notice = str(job["notice"])
        links = dict(zip(posted.LINKS[notice], urls[notice], strict=True))
        jinja_mail.mail(job, links, "123456" if notice in posted.CODES else None).as_bytes()
    return len(jobs) / (time.perf_counter() - begun)


def _first() -> list[str]:
    """Milliseconds for each locale, in a process that has written in English alone."""
    told = subprocess.run([sys.executable, "-m", "bench.sections.render"], cwd=ROOT, check=True, capture_output=True)
    return told.stdout.decode().split()


def _first_of_each() -> None:
    catalogs, renderer, linkage = _parts(ROOT / "locales")
    # As a process does as it starts (rendering/watch.py).
    catalogs.reload()
    event = notices.event("new_device", "en", "first", 1)
    _written(renderer, linkage, *_accepted(1, event))
    others = sorted(path.name for path in (ROOT / "locales").iterdir() if path.is_dir() and path.name != "en")
    for locale in others:
        prepared = _accepted(1, notices.event("new_device", locale, "first", 1))
        begun = time.perf_counter()
        _written(renderer, linkage, *prepared)
        print((time.perf_counter() - begun) * 1000)  # noqa: T201


def _memory() -> float:
    """Of a worker, in MB, after mails of every notice here in each of 40 locales."""
    with tempfile.TemporaryDirectory() as directory:
        locales = Path(directory)
        real = sorted(path.name for path in (ROOT / "locales").iterdir() if (path / "LC_MESSAGES").is_dir())
        for locale in real:
            shutil.copytree(ROOT / "locales" / locale, locales / locale)
        for locale in itertools.islice(_MORE, max(0, LOCALES - len(real) - ("en" not in real))):
            source = locale if (ROOT / "locales" / locale).is_dir() else locale.split("_")[0]
            source = source if (ROOT / "locales" / source / "LC_MESSAGES").is_dir() else "de"
            path = locales / locale / "LC_MESSAGES" / "messages.po"
            path.parent.mkdir(parents=True)
            text = (ROOT / "locales" / source / "LC_MESSAGES" / "messages.po").read_text("utf-8")
            path.write_text(text.replace(f"Language: {source}\\n", f"Language: {locale}\\n"), "utf-8")
        served = sorted(path.name for path in locales.iterdir())
        bodies = [
            json.dumps(notices.event(notice, locale, "memory", number)).encode()
            for number, (locale, notice) in enumerate(itertools.product(served, notices.MIXED))
        ]
        sink = SmtpSink()
        try:
            with stacks.ours(sink.port, NOTIFIER_LOCALES=str(locales)) as service:
                load.run(service.job(bodies)).must_be(202)
                sink.wait(len(bodies), 60)
                status = Path(f"/proc/{service.pids['worker 1']}/status").read_text("ascii")
        finally:
            sink.close()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


if __name__ == "__main__":
    _first_of_each()
