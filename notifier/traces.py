"""Traces (OpenTelemetry): spans and the context that joins them, so that an event is one trace from its acceptance to
what the platform answered. A context is kept, and handed on, as a `traceparent` (W3C Trace Context).

Where nobody listens spans are empty, and a caller's context is handed on all the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER = "traceparent"
_PREFIX = "notifier."
_FORM = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("notifier")


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, parent: str | None = None, **facts: str | int
) -> Iterator[Span]:
    """What is done in here is one step. It belongs to `parent`, or else to the step that it is done in.

    `facts` are ids and words of ours: a span, like a log line, names no owner. Nor does it tell an exception's text.
    """
    attributes = {_PREFIX + fact: value for fact, value in facts.items()}
    begun = _tracer.start_span(name, _read(parent) if parent else None, kind, attributes)
    with trace.use_span(begun, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        yield begun


@contextmanager
def within(parent: str | None) -> Iterator[None]:
    """What is done in here belongs to a step elsewhere; one that nobody can read is none."""
    if not parent:
        yield
        return
    token = context.attach(_read(parent))
    try:
        yield
    finally:
        context.detach(token)


def told(**facts: str | int) -> None:
    """More of the present step."""
    now = trace.get_current_span()
    for fact, value in facts.items():
        now.set_attribute(_PREFIX + fact, value)


def carried() -> str | None:
    """The present step, for what follows it later or elsewhere."""
    carrier: dict[str, str] = {}
    _FORM.inject(carrier)
    return carrier.get(HEADER)


def trace_id() -> str | None:
    """Of the present trace, in 32 hex digits."""
    present = trace.get_current_span().get_span_context()
    return trace.format_trace_id(present.trace_id) if present.is_valid else None


def _read(parent: str) -> Context:
    return _FORM.extract({HEADER: parent}, Context())
