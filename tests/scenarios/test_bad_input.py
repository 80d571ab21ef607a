"""Bad input on the wire: a clear answer that names the field, and nothing half written."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import grpc
import pytest
from mds.v1 import agent_pb2, bundle_pb2, control_unit_pb2, template_pb2, variable_pb2
from mds.v1.agent_pb2_grpc import AgentsStub
from mds.v1.variable_pb2_grpc import VariablesStub

from control_units.client import Client, Refused
from tests.stages.replica import Replica

StartReplica = Callable[..., Awaitable[Replica]]


@pytest.fixture
def replica(lasting_replica: Replica) -> Replica:
    """One, and one kind of database: what is refused here never comes to it."""
    return lasting_replica


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address) as client:
        yield client


async def nothing_is_written(client: Client) -> bool:
    exported = [
        item
        async for reply in client.bundles.Export(bundle_pb2.ExportRequest())
        for item in reply.items
    ]
    return not exported


def agent_request(id: str) -> agent_pb2.CreateAgentRequest:
    return agent_pb2.CreateAgentRequest(agent=agent_pb2.Agent(name=f"agents/{id}"))


@pytest.mark.parametrize(
    ("id", "told"),
    [
        ("has spaces", "segments of letters, digits"),
        ("x" * 5000, "at most 255 bytes, not 5000"),
        ("", "not empty"),
        ("a//b", "not empty"),
        ("a/../b", "'..'"),
        ("umlaut-ü", "segments of letters, digits"),
        ("a'; DROP TABLE agent; --", "segments of letters, digits"),
    ],
)
async def test_a_bad_id_is_refused_with_what_would_be_right(
    client: Client, id: str, told: str
) -> None:
    with pytest.raises(Refused, match="INVALID_ID") as refused:
        await client.agents.CreateAgent(agent_request(id))
    assert told in refused.value.message
    assert len(refused.value.message) < 500
    assert await nothing_is_written(client)


async def test_a_message_of_20_mb_is_refused_before_it_is_read(replica: Replica) -> None:
    variable = variable_pb2.Variable(name="variables/v", value='"' + "x" * 20_000_000 + '"')
    async with grpc.aio.insecure_channel(replica.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await VariablesStub(channel).CreateVariable(
                variable_pb2.CreateVariableRequest(variable=variable), timeout=30
            )
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert await replica.health("ready") == "SERVING"


async def test_bytes_that_are_no_message_are_refused(replica: Replica) -> None:
    async with grpc.aio.insecure_channel(replica.address) as channel:
        call: Any = channel.unary_unary("/mds.v1.Agents/CreateAgent")
        with pytest.raises(grpc.aio.AioRpcError):
            await call(b"\xff\xff\xff", timeout=10)
        listed = await AgentsStub(channel).ListAgents(agent_pb2.ListAgentsRequest(), timeout=10)
    assert not listed.agents


async def test_a_long_request_id_is_refused(client: Client) -> None:
    request = agent_request("a")
    request.request_id = "r" * 65
    with pytest.raises(Refused, match="request_id"):
        await client.agents.CreateAgent(request)


async def test_a_name_of_another_collection_is_refused(client: Client) -> None:
    with pytest.raises(Refused, match="INVALID_ID"):
        await client.control_units.GetControlUnit(
            control_unit_pb2.GetControlUnitRequest(name="templates/x")
        )


async def test_a_list_refuses_a_page_token_that_is_none_of_its_own(
    start_replica: StartReplica, sqlite_database: str
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        for number in range(3):
            await client.agents.CreateAgent(agent_request(f"a{number}"))
        page = await client.agents.ListAgents(agent_pb2.ListAgentsRequest(page_size=1))
        for token in ("garbage", page.next_page_token[:-4] + "AAAA"):
            with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
                await client.agents.ListAgents(agent_pb2.ListAgentsRequest(page_token=token))
        with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
            await client.templates.ListTemplates(
                template_pb2.ListTemplatesRequest(page_token=page.next_page_token)
            )
        with pytest.raises(Refused, match="page_size"):
            await client.agents.ListAgents(agent_pb2.ListAgentsRequest(page_size=-1))


async def test_a_bundle_cut_off_half_way_writes_nothing(client: Client, replica: Replica) -> None:
    """The connection breaks after the first chunk: the bundle was never closed."""

    def half() -> Iterator[bundle_pb2.ApplyRequest]:
        yield bundle_pb2.ApplyRequest(header=bundle_pb2.BundleHeader())
        agent = agent_pb2.Agent(name="agents/half")
        yield bundle_pb2.ApplyRequest(items=[bundle_pb2.BundleItem(agent=agent)])
        raise ConnectionError

    with grpc.insecure_channel(replica.address) as channel:
        apply = channel.stream_stream(
            "/mds.v1.Bundles/Apply",
            request_serializer=bundle_pb2.ApplyRequest.SerializeToString,
            response_deserializer=bundle_pb2.ApplyResponse.FromString,
        )
        with contextlib.suppress(grpc.RpcError):
            list(apply(half(), timeout=5))
    assert await nothing_is_written(client)


async def test_a_bundle_without_its_end_is_refused(client: Client) -> None:
    """What the server sees when a connection breaks between two messages."""

    async def requests() -> AsyncIterator[bundle_pb2.ApplyRequest]:
        agent = agent_pb2.Agent(name="agents/half")
        yield bundle_pb2.ApplyRequest(items=[bundle_pb2.BundleItem(agent=agent)])

    with pytest.raises(Refused, match="INVALID_BUNDLE"):
        async for _ in client.bundles.Apply(requests()):
            pass
    assert await nothing_is_written(client)


async def test_an_item_without_a_resource_is_named(client: Client) -> None:
    async def requests() -> AsyncIterator[bundle_pb2.ApplyRequest]:
        yield bundle_pb2.ApplyRequest(items=[bundle_pb2.BundleItem(source="file[7]")], end=True)

    problems = [
        problem async for reply in client.bundles.Apply(requests()) for problem in reply.problems
    ]
    assert [(problem.source, problem.field) for problem in problems] == [("file[7]", "resource")]


async def test_a_document_of_4_mb_goes_in_and_comes_out(
    start_replica: StartReplica, database: str
) -> None:
    value = '"' + "ü" * 1_999_999 + '"'
    replica = await start_replica(database)
    async with Client(replica.address) as client:
        variable = variable_pb2.Variable(name="variables/large", value=value)
        await client.variables.CreateVariable(variable_pb2.CreateVariableRequest(variable=variable))
        found = await client.variables.GetVariable(
            variable_pb2.GetVariableRequest(name="variables/large")
        )
    assert found.value == value
