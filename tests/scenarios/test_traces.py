"""Traces: sent where OpenTelemetry's variables say, in the trace of whoever calls."""

import asyncio
import json
import os
import socket
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import grpc
import pytest
from google.protobuf.message import Message
from mds.v1 import agent_pb2, control_unit_pb2, state_pb2, template_pb2, unit_server_pb2
from mds.v1.variable_pb2 import CreateVariableRequest, Variable
from mds.v1.variable_pb2_grpc import VariablesStub
from mds.v1.webhook_pb2 import CreateWebhookRequest, Webhook

from control_units.client import Client
from tests.conftest import StartReplica
from tests.stages.collector import Collector, Sent, collecting
from tests.stages.nursery import MDS
from tests.stages.ports import free_port
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webhooks.receiver import receiving

OTHER_TRACE = "1af7651916cd43dd8448eb211c80319c"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SERVER, WEB, AGENT, UNITS, COMMAND = "mds-server", "mds-web", "mds-agent", "mds-unit-server", "mds"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
async def traced(
    start_replica: StartReplica, sqlite_database: str, collector: Collector
) -> Replica:
    loopback = {"MDS_WEBHOOK_TARGETS": "loopback"}
    return await start_replica(sqlite_database, environment={**collector.environment, **loopback})


async def one(collector: Collector, name: str, service: str) -> Sent:
    await until(lambda: collector.named(name, service), within=30, what=f"{name} of {service}")
    return collector.named(name, service)[0]


async def part(collector: Collector, whole: Sent, name: str) -> Sent:
    """The part of a span that has a name."""

    def found() -> list[Sent]:
        return [
            each for each in collector.sent if each.span.name == name and each.is_part_of(whole)
        ]

    await until(found, within=30, what=f"{name} within {whole.span.name}")
    return found()[0]


async def test_a_command_of_chaos_is_named_by_what_is_found_in_its_body(
    traced: Replica, collector: Collector
) -> None:
    for body in ("cmd=log&parm={what:'search'}", "cmd=serach"):
        async with aiohttp.ClientSession() as http:
            await http.post(f"{traced.http}/MDS", data=body)
    read = await one(collector, "chaos.MDS.log.search", SERVER)
    assert read.told["rpc.method"] == "chaos.MDS.log.search"
    await one(collector, "chaos", SERVER)


async def test_a_call_and_its_transactions_are_parts_of_the_trace_of_its_caller(
    traced: Replica, collector: Collector
) -> None:
    request = CreateVariableRequest(
        variable=Variable(name="variables/TRACED", value="1"), request_id="traced-1"
    )
    async with grpc.aio.insecure_channel(traced.address) as channel:
        metadata = (("traceparent", f"00-{TRACE}-{PARENT}-01"), ("authorization", "Bearer secret"))
        await VariablesStub(channel).CreateVariable(request, metadata=metadata)
    await until(lambda: len(collector.of(TRACE)) >= 2, within=20, what="the spans of a call")
    spans = collector.of(TRACE)
    call, write = spans["Variables.CreateVariable"], spans["store.write"]
    assert call.span.parent_span_id.hex() == PARENT
    assert write.is_part_of(call)
    told = call.told
    assert (told["code"], told["request_id"], told["face"]) == ("OK", "traced-1", "grpc")
    parent = {"traceparent": f"00-{OTHER_TRACE}-{PARENT}-01"}
    async with aiohttp.ClientSession() as http:
        await http.get(f"{traced.http}/v1/variables/NOWHERE", headers=parent)
    await until(lambda: collector.of(OTHER_TRACE), within=20, what="the span of a call over REST")
    read = collector.of(OTHER_TRACE)["Variables.GetVariable"]
    assert read.told["reason"] == "VARIABLE_NOT_FOUND"
    assert "secret" not in str(collector.sent)
    assert {each.service for each in collector.sent} == {SERVER}
    lines = [json.loads(line) for line in traced.program.output().splitlines() if "{" in line]
    (line,) = (line for line in lines if line.get("request_id") == "traced-1")
    assert line["trace_id"] == TRACE


async def test_what_a_page_asks_of_servers_is_a_part_of_the_browsers_request(
    traced: Replica, collector: Collector, tmp_path: Path
) -> None:
    port = free_port()
    web = Program.mds(
        "web",
        log=tmp_path / "web.log",
        environment={
            **collector.environment,
            "MDS_WEB_PORT": str(port),
            "MDS_ADDRESS": traced.address,
        },
    )
    web.start()
    try:
        await until(lambda: "listening" in web.output(), within=30, what="the page to listen")
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "of-a-browser"}
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            await http.get("/control_units/NOWHERE", headers=headers)
            opens = {"traceparent": f"00-{OTHER_TRACE}-{PARENT}-01", "X-Request-Id": "of-a-stream"}
            async with http.get("/events", headers=opens) as stream:
                opened = await one(collector, "GET /events", WEB)
                assert (opened.trace, opened.span.parent_span_id.hex()) == (OTHER_TRACE, PARENT)
                assert (opened.told["status"], opened.told["request_id"]) == ("200", "of-a-stream")
                await stream.content.readuntil(b"event: ")  # it goes on, and nobody traces how
        asked = await one(collector, "GET /control_units/{id}", WEB)
        assert (asked.trace, asked.span.parent_span_id.hex()) == (TRACE, PARENT)
        assert (asked.told["status"], asked.told["request_id"]) == ("404", "of-a-browser")
        call = await part(collector, asked, "ControlUnits.GetControlUnit")
        served = await part(collector, call, "ControlUnits.GetControlUnit")
        assert (call.service, served.service) == (WEB, SERVER)
        assert await web.terminate() == 0
    finally:
        web.clear()
    assert len(collector.named("GET /events", WEB)) == 1
    assert "ended span" not in web.output()


async def test_steps_of_an_operation_are_linked_to_the_call_that_ordered_them(
    traced: Replica, collector: Collector, tmp_path: Path
) -> None:
    settings = {
        **collector.environment,
        "MDS_ADDRESS": traced.address,
        "MDS_STATE_FOLDER": str(tmp_path / "agent"),
    }

    def program(*arguments: str) -> Program:
        # As people start it: what is forked from a nursery ends without its last words.
        command = [sys.executable, MDS, *arguments]
        return Program(command, log=tmp_path / f"{arguments[0]}.log", environment=settings)

    agent = program("agent", "run", "HALL", "--on-exit", "stop")
    command = program("start", "MAGNET", "-y")
    magnets = tmp_path / "magnets.py"
    magnets.write_text(MAGNETS)
    async with Client(traced.address) as client:
        await client.apply(section(f"{sys.executable} {magnets}"))
    agent.start()
    try:
        await until(lambda: running(agent), within=40, what="the unit server")
        command.start()
        assert await command.ended(within=40) == 0, command.output()
        call = await one(collector, "Operations.CreateOperation", COMMAND)
        order = await part(collector, call, "Operations.CreateOperation")
        assert order.service == SERVER
        step = await one(collector, "Operations.start", SERVER)
        assert step.is_linked_to(order)
        assert step.trace != order.trace
        assert step.told["control_unit"] == "MAGNET"
        assert step.span.end_time_unix_nano > step.span.start_time_unix_nano
        did = await one(collector, "ControlUnit.start", UNITS)
        assert did.told == {"control_unit": "MAGNET", "state": "RUNNING"}
        await part(collector, did, "ramp")
        cycle = await one(collector, "round", UNITS)
        assert not cycle.span.parent_span_id, "rounds go on for days after the step"
        assert await agent.terminate(within=40) == 0
        for name, service in (
            ("UnitServer.launch", AGENT),
            ("AgentReports.ReportAgent", AGENT),
            ("UnitServer.stop", AGENT),
            ("ControlUnit.stop", UNITS),
        ):
            await one(collector, name, service)
        attached = await one(collector, "Registration.Attach", UNITS)
        accepted = await part(collector, attached, "Registration.Attach")
        for opening in (attached, accepted):
            lasted = opening.span.end_time_unix_nano - opening.span.start_time_unix_nano
            assert lasted < 10e9, "the opening of a stream, not the stream"
            assert opening.told["code"] == "OK"
    finally:
        command.clear()
        agent.clear()


MAGNETS = """
from opentelemetry import trace

from control_units import ControlUnit, run

tracer = trace.get_tracer("lab")


class PowerSupply(ControlUnit, implementation="lab::PowerSupply"):
    cycle_period = 0.05

    async def on_start(self):
        with tracer.start_as_current_span("ramp"):
            pass

    async def on_cycle(self):
        with tracer.start_as_current_span("round"):
            pass


run(PowerSupply, unit_server="MAGNETS")
"""


def running(agent: Program) -> bool:
    agent.check_running()
    return "unit_server_launched" in agent.output()


def section(command: str) -> list[Message]:
    """A magnet, whose unit server an agent launches."""
    launch = unit_server_pb2.Launch(agent="agents/HALL", command=command, auto_start=True)
    return [
        agent_pb2.Agent(name="agents/HALL"),
        template_pb2.Template(name="templates/magnet", implementation="lab::PowerSupply"),
        unit_server_pb2.UnitServer(name="unit_servers/MAGNETS", launch=launch),
        control_unit_pb2.ControlUnit(
            name="control_units/MAGNET",
            template="templates/magnet",
            unit_server="unit_servers/MAGNETS",
            desired_state=state_pb2.STATE_STOPPED,
        ),
    ]


async def test_a_delivery_is_a_trace_that_its_receiver_can_go_on_with(
    traced: Replica, collector: Collector
) -> None:
    async with receiving() as receiver, Client(traced.address) as client:
        hook = Webhook(name="webhooks/hook", url=receiver.url, enabled=True)
        await client.webhooks.CreateWebhook(CreateWebhookRequest(webhook=hook))
        variable = Variable(name=f"variables/{uuid.uuid4().hex}", value="1")
        await client.variables.CreateVariable(CreateVariableRequest(variable=variable))
        await until(lambda: receiver.received, within=30, what="a delivery")
        headers = receiver.received[0].headers
    delivered = await one(collector, "Webhooks.deliver", SERVER)
    assert delivered.told["delivery"] == headers["Mds-Delivery"]
    assert delivered.told["http_status"] == "200"
    trace_id, span_id = delivered.trace, delivered.span.span_id.hex()
    assert headers["traceparent"].split("-")[1:3] == [trace_id, span_id]


async def test_a_collector_that_does_not_answer_keeps_no_command(
    start_replica: StartReplica, sqlite_database: str
) -> None:
    replica = await start_replica(sqlite_database)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        endpoint = f"http://127.0.0.1:{mute.getsockname()[1]}"
        command = await asyncio.create_subprocess_exec(
            MDS, "--address", replica.address, "whoami",
            env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert command.stdout is not None
        assert await command.stdout.readline()
        done = time.monotonic()
        assert await command.wait() == 0
    # 1 s, and what a busy machine makes of it; OpenTelemetry by itself would take 10 s.
    assert time.monotonic() - done < 5


async def test_without_the_variables_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    program = Program(
        [sys.executable, "-X", "importtime", "-c", LOADS],
        log=tmp_path / "loads.log",
    )
    program.start()
    assert await program.ended(within=60) == 0, program.output()
    assert "control_units.client.traces" in program.output()
    assert "opentelemetry" not in program.output()


LOADS = """
from control_units.client.traces import call, open_traces, said
from metadata_server.api.traces import opened_traces
import control_units.unit_server, webui.server
open_traces("mds")
opened_traces()
with call("Templates.GetTemplate"):
    assert said() == ()
"""
