"""Statuses of things that a request names, over the wire."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import ClientSession
from mds.v1 import agent_pb2, agent_report_pb2, control_unit_pb2, template_pb2, unit_server_pb2
from mds.v1.bundle_pb2 import BundleHeader, BundleItem

from control_units.client import Client, Refused
from tests.scenarios.plans import apply
from tests.stages.replica import Replica

IDS = [f"ZONE/PART/{letter}" for letter in "ABCDE"]
Ask = Callable[[Client, list[str]], Awaitable[list[str]]]


@pytest.fixture
async def replica(
    start_replica: Callable[..., Awaitable[Replica]], sqlite_database: str
) -> Replica:
    """One kind of database: what is read of them is tested where it is read."""
    return await start_replica(sqlite_database)


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address, principal="anna") as client:
        items = [BundleItem(template=template_pb2.Template(name="templates/T", implementation="T"))]
        for id in IDS:
            unit = control_unit_pb2.ControlUnit(name=f"control_units/{id}", template="templates/T")
            server = unit_server_pb2.UnitServer(name=f"unit_servers/{id}")
            agent = agent_pb2.Agent(name=f"agents/{id}")
            items += [
                BundleItem(control_unit=unit),
                BundleItem(unit_server=server),
                BundleItem(agent=agent),
            ]
        told = await apply(client, items, BundleHeader(reason="to have something"))
        assert told.summary.applied
        yield client


async def units(client: Client, names: list[str]) -> list[str]:
    reply = await client.control_units.ListControlUnitStatuses(
        control_unit_pb2.ListControlUnitStatusesRequest(control_units=names)
    )
    return [each.control_unit for each in reply.control_unit_statuses]


async def servers(client: Client, names: list[str]) -> list[str]:
    reply = await client.unit_servers.ListUnitServerStatuses(
        unit_server_pb2.ListUnitServerStatusesRequest(unit_servers=names)
    )
    return [each.unit_server for each in reply.unit_server_statuses]


async def agents(client: Client, names: list[str]) -> list[str]:
    reply = await client.agent_reports.ListAgentStatuses(
        agent_report_pb2.ListAgentStatusesRequest(agents=names)
    )
    return [each.agent for each in reply.agent_statuses]


KINDS = pytest.mark.parametrize(
    ("ask", "collection"),
    [(units, "control_units"), (servers, "unit_servers"), (agents, "agents")],
    ids=["control units", "unit servers", "agents"],
)


@KINDS
async def test_only_those_that_are_named_and_there_are_told(
    client: Client, ask: Ask, collection: str
) -> None:
    names = [f"{collection}/{id}" for id in IDS]
    assert await ask(client, []) == names
    some = [names[3], f"{collection}/NOBODY", names[1], names[3]]
    assert await ask(client, some) == [names[1], names[3]]
    assert await ask(client, [f"{collection}/NOBODY"]) == []


@KINDS
async def test_a_name_that_is_none_is_refused_with_its_place(
    client: Client, ask: Ask, collection: str
) -> None:
    with pytest.raises(Refused, match="INVALID_ID") as refused:
        await ask(client, [f"{collection}/{IDS[0]}", f"templates/{IDS[1]}"])
    told = f"{collection}[1] is 'templates/{IDS[1]}'; right would be {collection}/{{id}}."
    assert told in str(refused.value)


@KINDS
async def test_more_names_than_a_page_holds_are_refused(
    client: Client, ask: Ask, collection: str
) -> None:
    names = [f"{collection}/{number}" for number in range(1001)]
    assert await ask(client, names[:1000]) == []
    with pytest.raises(Refused, match="at most 1000 of them"):
        await ask(client, names)


async def test_who_asks_by_http_names_several(client: Client, replica: Replica) -> None:
    names = [f"control_units/{id}" for id in IDS[1:3]]
    async with ClientSession(replica.http) as http:
        asked = [("controlUnits", name) for name in names]
        async with http.get("/v1/control_unit_statuses", params=asked) as answer:
            assert answer.status == 200
            told = await answer.json()
    assert [each["controlUnit"] for each in told["controlUnitStatuses"]] == names
