"""Traces: sent where OpenTelemetry's variables say, in the trace of whoever calls."""

import json
from collections.abc import Iterator
from concurrent import futures

import aiohttp
import grpc
import pytest
from mds.v1.variable_pb2 import CreateVariableRequest, Variable
from mds.v1.variable_pb2_grpc import VariablesStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest as Request,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse as Response,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.conftest import StartReplica
from tests.stages.waiting import until

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
OTHER_TRACE = "1af7651916cd43dd8448eb211c80319c"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector:
    """Takes what programs send, as OTLP says."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()

    def take(self, request: Request, _: grpc.ServicerContext) -> Response:
        for resource in request.resource_spans:
            told = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.services.add(told["service.name"])
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        return Response()

    def of(self, trace: str) -> dict[str, Span]:
        return {each.name: each for each in self.spans if each.trace_id.hex() == trace}


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
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
    server.start()
    yield collector, f"http://127.0.0.1:{port}"
    server.stop(None).wait()


async def test_a_call_and_its_transactions_are_parts_of_the_trace_of_its_caller(
    start_replica: StartReplica, sqlite_database: str, collector: tuple[Collector, str]
) -> None:
    gathered, endpoint = collector
    sending = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    replica = await start_replica(sqlite_database, environment=sending)
    request = CreateVariableRequest(
        variable=Variable(name="variables/TRACED", value="1"), request_id="traced-1"
    )
    async with grpc.aio.insecure_channel(replica.address) as channel:
        metadata = (("traceparent", f"00-{TRACE}-{PARENT}-01"), ("authorization", "Bearer secret"))
        await VariablesStub(channel).CreateVariable(request, metadata=metadata)
    await until(lambda: len(gathered.of(TRACE)) >= 2, within=20, what="the spans of a call")
    spans = gathered.of(TRACE)
    call, write = spans["Variables.CreateVariable"], spans["store.write"]
    assert call.parent_span_id.hex() == PARENT
    assert write.parent_span_id == call.span_id
    told = {each.key: each.value.string_value for each in call.attributes}
    assert (told["code"], told["request_id"], told["face"]) == ("OK", "traced-1", "grpc")
    parent = {"traceparent": f"00-{OTHER_TRACE}-{PARENT}-01"}
    async with aiohttp.ClientSession() as http:
        await http.get(f"{replica.http}/v1/variables/NOWHERE", headers=parent)
    await until(lambda: gathered.of(OTHER_TRACE), within=20, what="the span of a call over REST")
    read = gathered.of(OTHER_TRACE)["Variables.GetVariable"]
    assert "VARIABLE_NOT_FOUND" in str(read.attributes)
    assert "secret" not in str(gathered.spans)
    assert gathered.services == {"mds-server"}
    lines = [json.loads(line) for line in replica.program.output().splitlines() if "{" in line]
    (line,) = (line for line in lines if line.get("request_id") == "traced-1")
    assert line["trace_id"] == TRACE
