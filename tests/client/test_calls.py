"""Calls of the client, against servers that do what servers and networks do."""

import asyncio
import time

import grpc
import pytest
from mds.v1.template_pb2 import CreateTemplateRequest, GetTemplateRequest, Template
from mds.v1.watch_pb2 import WatchRequest, WatchResponse

from control_units.client import Client, Refused, Unreachable
from tests.client.scripted_server import ScriptedServer, cut_off, hang, refuse, template
from tests.stages.ports import free_port
from tests.stages.waiting import until

GET = GetTemplateRequest(name="templates/A")
CREATE = CreateTemplateRequest(template=Template(name="templates/A"))
BUSY = grpc.StatusCode.RESOURCE_EXHAUSTED
AWAY = grpc.StatusCode.UNAVAILABLE


async def test_a_call_says_who_calls_and_has_an_id_of_its_own() -> None:
    async with ScriptedServer([template]) as server, Client(server.address) as client:
        await client.templates.GetTemplate(GET)
        await client.templates.GetTemplate(GET)
    one, other = (call.metadata for call in server.calls)
    assert "@" in str(one["mds-principal"])
    assert one["x-request-id"] != other["x-request-id"]


async def test_a_principal_may_have_any_letters() -> None:
    async with (
        ScriptedServer([template]) as server,
        Client(server.address, principal="Zoë in the control room") as client,
    ):
        await client.templates.GetTemplate(GET)
    assert server.calls[0].metadata["mds-principal"] == "Zo%C3%AB in the control room"


async def test_a_call_says_which_program_calls() -> None:
    async with ScriptedServer([template]) as server:
        async with Client(server.address) as client:
            await client.templates.GetTemplate(GET)
        async with Client(server.address, program="archiver/2.1") as client:
            await client.templates.GetTemplate(GET)
    own, other = (str(call.metadata["mds-client"]) for call in server.calls)
    assert own.startswith("control_units/")
    assert other == "archiver/2.1"


async def test_the_position_of_the_last_answer_is_kept() -> None:
    async with ScriptedServer([template]) as server, Client(server.address) as client:
        assert client.position == ""
        await client.templates.GetTemplate(GET)
        assert client.position == "store/1/42"


async def test_a_refusal_is_read_in_full_and_not_repeated() -> None:
    refusal = refuse(
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        fields=[("template.name", "should begin with templates/")],
        value="x",
    )
    async with ScriptedServer([refusal]) as server, Client(server.address) as client:
        with pytest.raises(Refused, match=r"INVALID_FIELD: It is INVALID_FIELD\.") as caught:
            await client.templates.GetTemplate(GET)
    refused = caught.value
    assert refused.reason == "INVALID_FIELD"
    assert refused.metadata == {"value": "x"}
    assert [(each.field, each.description) for each in refused.violations] == [
        ("template.name", "should begin with templates/")
    ]
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert not refused.is_transient
    assert len(server.calls) == 1


async def test_a_read_is_repeated_until_it_is_answered() -> None:
    busy = refuse(AWAY, "DATABASE_UNAVAILABLE")
    async with (
        ScriptedServer([busy, busy, template]) as server,
        Client(server.address) as client,
    ):
        assert (await client.templates.GetTemplate(GET)).name == "templates/A"
    assert len(server.calls) == 3


async def test_a_call_that_its_server_cuts_off_because_it_ends_is_sent_again() -> None:
    async with (
        ScriptedServer([cut_off, template]) as server,
        Client(server.address) as client,
    ):
        assert (await client.templates.GetTemplate(GET)).name == "templates/A"
    assert len(server.calls) == 2


async def test_the_delay_that_a_server_asks_for_is_kept() -> None:
    async with (
        ScriptedServer([refuse(BUSY, "TOO_BUSY", retry_ms=300), template]) as server,
        Client(server.address) as client,
    ):
        begin = time.monotonic()
        await client.templates.GetTemplate(GET)
    assert time.monotonic() - begin >= 0.3


async def test_a_mutation_is_repeated_with_one_request_id() -> None:
    lost = refuse(AWAY, "OUTCOME_UNKNOWN")
    async with ScriptedServer([lost, template]) as server, Client(server.address) as client:
        await client.templates.CreateTemplate(CREATE)
        await client.templates.CreateTemplate(CREATE)
    first, again, other = (call.request.request_id for call in server.calls)
    assert first == again != ""
    assert other != first, "another intent has another id"
    assert CREATE.request_id == ""


async def test_a_request_id_of_the_caller_is_kept() -> None:
    request = CreateTemplateRequest(request_id="mine")
    async with ScriptedServer([template]) as server, Client(server.address) as client:
        await client.templates.CreateTemplate(request)
    assert server.calls[0].request.request_id == "mine"


async def test_time_is_up_when_the_caller_says() -> None:
    async with (
        ScriptedServer([refuse(AWAY, "DRAINING")]) as server,
        Client(server.address) as client,
    ):
        begin = time.monotonic()
        with pytest.raises(Refused, match="DRAINING"):
            await client.templates.GetTemplate(GET, timeout=0.5)
    assert time.monotonic() - begin < 2


async def test_a_server_that_says_nothing_is_unreachable() -> None:
    async with ScriptedServer([hang]) as server, Client(server.address) as client:
        with pytest.raises(Unreachable, match=server.address):
            await client.templates.GetTemplate(GET, timeout=0.3)


async def test_where_nobody_listens_is_said() -> None:
    address = f"127.0.0.1:{free_port()}"
    async with Client(address, timeout=0.5) as client:
        with pytest.raises(Unreachable, match=f"No metadata server answers at {address}"):
            await client.templates.GetTemplate(GET)


async def test_another_server_answers_when_one_is_gone() -> None:
    gone = f"127.0.0.1:{free_port()}"
    async with ScriptedServer([template]) as server:
        for _ in range(8):  # whichever it asks first
            async with Client([gone, server.address]) as client:
                begin = time.monotonic()
                await client.templates.GetTemplate(GET)
                assert time.monotonic() - begin < 1
                assert client.address == server.address


async def test_another_server_answers_when_one_hangs() -> None:
    async with ScriptedServer([hang]) as silent, ScriptedServer([template]) as server:
        for _ in range(4):
            async with Client([silent.address, server.address], timeout=1.0) as client:
                await client.templates.GetTemplate(GET)


async def test_a_server_that_comes_back_is_found() -> None:
    async with ScriptedServer([template]) as server, Client(server.address) as client:
        await client.templates.GetTemplate(GET)
        await server.__aexit__()
        with pytest.raises(Unreachable):
            await client.templates.GetTemplate(GET, timeout=0.2)
        waiting = asyncio.ensure_future(client.templates.GetTemplate(GET))
        async with ScriptedServer([template], port=server.port):
            assert (await waiting).name == "templates/A"


async def test_a_stream_gives_its_replies_and_then_its_refusal() -> None:
    changes = [WatchResponse(), WatchResponse()]
    refusal = refuse(grpc.StatusCode.OUT_OF_RANGE, "HISTORY_TRIMMED")
    async with ScriptedServer([refusal], changes) as server, Client(server.address) as client:
        stream = aiter(client.watch.Watch(WatchRequest()))
        assert [await anext(stream), await anext(stream)] == changes
        with pytest.raises(Refused, match="HISTORY_TRIMMED"):
            await anext(stream)


async def test_the_next_stream_goes_elsewhere_when_a_server_drains() -> None:
    drains = [refuse(AWAY, "DRAINING")]
    async with (
        ScriptedServer(drains) as one,
        ScriptedServer(drains) as other,
        Client([one.address, other.address]) as client,
    ):
        for _ in range(2):
            with pytest.raises(Refused, match="DRAINING"):
                await anext(aiter(client.watch.Watch(WatchRequest())))
    assert len(one.calls) == len(other.calls) == 1


async def test_a_stream_whose_server_dies_is_unreachable() -> None:
    async with (
        ScriptedServer([hang], [WatchResponse()]) as server,
        Client(server.address) as client,
    ):
        stream = client.watch.Watch(WatchRequest())
        await anext(aiter(stream))
        await until(lambda: server.calls)
        await server.__aexit__()
        with pytest.raises(Unreachable):
            await anext(aiter(stream))
