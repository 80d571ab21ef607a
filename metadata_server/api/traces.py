"""Traces for OpenTelemetry: an extra, off unless its own variables say where to send them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import structlog
from typing_extensions import override

from metadata_server.store.traces import NOTHING, NoTraces
from metadata_server.version import version

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
NAME = "OTEL_SERVICE_NAME"
EXTRA = "control-system-metadata-server[traces]"
SERVICE = "mds-server"
SAID = ("traceparent", "tracestate")
"""How a caller says what a call is a part of, by W3C Trace Context."""
Unary = Callable[[Any, Any], Awaitable[Any]]
log = structlog.get_logger()


class CallTraces(NoTraces):
    """Traces of calls, too; this one gathers nothing."""

    def around(self, method: str, face: str, call: Unary) -> Unary:
        """A call as a part of what its caller says that it is a part of (W3C `traceparent`)."""
        return call

    def tells(self, **attributes: str) -> None:
        """What is known of a call, at its end."""

    def close(self) -> None:
        """Sends what is left."""


class OpenTelemetryTraces(CallTraces):
    """Sends what is sampled, in batches, from a thread of its own.

    Nothing begins a trace but calls that have one answer: streams last too long for one, and what
    the server does all the time by itself would fill them all.
    """

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._trace = trace
        self._provider = provider
        self._tracer = provider.get_tracer("metadata_server", version())
        self._propagator = TraceContextTextMapPropagator()

    @override
    def around(self, method: str, face: str, call: Unary) -> Unary:
        attributes = {"rpc.method": method, "face": face}

        async def traced(request: Any, context: Any) -> Any:
            said = {key: text for key, text in context.invocation_metadata() or () if key in SAID}
            with self._tracer.start_as_current_span(
                method,
                context=self._propagator.extract(said),
                kind=self._trace.SpanKind.SERVER,
                attributes=attributes,
            ) as span:
                trace_id = f"{span.get_span_context().trace_id:032x}"
                with structlog.contextvars.bound_contextvars(trace_id=trace_id):
                    return await call(request, context)

        return traced

    @override
    def tells(self, **attributes: str) -> None:
        self._trace.get_current_span().set_attributes(attributes)

    @override
    def part(self, name: str) -> AbstractContextManager[None]:
        return self._part(name) if self._trace.get_current_span().is_recording() else NOTHING

    @contextmanager
    def _part(self, name: str) -> Iterator[None]:
        with self._tracer.start_as_current_span(name):
            yield

    @override
    def happens(self, name: str, **attributes: str) -> None:
        self._trace.get_current_span().add_event(name, attributes)

    @override
    def close(self) -> None:
        self._provider.shutdown()


def opened_traces(environment: Mapping[str, str] = os.environ) -> CallTraces:
    """As the variables of OpenTelemetry say: who names no place to send to wants none."""
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_off = is_off or environment.get("OTEL_TRACES_EXPORTER", "otlp") == "none"
    if is_off or not any(environment.get(each) for each in ENDPOINTS):
        return CallTraces()
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as missing:
        log.warning("traces_not_sent", problem=str(missing), advice=f"pip install '{EXTRA}'")
        return CallTraces()
    name = environment.get(NAME) or SERVICE
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OpenTelemetryTraces(provider)
