"""The web composition root: settings come in, the ASGI application goes out. Has the one table error → HTTP status."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from arq.connections import ArqRedis
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

from links.pages import Pages
from notifier import errors
from notifier.api.audit import AuditApi
from notifier.api.codes import CodesApi
from notifier.api.door import Door
from notifier.api.edge import Edge
from notifier.api.events import EventsApi
from notifier.api.health import HealthApi
from notifier.api.links import LinksApi
from notifier.api.notifications import NotificationsApi
from notifier.clicks import Clicks
from notifier.clock import Clock, system_clock
from notifier.composition import Parts, compose, open_store
from notifier.config import Settings
from notifier.events import Channel

log = structlog.get_logger()

STATUS: dict[type[errors.NotifierError], int] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.Invalid: 422,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def create_app(settings: Settings, redis: ArqRedis | None = None, clock: Clock = system_clock) -> FastAPI:
    """The API and the link pages."""
    redis = redis or open_store(settings, patient=False)
    parts = compose(settings, redis, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await redis.aclose(close_connection_pool=True)

    app = FastAPI(title="notifier", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.api_keys = settings.api_keys
    served: frozenset[Channel] = frozenset(("email", "sms") if settings.twilio_account_sid else ("email",))
    door = Door(served, settings.sms_countries, parts.throttle)
    app.include_router(EventsApi(parts.intake, door).router())
    app.include_router(CodesApi(parts.intake, parts.codes, door, parts.throttle, clock).router())
    app.include_router(NotificationsApi(parts.outbox).router())
    app.include_router(LinksApi(parts.ledger, parts.tokens.purposes, clock).router())
    app.include_router(AuditApi(parts.ledger, parts.outbox, parts.sealer).router())
    app.include_router(HealthApi(redis).router())
    clicks = Clicks(
        outbox=parts.outbox,
        codes=parts.codes,
        ledger=parts.ledger,
        linkage=parts.linkage,
        sealer=parts.sealer,
        renderer=parts.renderer,
        catalogs=parts.catalogs,
        throttle=parts.throttle,
        ring=parts.bells.forward,
    )
    app.router.routes.extend(Pages(parts.tokens, parts.ledger, clicks, clock).routes())

    answer = _answers(parts)
    for error in (errors.NotifierError, HTTPException, RedisError, OSError):
        app.add_exception_handler(error, answer)
    app.add_middleware(Edge, page=_problem_page(parts, 404, settings.default_locale), answer=answer)
    return app


def _answers(parts: Parts) -> Callable[[Request, Exception], Awaitable[Response]]:
    """The handler of every error: a problem document for programs, a page for people."""

    async def answer(request: Request, error: Exception) -> Response:
        match error:
            case errors.NotifierError():
                problem = error
                status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
            case HTTPException():
                status = error.status_code
                problem = errors.NotifierError(f"there is nothing to {request.method} at this path")
            case RedisError() | OSError():
                status, problem = 503, errors.Unavailable("the store does not answer; nothing was accepted")
                log.error("store_unavailable", error=type(error).__name__)
            case _:
                status, problem = 500, errors.NotifierError("the service failed; the same request may do later")
                log.error("unhandled", error=type(error).__name__, method=request.method)
        headers = _headers(problem, error)
        if request.url.path.startswith("/l/"):
            locale = parts.catalogs.from_header(request.headers.get("accept-language"))
            wait = problem.retry_after if isinstance(problem, errors.TooMany) else None
            return HTMLResponse(_problem_page(parts, status, locale, wait), status, headers)
        document = {
            "type": "about:blank",
            "title": _TITLES.get(status, "Error"),
            "status": status,
            "detail": problem.detail,
        }
        if isinstance(problem, errors.Invalid):
            document["errors"] = [{"pointer": p.pointer, "detail": p.detail} for p in problem.problems]
        return JSONResponse(document, status, headers, media_type="application/problem+json")

    return answer


def _problem_page(parts: Parts, status: int, locale: str, wait: int | None = None) -> str:
    return parts.renderer.page("problem", locale, "UTC", {"status": status, "languages": [], "retry_after": wait})


def _headers(problem: errors.NotifierError, error: Exception) -> dict[str, str]:
    if isinstance(problem, errors.Unauthenticated):
        return {"www-authenticate": "Bearer"}
    if isinstance(problem, errors.Unavailable | errors.TooMany):
        return {"retry-after": str(problem.retry_after)}
    if isinstance(error, HTTPException):
        return dict(error.headers or {})
    return {}
