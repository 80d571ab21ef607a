"""A collector of traces, as OTLP says, on loopback."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest as Request,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse as Response,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


@dataclass(frozen=True)
class Sent:
    """A span, and which program sent it."""

    service: str
    span: Span

    @property
    def trace(self) -> str:
        return self.span.trace_id.hex()

    @property
    def told(self) -> dict[str, str]:
        return {each.key: each.value.string_value for each in self.span.attributes}

    def is_part_of(self, other: "Sent") -> bool:
        span = other.span
        return (self.span.trace_id, self.span.parent_span_id) == (span.trace_id, span.span_id)

    def is_linked_to(self, other: "Sent") -> bool:
        span = other.span
        return (span.trace_id, span.span_id) in {
            (each.trace_id, each.span_id) for each in self.span.links
        }


@dataclass
class Collector:
    """Keeps what programs send."""

    endpoint: str = ""
    sent: list[Sent] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Of a program that shall send here."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100"}

    def take(self, request: Request, _: grpc.ServicerContext) -> Response:
        for resource in request.resource_spans:
            told = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.sent += [Sent(told["service.name"], span) for span in scope.spans]
        return Response()

    def of(self, trace: str) -> dict[str, Sent]:
        """Spans of a trace by name."""
        return {each.span.name: each for each in self.sent if each.trace == trace}

    def named(self, name: str, service: str) -> list[Sent]:
        return [each for each in self.sent if (each.span.name, each.service) == (name, service)]


@contextmanager
def collecting() -> Iterator[Collector]:
    server = grpc.server(futures.ThreadPoolExecutor(1))
    collector = Collector()
    take = grpc.unary_unary_rpc_method_handler(
        collector.take,
        request_deserializer=Request.FromString,
        response_serializer=Response.SerializeToString,
    )
    service = grpc.method_handlers_generic_handler(SERVICE, {"Export": take})
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    collector.endpoint = f"http://127.0.0.1:{port}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(None).wait()
