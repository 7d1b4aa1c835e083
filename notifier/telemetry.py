"""How a process tells what it does: log lines in JSON on stderr, and traces where an exporter is set up; with ids and
never an address or secret.
"""

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from notifier.traces import trace_id

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

log = structlog.get_logger()


def configure_telemetry(level: int = logging.INFO) -> None:
    """Once, by a root."""
    configure_logging(level)
    _configure_traces()


def configure_logging(level: int = logging.INFO) -> None:
    """Log lines alone, for a command that is over at once."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries tell of faults only: their lines of progress may hold what ours must not.
    theirs = logging.StreamHandler(sys.stderr)
    theirs.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared, _add_fault],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[theirs])
    logging.captureWarnings(True)


def place(error: BaseException) -> str:
    """The module and line that raised it."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return f"{step.tb_frame.f_globals.get('__name__', '?')}:{step.tb_lineno}" if step else "?"


def _add_trace(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    present = trace_id()
    if present:
        line["trace"] = present
    return line


def _add_fault(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of an exception its kind and place: its text may hold what it failed on."""
    fault = line.pop("exc_info", None)
    error = fault[1] if isinstance(fault, tuple) else None
    if error is not None:
        line.update(error=type(error).__name__, at=place(error))
    return line


def _configure_traces() -> None:
    """By OpenTelemetry's own settings (OTEL_…). Nothing is loaded where no endpoint is set."""
    if not any(os.environ.get(name) for name in _ENDPOINTS) or os.environ.get("OTEL_TRACES_EXPORTER") == "none":
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.error("traces_not_set_up", reason="an endpoint is set, and notifier[tracing] is not installed")
        return
    from opentelemetry import trace

    named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    # Ends with the process, and sends what is left.
    provider = TracerProvider(resource=Resource.create({} if named else {"service.name": "notifier"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
