"""The web composition root: settings come in, the ASGI application goes out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache

from arq.connections import ArqRedis
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from links.actions import FINISHED
from links.pages import Pages
from notifier.api import openapi, webhooks
from notifier.api.audit import AuditApi
from notifier.api.auth import Callers
from notifier.api.bounces import BouncesApi
from notifier.api.codes import CodesApi
from notifier.api.door import Door
from notifier.api.edge import Edge
from notifier.api.events import EventsApi
from notifier.api.health import HealthApi
from notifier.api.idempotency import Once
from notifier.api.inbox import InboxApi
from notifier.api.inbox_events import MOST_READERS, InboxEventsApi
from notifier.api.links import LinksApi
from notifier.api.manual import Manual
from notifier.api.measures import Measures, process_registry
from notifier.api.metrics import MetricsApi
from notifier.api.notifications import NotificationsApi
from notifier.api.operations import OperationsApi
from notifier.api.preview import PreviewApi
from notifier.api.problems import Problems, added_headers, kind, understood
from notifier.api.reading import Reading
from notifier.api.receipts import ReceiptsApi
from notifier.api.schemas import Schemas, event_schema
from notifier.assets import assets
from notifier.clicks import Clicks, locale_of
from notifier.clock import Clock, system_clock
from notifier.composition import Parts, open_store, started
from notifier.config import Settings
from notifier.console.pages import Console
from notifier.console.workbench import Workbench
from notifier.errors import TooMany
from notifier.inbox import NEWS
from notifier.keyring import Known
from notifier.metrics import Metrics
from notifier.news import News
from notifier.readiness import report
from notifier.rendering.watch import warnings, watched
from notifier.transports.twilio_receipts import TwilioReceipts

# FastAPI's own spans and records hold paths, in which tokens and accounts stand, visitors' addresses, and bad input.
_OFF = TelemetryConfig(tracing=False, metrics=False, logs=False, operation_spans=False, auto_configure=False)


def create_app(settings: Settings, redis: ArqRedis | None = None, clock: Clock = system_clock) -> FastAPI:
    """The API and the link pages."""
    redis = redis or open_store(settings, patient=False)
    parts = Parts(settings, redis, clock)
    news, answers = News(redis, NEWS, MOST_READERS), News(redis, FINISHED)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await report(redis, settings.acknowledge)
        async with watched(parts.catalogs), news.listening(), answers.listening():
            started()
            yield
        await redis.aclose(close_connection_pool=True)

    app = FastAPI(version="1", lifespan=lifespan, openapi_url=None, redirect_slashes=False, telemetry=_OFF)
    app.state.news = news
    app.state.callers = Callers(settings.api_keys, Known(parts.keyring, clock), parts.allowances, clock)
    problems, measured = Problems(settings.public_url), process_registry()
    # First: mail scanners open the links of every message, and routes are tried in turn.
    app.router.routes.extend(_pages(parts, answers))
    for router in (*_for_producers(parts, problems, news), *_for_operators(parts, measured)):
        app.include_router(router)
    app.include_router(Manual(cache(lambda: openapi.document(app, settings.public_url, Event=event_schema()))).router())
    app.webhooks.include_router(webhooks.router())

    answer = _answers(parts, problems)
    # FastAPI has answers of its own to these; whatever else is raised comes to the edge.
    for error in (HTTPException, RequestValidationError):
        app.add_exception_handler(error, answer)
    app.add_middleware(Edge, page=_problem_page(parts, 404, parts.catalogs.edition.default), answer=answer)
    app.add_middleware(Measures, registry=measured)
    return app


def _for_producers(parts: Parts, problems: Problems, news: News) -> list[APIRouter]:
    settings, clock, once = parts.settings, parts.clock, Once(parts.redis, parts.sealer)
    schemas = Schemas(settings.public_url)
    door = Door(parts.served, settings.sms_countries, parts.throttle)
    reading = Reading(schemas, door, clock)
    return [
        EventsApi(parts.intake, reading, door, parts.pressure, problems).router(),
        PreviewApi(parts.previewer, reading).router(),
        CodesApi(parts.intake, parts.codes, door, parts.pressure, parts.throttle, once, clock).router(),
        NotificationsApi(parts.archive, parts.cancellation, parts.dead_letters, once, clock).router(),
        InboxEventsApi(parts.inbox, news).router(),
        InboxApi(parts.inbox, once, clock).router(),
        LinksApi(parts.ledger, parts.tokens.purposes, once, clock).router(),
        AuditApi(parts.ledger, parts.outbox, parts.archive, parts.sealer).router(),
        ReceiptsApi(TwilioReceipts(settings.twilio_accounts, settings.public_url), parts.receipts.tell).router(),
        BouncesApi(parts.return_path, parts.receipts.tell, once).router(),
        schemas.router(),
    ]


def _for_operators(parts: Parts, measured: CollectorRegistry) -> list[APIRouter]:
    redis, clock, catalogs = parts.redis, parts.clock, parts.catalogs
    operations = OperationsApi(
        parts.dead_letters,
        parts.archive,
        parts.actions,
        parts.ledger,
        parts.holds,
        parts.inbox,
        parts.suppressions,
        Once(redis, parts.sealer),
        clock,
    )
    metrics = Metrics(redis, parts.lookout, clock)
    return [
        operations.router(),
        HealthApi(redis, parts.settings.acknowledge, parts.lookout, lambda: warnings(catalogs), clock).router(),
        MetricsApi(metrics, measured, lambda: catalogs.versions).router(),
    ]


def _pages(parts: Parts, answers: News) -> list[BaseRoute]:
    """For owners; and where the operator wants them, the previews for translators."""
    clicks = Clicks(
        outbox=parts.outbox,
        archive=parts.archive,
        codes=parts.codes,
        ledger=parts.ledger,
        actions=parts.actions,
        linkage=parts.linkage,
        sealer=parts.sealer,
        renderer=parts.renderer,
        catalogs=parts.catalogs,
        throttle=parts.throttle,
        ring=parts.bells.forward,
        news=answers,
    )
    routes = Pages(parts.tokens, parts.ledger, clicks, parts.clock).routes()
    if not parts.settings.preview:
        return [*routes]
    bench = Workbench(assets("templates"), parts.locales, parts.voice, parts.catalogs)
    return [*routes, *Console(bench).routes()]


def _answers(parts: Parts, problems: Problems) -> Callable[[Request, Exception], Awaitable[Response]]:
    """The handler of every error: a problem document for programs, a page for people."""

    async def answer(request: Request, cause: Exception) -> Response:
        error = understood(cause, request)
        headers = added_headers(error, cause)
        if not _for_people(request):
            return problems.answer(error, headers)
        locale = locale_of(request, parts.catalogs)
        status, wait = kind(error).status, error.retry_after if isinstance(error, TooMany) else None
        return HTMLResponse(_problem_page(parts, status, locale, wait), status, headers)

    return answer


def _for_people(request: Request) -> bool:
    """Under a link, and where a browser looks at the bare address that each message says our links begin with."""
    path = request.url.path
    return path.startswith("/l/") or (path == "/" and "text/html" in request.headers.get("accept", ""))


def _problem_page(parts: Parts, status: int, locale: str, wait: int | None = None) -> str:
    return parts.renderer.page("problem", locale, "UTC", {"status": status, "languages": (), "retry_after": wait})
