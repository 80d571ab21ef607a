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
PARENT = "traceparent"
SAID = (PARENT, "tracestate")
"""How a caller says what a call is a part of, by W3C Trace Context."""
FAULTS = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)
"""Codes that are the server's failures and no answers."""
Unary = Callable[[Any, Any], Awaitable[Any]]
log = structlog.get_logger()


class Opening:
    """The opening of a stream: until its first message, or its end; this one is not gathered.

    Attributes:
        is_open: it is gathered, and has not ended.
    """

    is_open = False

    def end(self, code: str, **attributes: str) -> None:
        """Told more than once, the first word counts."""


NO_OPENING = Opening()


class CallTraces(NoTraces):
    """Traces of calls, too; this one gathers nothing."""

    def around(self, method: str, face: str, call: Unary) -> Unary:
        """A call as a part of what its caller says that it is a part of (W3C `traceparent`)."""
        return call

    def opening(self, method: str, face: str, context: Any) -> Opening:
        """The opening of a stream, likewise a part."""
        return NO_OPENING

    def turns_out(self, method: str) -> None:
        """The present call is of this method, whatever it began as."""

    def ends(self, code: str, **attributes: str) -> None:
        """How a call ends, and what is known of it then."""

    def sending(self, name: str, **attributes: str) -> AbstractContextManager[None]:
        """Something is sent to somebody else."""
        return NOTHING

    def said(self) -> Mapping[str, str]:
        """Headers that tell a receiver what it is sent as a part of."""
        return {}

    def close(self) -> None:
        """Sends what is left."""


class OpenTelemetryTraces(CallTraces):
    """Sends what is sampled, in batches, from a thread of its own.

    Traces begin with calls, with openings of streams, with deliveries and with steps of operations:
    what the server does all the time by itself would fill them all.
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
            with self._tracer.start_as_current_span(
                method,
                context=self._told_by(context),
                kind=self._trace.SpanKind.SERVER,
                attributes=attributes,
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                trace_id = f"{span.get_span_context().trace_id:032x}"
                with structlog.contextvars.bound_contextvars(trace_id=trace_id):
                    return await call(request, context)

        return traced

    @override
    def opening(self, method: str, face: str, context: Any) -> Opening:
        span = self._tracer.start_span(
            method,
            context=self._told_by(context),
            kind=self._trace.SpanKind.SERVER,
            attributes={"rpc.method": method, "face": face},
        )
        return SpanOfOpening(self, span)

    def _told_by(self, context: Any) -> Any:
        pairs = context.invocation_metadata() or ()
        return self._propagator.extract({key: text for key, text in pairs if key in SAID})

    @override
    def turns_out(self, method: str) -> None:
        span = self._trace.get_current_span()
        span.update_name(method)
        span.set_attribute("rpc.method", method)

    @override
    def ends(self, code: str, **attributes: str) -> None:
        self.end_of(self._trace.get_current_span(), code, attributes)

    def end_of(self, span: Any, code: str, attributes: Mapping[str, str]) -> None:
        span.set_attributes({"code": code, **attributes})
        if code in FAULTS:
            span.set_status(self._trace.StatusCode.ERROR)

    @override
    def part(self, name: str) -> AbstractContextManager[None]:
        return self._part(name) if self._trace.get_current_span().is_recording() else NOTHING

    @contextmanager
    def _part(self, name: str) -> Iterator[None]:
        with self._tracer.start_as_current_span(name, record_exception=False):
            yield

    @override
    def happens(self, name: str, **attributes: str) -> None:
        self._trace.get_current_span().add_event(name, attributes)

    @override
    def happened(
        self, name: str, *, begin_us: int, end_us: int, ordered_by: str, **attributes: str
    ) -> None:
        told = self._trace.get_current_span(self._propagator.extract({PARENT: ordered_by}))
        order = told.get_span_context()
        span = self._tracer.start_span(
            name,
            context=self._trace.set_span_in_context(self._trace.INVALID_SPAN),
            start_time=begin_us * 1000,
            links=[self._trace.Link(order)] if order.is_valid else (),
            attributes=attributes,
        )
        span.end(end_us * 1000)

    @override
    @contextmanager
    def sending(self, name: str, **attributes: str) -> Iterator[None]:
        with self._tracer.start_as_current_span(
            name, kind=self._trace.SpanKind.CLIENT, attributes=attributes, record_exception=False
        ):
            yield

    @override
    def said(self) -> Mapping[str, str]:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier

    @override
    def close(self) -> None:
        self._provider.shutdown()


class SpanOfOpening(Opening):
    """One that is gathered."""

    def __init__(self, traces: OpenTelemetryTraces, span: Any) -> None:
        self._traces = traces
        self._span = span
        self.is_open = True

    @override
    def end(self, code: str, **attributes: str) -> None:
        if self.is_open:
            self.is_open = False
            self._traces.end_of(self._span, code, attributes)
            self._span.end()


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
