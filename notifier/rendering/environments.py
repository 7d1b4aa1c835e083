"""Directories of templates come in, a Jinja environment for each catalog goes out: the templates are compiled once in a
process, and have the filters by which messages and pages write values.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import CodeType
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.bccache import Bucket
from jinja2.runtime import Context as TemplateContext

from notifier.recipients import mask_email
from notifier.rendering import formats
from notifier.rendering.catalog import Catalog
from notifier.rendering.molds import Blank


class _Compiled(BytecodeCache):
    """Templates compiled once in a process: catalogs differ only in what is looked up while they run, and a template
    that has changed is told by its checksum.
    """

    def __init__(self) -> None:
        # The code itself, so that all catalogs share it.
        self._code: dict[str, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[bucket.key] = bucket.code


_COMPILED = _Compiled()


class Environments:
    """One for each catalog, made when first needed; of a catalog that serves no more nothing is kept. A template is
    looked for in one of the `directories` after the other.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self._directories = directories
        self._made: WeakKeyDictionary[Catalog, Environment] = WeakKeyDictionary()

    def of(self, catalog: Catalog) -> Environment:
        """Says what templates say in this catalog's words."""
        if catalog not in self._made:
            self._made[catalog] = self._make(catalog)
        return self._made[catalog]

    def _make(self, catalog: Catalog) -> Environment:
        env = Environment(
            loader=FileSystemLoader(self._directories),
            extensions=["jinja2.ext.i18n"],
            undefined=StrictUndefined,
            autoescape=select_autoescape(("html",), default=False),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=_COMPILED,
        )
        env.policies["ext.i18n.trimmed"] = True
        env.install_gettext_translations(catalog.translations, newstyle=True)  # type: ignore[attr-defined]
        env.filters.update(
            datetime=_datetime, shorttime=_shorttime, iso=_iso, amount=_amount, masked=mask_email, origin=origin
        )
        return env


def origin(url: str) -> str:
    """The site that a URL leads to, as a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def _filter(words: Callable[..., str]) -> Callable[..., str]:
    """A filter of the templates; what it gives for a blank is known once the blank is filled."""

    @pass_context
    def filter(context: TemplateContext, value: Any, *arguments: Any) -> str:
        return value.filtered(words, *arguments) if isinstance(value, Blank) else words(context, value, *arguments)

    return filter


@_filter
def _datetime(facts: Mapping[str, Any], value: Any) -> str:
    return formats.full_datetime(value, facts["locale"], facts["timezone"])


@_filter
def _shorttime(facts: Mapping[str, Any], value: Any) -> str:
    return formats.short_datetime(value, facts["locale"], facts["timezone"])


@_filter
def _iso(_: Mapping[str, Any], value: Any) -> str:
    return str(value.isoformat())


@_filter
def _amount(facts: Mapping[str, Any], value: Any, asset: str) -> str:
    return formats.amount(value, asset, facts["locale"])
