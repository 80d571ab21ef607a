"""Traces of OpenTelemetry, in whatever program the client is: what one call is a part of.

Here nothing loads OpenTelemetry but `open_traces`. Who has loaded it wants traces: one of our
programs, because its variables say so, or a script. Everybody else pays for one look.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
EXTRA = "control-system-metadata-server[traces]"
NAME = "control_units"
NOTHING: AbstractContextManager[None] = nullcontext()
_WELL = frozenset({"OK", "CANCELLED"})
Pairs = tuple[tuple[str, str], ...]
log = structlog.get_logger(__name__)


def open_traces(
    service: str, environment: Mapping[str, str] = os.environ, *, patience_s: float | None = None
) -> None:
    """Has this program send traces where OpenTelemetry's variables say, the last ones when it
    exits; without them nothing is loaded.

    Args:
        service: what it is called in traces, unless OTEL_SERVICE_NAME says otherwise.
        patience_s: for a collector that does not answer, at its exit, too, unless OpenTelemetry's
            variables say otherwise; None: as OpenTelemetry has it, 10 s.
    """
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_off = is_off or environment.get("OTEL_TRACES_EXPORTER", "otlp") == "none"
    if is_off or not any(environment.get(each) for each in ENDPOINTS):
        return
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as missing:
        log.warning("traces_not_sent", problem=str(missing), advice=f"pip install '{EXTRA}'")
        return
    name = environment.get("OTEL_SERVICE_NAME") or service
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    timeout_s = None if any(environment.get(each) for each in TIMEOUTS) else patience_s
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=timeout_s)))
    trace.set_tracer_provider(provider)


def part(name: str, **attributes: str) -> AbstractContextManager[object]:
    """A part of the work that goes on in this task; what is called in it is a part of it."""
    return _current(name, "INTERNAL", attributes) if _is_loaded() else NOTHING


def call(method: str) -> AbstractContextManager[object]:
    """A call of a metadata server, with all its tries."""
    return _current(method, "CLIENT", {"rpc.method": method}) if _is_loaded() else NOTHING


def request(name: str, headers: Mapping[str, str]) -> AbstractContextManager[object]:
    """A request that somebody makes of this program, as a part of what they say that it is a
    part of (W3C `traceparent`)."""
    return _request(name, headers) if _is_loaded() else NOTHING


def request_of_stream(name: str, headers: Mapping[str, str]) -> AbstractContextManager[object]:
    """A request that is answered by a stream, likewise, and only until `opened`: the stream goes
    on for days."""
    return _request_of_stream(name, headers) if _is_loaded() else NOTHING


def opened() -> None:
    """The present part has opened its stream, and is over: what follows is a part of nothing."""
    if _is_loaded():
        from opentelemetry import context, trace

        _present().end()
        context.attach(trace.set_span_in_context(trace.INVALID_SPAN))


def tells(**attributes: str) -> None:
    """What is known of the present part."""
    if _is_loaded():
        _present().set_attributes(attributes)


def ends(code: str, **attributes: str) -> None:
    """How the present part, a call, ended: the name of a status of gRPC."""
    if _is_loaded():
        _end(_present(), code, attributes)


def fails() -> None:
    """The present part has failed."""
    if _is_loaded():
        _fail(_present())


def happens(name: str, **attributes: str) -> None:
    """Something happens within the present part."""
    if _is_loaded():
        _present().add_event(name, attributes)


def said() -> Pairs:
    """What a call tells a server, so that its part there is one of the present part here."""
    return _said(None) if _is_loaded() else ()


class Opening:
    """The opening of a stream: until its first message, or its end.

    Attributes:
        said: what the call tells a server.
    """

    def __init__(self, method: str) -> None:
        self._span: Span | None = None
        self.said: Pairs = ()
        if _is_loaded():
            from opentelemetry import trace

            self._span = _tracer().start_span(
                method, kind=trace.SpanKind.CLIENT, attributes={"rpc.method": method}
            )
            self.said = _said(trace.set_span_in_context(self._span))

    def end(self, code: str, **attributes: str) -> None:
        """Told more than once, the first word counts."""
        if self._span is not None:
            _end(self._span, code, attributes)
            self._span.end()
            self._span = None


def _is_loaded() -> bool:
    return "opentelemetry.trace" in sys.modules


@cache
def _tracer() -> "Tracer":
    """Of the program's provider, also of one that comes only later."""
    from opentelemetry import trace

    from control_units.client.client import release

    return trace.get_tracer(NAME, release())


@cache
def _propagator() -> "TraceContextTextMapPropagator":
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator()


def _current(
    name: str, kind: str, attributes: Mapping[str, str], within: "Context | None" = None
) -> AbstractContextManager[object]:
    from opentelemetry.trace import SpanKind

    return _tracer().start_as_current_span(
        name,
        context=within,
        kind=SpanKind[kind],
        attributes=attributes,
        record_exception=False,  # its text may be of people's data
        set_status_on_exception=False,
    )


@contextmanager
def _request(name: str, headers: Mapping[str, str]) -> Iterator[None]:
    with _current(name, "SERVER", {}, _told_by(headers)), _named_in_the_log():
        yield


@contextmanager
def _request_of_stream(name: str, headers: Mapping[str, str]) -> Iterator[None]:
    from opentelemetry import trace

    span = _tracer().start_span(name, _told_by(headers), trace.SpanKind.SERVER)
    with trace.use_span(span, record_exception=False, set_status_on_exception=False):
        try:
            with _named_in_the_log():
                yield
        finally:
            if span.is_recording():
                span.end()


def _told_by(headers: Mapping[str, str]) -> "Context":
    told = {each: headers[each] for each in _propagator().fields if each in headers}
    return _propagator().extract(told)


def _named_in_the_log() -> AbstractContextManager[None]:
    """Lines about the present part have its trace."""
    trace_id = f"{_present().get_span_context().trace_id:032x}"
    return structlog.contextvars.bound_contextvars(trace_id=trace_id)


def _present() -> "Span":
    from opentelemetry import trace

    return trace.get_current_span()


def _said(context: "Context | None") -> Pairs:
    carrier: dict[str, Any] = {}
    _propagator().inject(carrier, context=context)
    return tuple(carrier.items())


def _end(span: "Span", code: str, attributes: Mapping[str, str]) -> None:
    span.set_attributes({"code": code, **attributes})
    if code not in _WELL:
        _fail(span)


def _fail(span: "Span") -> None:
    from opentelemetry.trace import StatusCode

    span.set_status(StatusCode.ERROR)
