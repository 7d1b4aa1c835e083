"""What engineers read in a browser: `/docs`, the API's documentation, and a page for each kind of error.

Swagger UI comes from the package that carries it, served from here: no page loads anything from another site.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from notifier.api.edge import script_source, style_source
from notifier.api.problems import PATH, TABLE, Problem
from notifier.errors import NotFound

_DOCS = "/docs"
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_CACHING = {"cache-control": "public, max-age=86400"}
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_NOTHING_ELSE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@cache
def _asset(name: str) -> bytes:
    return (resources.files("fastapi_swagger.resources") / name).read_bytes()


@dataclass(frozen=True, slots=True)
class Manual:
    """The pages; `document` gives the OpenAPI document."""

    document: Callable[[], dict[str, Any]]

    def router(self) -> APIRouter:
        """The routes; they are not part of the API that they describe."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route("/openapi.json", self.openapi, methods=["GET"])
        router.add_api_route(_DOCS, self.docs, methods=["GET"])
        router.add_api_route(f"{_DOCS}/{{name}}", self.asset, methods=["GET"])
        router.add_api_route(PATH, self.problems, methods=["GET"])
        router.add_api_route(f"{PATH}/{{name}}", self.problem, methods=["GET"])
        return router

    async def openapi(self) -> dict[str, Any]:
        """The document itself."""
        return self.document()

    async def docs(self) -> Response:
        """Swagger UI."""
        html = _TEMPLATES.get_template("docs.html").render()
        # Its icons are data URLs in its style sheet.
        policy = f"script-src 'self' {script_source(html)}; style-src 'self'; img-src 'self' data:; connect-src 'self'"
        return _page(html, policy)

    async def asset(self, name: str) -> Response:
        """A file of Swagger UI."""
        if name not in _ASSETS:
            raise NotFound("there is nothing at this path")
        return Response(_asset(name), headers=_CACHING, media_type=_ASSETS[name])

    async def problems(self) -> Response:
        """Every kind of error."""
        return _explained("Errors", list(TABLE.values()))

    async def problem(self, name: str) -> Response:
        """What a `type` of a problem document names."""
        found = [each for each in TABLE.values() if each.name == name]
        if not found:
            raise NotFound(f"there is no such error; {PATH} lists them")
        return _explained(found[0].title, found)


def _explained(title: str, problems: list[Problem]) -> Response:
    html = _TEMPLATES.get_template("problems.html").render(title=title, problems=problems)
    return _page(html, f"style-src {style_source(html)}")


def _page(html: str, policy: str) -> Response:
    policy = f"default-src 'none'; {policy}; {_NOTHING_ELSE}"
    return HTMLResponse(html, headers={"content-security-policy": policy, "cache-control": "public, max-age=3600"})
