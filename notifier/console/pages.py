"""A request for one of the preview pages comes in, the page goes out: plain HTML, which a script only reloads.

    /preview                            the locales
    /preview/<locale>                   a gallery of its notices
    /preview/<locale>/<notice>          one, beside English
    /preview/<locale>/<notice>/<form>   html, text or sms of it
    /preview/<locale>/pages/<page>      a page behind a link, likewise
    /preview/<locale>/catalog           its strings, by line
    /preview/<locale>.zip               everything in it
    /preview/<locale>/version           changes with the file

How it is shown stands in the query: `sample`, `scheme`, `width`, `variant`, and the `upload` that is looked at.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from notifier.catalogs.samples import LENGTHS
from notifier.catalogs.variants import variants
from notifier.console import marks
from notifier.console.bundle import bundle
from notifier.console.page_facts import page_variants
from notifier.console.uploads import MOST_BYTES, Upload
from notifier.console.view import View
from notifier.console.workbench import FORMS, PAGES, String, Workbench, direction_of, in_scheme, known, name_of
from notifier.notices import NOTICES
from notifier.rendering.catalog import compile_catalog, version
from notifier.rendering.negotiation import SOURCE_LOCALE
from notifier.rendering.pseudo import PSEUDO_LOCALES
from notifier.rendering.segments import outside, segments

_HERE = Path(__file__).parent
_TYPES = {"console.css": "text/css", "console.js": "text/javascript"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; frame-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A message in its frame runs nothing, loads nothing and leads nowhere; its height may be read.
_FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-same-origin"
)
_CATALOG_TYPE = "text/x-gettext-translation"
# RFC 5322 section 2.1.1; what a phone shows of a subject is less.
MOST_SUBJECT = 78


@dataclass(frozen=True, slots=True)
class Cost:
    """An SMS as it is billed. `outside` are the characters that make it UCS-2."""

    alphabet: str
    length: int
    count: int
    outside: tuple[str, ...]

    @property
    def overlong(self) -> bool:
        """Whether it costs more than a language of its letters needs."""
        return self.count > (2 if self.alphabet == "GSM-7" else 3)


class Console:
    """The pages of one workbench."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(marked=marks.shown, plain=marks.plain, placed=marks.placed)
        self._templates.globals.update(
            name_of=name_of,
            direction_of=direction_of,
            most_subject=MOST_SUBJECT,
            lengths=LENGTHS,
            source=SOURCE_LOCALE,
            pseudo=PSEUDO_LOCALES,
        )

    def routes(self) -> list[Route]:
        """Handlers are not coroutines: each runs in a thread, and holds nobody up."""
        return [
            Route("/preview", self.index),
            Route("/preview/uploads/{locale}", self.upload, methods=["POST"]),
            Route("/preview/static/{name}", self.static),
            Route("/preview/{locale}.zip", self.zip),
            Route("/preview/{locale}", self.gallery),
            Route("/preview/{locale}/version", self.version),
            Route("/preview/{locale}/catalog", self.catalog),
            Route("/preview/{locale}/pages/{name}", self.page),
            Route("/preview/{locale}/{notice}", self.notice),
            Route("/preview/{locale}/{notice}/{form}", self.notice),
        ]

    def index(self, request: Request) -> Response:
        """The locales."""
        rows, total = self._bench.rows(), len(self._bench.places)
        return self._html("index.html", View.of(request), rows=rows, total=total, catalog_type=_CATALOG_TYPE)

    def static(self, request: Request) -> Response:
        """The style sheet and the script."""
        name = request.path_params["name"]
        if name not in _TYPES:
            raise HTTPException(404)
        return Response((_HERE / "static" / name).read_bytes(), media_type=_TYPES[name], headers=_NOT_KEPT)

    def zip(self, request: Request) -> Response:
        """Every message and page of a locale."""
        view = self._view(request)
        return Response(
            bundle(self._bench, view.locale, view.upload),
            media_type="application/zip",
            headers={"content-disposition": f'attachment; filename="{view.locale}.zip"'},
        )

    def gallery(self, request: Request) -> Response:
        """All notices in a locale."""
        view, bench = self._view(request), self._bench
        shown = []
        for notice in NOTICES:
            text, subject = bench.sms(view.look, notice), bench.subject(view.look, notice)
            said = {string.key: string.state for form in FORMS for string in self._strings(view, notice, form)}
            missing = 0 if view.complete else sum(state != "translated" for state in said.values())
            others = list(variants(notice))[1:]
            shown.append(
                {
                    "notice": notice,
                    "others": others,
                    "subject": subject,
                    "sms": text,
                    "cost": cost(text),
                    "missing": missing,
                }
            )
        return self._html("gallery.html", view, shown=shown, pages=PAGES, page_variants=page_variants)

    def notice(self, request: Request) -> Response:
        """One notice, all of it or in one form, beside English; or, for a frame, its HTML alone."""
        view, bench = self._view(request), self._bench
        notice, form = request.path_params["notice"], request.path_params.get("form")
        if notice not in NOTICES or form not in (None, *FORMS):
            raise HTTPException(404)
        names = list(variants(notice))
        variant = view.variant if view.variant in names else names[0]
        if form == "html" and view.frame:
            return _framed(bench.mail(view.look, notice, variant).html, view)
        forms = [form] if form else list(FORMS)
        sides = []
        for locale in dict.fromkeys((view.locale, SOURCE_LOCALE)):
            look = replace(view.look, locale=locale)
            text, mail = bench.sms(look, notice, variant), bench.mail(look, notice, variant)
            sides.append({"locale": locale, "mail": mail, "sms": text, "cost": cost(text)})
        strings = {string.key: string for each in forms for string in self._strings(view, notice, each)}
        return self._html(
            "notice.html",
            view,
            notice=notice,
            variant=variant,
            variants=names,
            forms=forms,
            form=form,
            sides=sides,
            strings=list(strings.values()),
        )

    def page(self, request: Request) -> Response:
        """A page behind a link, beside English; or, for a frame, the page alone."""
        view, name = self._view(request), request.path_params["name"]
        if name not in PAGES:
            raise HTTPException(404)
        names = page_variants(name)
        variant = view.variant if view.variant in names else names[0]
        if view.frame:
            return _framed(self._bench.page(view.look, name, variant), view)
        strings = self._strings(view, "pages", name)
        locales = list(dict.fromkeys((view.locale, SOURCE_LOCALE)))
        return self._html(
            "page.html",
            view,
            name=name,
            variant=variant,
            variants=page_variants(name),
            locales=locales,
            strings=strings,
        )

    def catalog(self, request: Request) -> Response:
        """The strings of a locale's file, each with where it is seen."""
        view = self._view(request)
        book = self._bench.book(view.locale, view.upload)
        return self._html("catalog.html", view, book=book, places=self._bench.places)

    def version(self, request: Request) -> Response:
        """Of the file as it stands now; a page that was made with another reloads itself."""
        view = self._view(request)
        return PlainTextResponse(version(self._bench.content(view.locale, view.upload)), headers=_NOT_KEPT)

    async def upload(self, request: Request) -> Response:
        """A `.po` to look at. Only what a form of another site cannot send is taken."""
        locale = request.path_params["locale"]
        if not known(locale) or locale in PSEUDO_LOCALES:
            raise HTTPException(404)
        if request.headers.get("content-type", "").partition(";")[0] != _CATALOG_TYPE:
            raise HTTPException(415)
        content = b""
        async for chunk in request.stream():
            content += chunk
            if len(content) > MOST_BYTES:
                raise HTTPException(413)
        token = self._bench.uploads.keep(Upload(locale, content))
        faults = compile_catalog(locale, content).faults
        return JSONResponse(
            {"url": f"/preview/{locale}?{urlencode({'upload': token})}", "faults": faults}, 201, headers=_NOT_KEPT
        )

    def _view(self, request: Request) -> View:
        view = View.of(request)
        upload = self._bench.uploads.find(view.upload)
        if view.upload and upload is None:
            raise HTTPException(404)
        if view.locale not in self._bench.locales and (upload is None or upload.locale != view.locale):
            raise HTTPException(404)
        return view

    def _strings(self, view: View, name: str, form: str) -> list[String]:
        return [] if view.complete else self._bench.strings(view.locale, name, form, view.upload)

    def _html(self, template: str, view: View, **shown: object) -> Response:
        faults = self._bench.faults(view.locale, view.upload) if view.locale else ()
        file_version = version(self._bench.content(view.locale, view.upload)) if view.locale else ""
        html = self._templates.get_template(template).render(view=view, faults=faults, version=file_version, **shown)
        return HTMLResponse(html, headers=_NOT_KEPT | {"content-security-policy": _POLICY})


_NOT_KEPT = {"cache-control": "no-store"}


def cost(text: str) -> Cost:
    """Of an SMS, its marks aside."""
    sent = marks.plain(text)
    billed = segments(sent)
    return Cost(billed.alphabet, billed.length, billed.count, tuple(outside(sent)))


def _framed(html: str, view: View) -> Response:
    shown = marks.shown_html(in_scheme(html, view.scheme))
    return HTMLResponse(shown, headers=_NOT_KEPT | {"content-security-policy": _FRAME_POLICY})
