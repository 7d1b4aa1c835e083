"""`/v1/schemas`: a notice comes in, the JSON Schema (2020-12) of its event's `data` goes out. Open to everybody.

The version of a schema is the one in its path: within it only optional fields are added.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, create_model

from notifier import examples
from notifier.api import openapi
from notifier.api.answers import Schema, SchemasListed
from notifier.api.openapi import operation
from notifier.errors import NotFound
from notifier.events import Context, Delivery, Envelope
from notifier.notices import NOTICES

PATH = "/v1/schemas"
MEDIA_TYPE = "application/schema+json"
TYPE_PREFIX = "account."
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_CACHING = {"cache-control": "public, max-age=3600"}


class SchemaResponse(JSONResponse):
    """A JSON Schema, for the documentation."""

    media_type = MEDIA_TYPE


@cache
def _data_model(context: type[Context]) -> type[BaseModel]:
    """`data` of the events with this context."""
    return create_model(f"{context.__name__}Data", __base__=Delivery, __doc__=Delivery.__doc__, context=(context, ...))


def event_schema() -> dict[str, Any]:
    """Of any event, for the API's documentation: one model for each kind of context. Takes a tenth of a second."""
    contexts = dict.fromkeys(notice.context for notice in NOTICES.values())
    schemas = [openapi.schema(_event_model(context)) for context in contexts]
    defs = {name: body for each in schemas for name, body in each["$defs"].items()}
    return {"oneOf": [{"$ref": each["$ref"]} for each in schemas], "$defs": defs}


def _event_model(context: type[Context]) -> type[BaseModel]:
    types = tuple(TYPE_PREFIX + notice.name for notice in NOTICES.values() if notice.context is context)
    return create_model(
        f"{context.__name__}Event",
        __base__=Envelope,
        __doc__=f"{context.__doc__} A CloudEvents 1.0 event.",
        type=(Literal[types], ...),  # type: ignore[arg-type]  # known only now
        data=(_data_model(context), ...),
    )


def data_schema(notice: str, url: str) -> dict[str, Any]:
    """The schema of `data` for a notice, at this URL."""
    body = _data_model(NOTICES[notice].context).model_json_schema()
    return {
        "$schema": DIALECT,
        "$id": url,
        **body,
        "title": notice,
        "description": examples.EXAMPLES[notice].says,
        "examples": [examples.data(notice)],
    }


@dataclass(frozen=True, slots=True)
class Schemas:
    """The notices' schemas, under `public_url`."""

    public_url: str

    def url(self, notice: str) -> str:
        """Where a notice's schema is; the `dataschema` of its events."""
        return f"{self.public_url}{PATH}/{notice}"

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()
        router.add_api_route(
            PATH,
            self.list,
            methods=["GET"],
            summary="Which notices there are",
            **operation("listSchemas", "Schemas", gives=SchemasListed),
        )
        router.add_api_route(
            f"{PATH}/{{notice}}",
            self.show,
            methods=["GET"],
            summary="The JSON Schema of a notice's data",
            response_class=SchemaResponse,
            **operation("getSchema", "Schemas", gives=Schema, refuses=[NotFound]),
        )
        return router

    async def list(self, request: Request) -> Response:
        """Every notice, what it says, and the URL of its schema."""
        listed = [
            {"notice": name, "says": examples.EXAMPLES[name].says, "dataschema": self.url(name)} for name in NOTICES
        ]
        return _cacheable(request, {"schemas": listed}, "application/json")

    async def show(self, notice: str, request: Request) -> Response:
        """To validate events with before they are posted, or to generate types from."""
        if notice not in NOTICES:
            raise NotFound(f"there is no such notice; {PATH} lists them")
        return _cacheable(request, data_schema(notice, self.url(notice)), MEDIA_TYPE)


def _cacheable(request: Request, document: Mapping[str, Any], media_type: str) -> Response:
    body = json.dumps(document, ensure_ascii=False, indent=2).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_CACHING, "etag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)
