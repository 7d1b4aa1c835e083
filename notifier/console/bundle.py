"""A locale comes in, a zip with all its messages and pages goes out, to look at where there is no service."""

import io
import zipfile
from collections.abc import Iterator

from notifier.catalogs.samples import LENGTHS
from notifier.catalogs.variants import variants
from notifier.console.page_facts import page_variants
from notifier.console.workbench import PAGES, Look, Workbench
from notifier.notices import NOTICES

# The same catalog gives the same bytes.
_DATE = (2026, 1, 1, 0, 0, 0)


def bundle(bench: Workbench, locale: str, token: str = "") -> bytes:
    """`<locale>/<length>/<notice>/{subject.txt,body.html,body.txt,sms.txt}`, of other variants than the first
    `…/<notice>-<variant>/…`, and `…/pages/<page>-<variant>.html`.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, text in _files(bench, locale, token):
            archive.writestr(zipfile.ZipInfo(f"{locale}/{name}", _DATE), text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _files(bench: Workbench, locale: str, token: str) -> Iterator[tuple[str, str]]:
    for length in LENGTHS:
        look = Look(locale, length, token, marked=False)
        for notice in NOTICES:
            for number, variant in enumerate(variants(notice)):
                mail = bench.mail(look, notice, variant)
                folder = f"{length}/{notice}" + (f"-{variant}" if number else "")
                yield f"{folder}/subject.txt", mail.subject + "\n"
                yield f"{folder}/body.txt", mail.text
                yield f"{folder}/body.html", mail.html
                yield f"{folder}/sms.txt", bench.sms(look, notice, variant) + "\n"
        for page in PAGES:
            for variant in page_variants(page):
                yield f"{length}/pages/{page}-{variant}.html", bench.page(look, page, variant)
