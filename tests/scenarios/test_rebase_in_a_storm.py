"""Units move between versions while their unit servers register and people edit them, at two
replicas on one MariaDB: nobody waits for each other for ever, and nothing is lost."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import cycle

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.bundle_pb2 import ApplySummary, BundleHeader, BundleItem
from mds.v1.control_unit_pb2 import ControlUnit, ListControlUnitsRequest
from mds.v1.dataset_pb2 import DIRECTION_INPUT, Attribute
from mds.v1.edit_pb2 import (
    EditControlUnitsRequest,
    FieldEdit,
    RebaseControlUnitsRequest,
    UnitSelection,
)
from mds.v1.registration_pb2 import HostedClass, RegisterRequest
from mds.v1.template_pb2 import Template, UpdateTemplateRequest
from mds.v1.unit_server_pb2 import UnitServer

from control_units.client import Client
from tests.scenarios.plans import apply
from tests.stages.replica import Replica

StartReplica = Callable[..., Awaitable[Replica]]
TEMPLATE, CLASS = "templates/PowerSupply", "PowerSupply"
SERVERS, UNITS, ROUNDS = 4, 25, 12

pytestmark = pytest.mark.timeout(180)


async def declare(client: Client) -> None:
    """Two versions of a template, and units on the first."""
    current = Attribute(name="current", direction=DIRECTION_INPUT, maximum="10")
    template = Template(name=TEMPLATE, implementation=CLASS, attributes=[current])
    items = [BundleItem(template=template)]
    for server in range(SERVERS):
        name = f"unit_servers/S{server}"
        items.append(BundleItem(unit_server=UnitServer(name=name)))
        for number in range(UNITS):
            unit = ControlUnit(
                name=f"control_units/DAFNE/C{server}/{number:02}",
                template=TEMPLATE,
                unit_server=name,
            )
            items.append(BundleItem(control_unit=unit))
    assert (await apply(client, items, BundleHeader())).summary.applied
    template.attributes[0].maximum = "20"
    template.etag = "*"
    await client.templates.UpdateTemplate(
        UpdateTemplateRequest(template=template, update_mask=FieldMask(paths=["attributes"]))
    )


async def back_and_forth(client: Client) -> None:
    """Moves all units to version 2, and back, and so on."""
    for version in (1 + number % 2 for number in range(1, ROUNDS + 1)):
        request = RebaseControlUnitsRequest(template=TEMPLATE, to_version=version)
        summary = ApplySummary()
        async for response in client.edits.RebaseControlUnits(request):
            assert not response.problems
            if response.HasField("summary"):
                summary = response.summary
        assert summary.applied
        assert summary.changed == SERVERS * UNITS


async def label(client: Client, who: str, names: list[str], labelled: Counter[str]) -> None:
    """Gives one unit after the other one label more."""
    for number, name in enumerate(cycle(names)):
        request = EditControlUnitsRequest(
            selection=UnitSelection(names=[name]),
            edits=[FieldEdit(path=f"labels[{who}{number}]", value="there")],
        )
        async for response in client.edits.EditControlUnits(request):
            assert not response.problems
            labelled[name] += response.summary.changed


async def register(client: Client, server: int, registered: Counter[int]) -> None:
    """Lets one run of a unit server take over from the other."""
    while True:
        request = RegisterRequest(
            unit_server=f"unit_servers/S{server}",
            incarnation=f"run-{registered[server]}",
            classes=[HostedClass(implementation=CLASS)],
            take_over=True,
            reason="a test",
        )
        reply = await client.registration.Register(request)
        assert len(reply.assignments) == UNITS
        registered[server] += 1


async def units(client: Client) -> list[ControlUnit]:
    reply = await client.control_units.ListControlUnits(ListControlUnitsRequest(page_size=1000))
    return list(reply.control_units)


async def test_units_move_between_versions_in_a_storm_and_nothing_is_lost(
    start_replica: StartReplica, mariadb_database: str
) -> None:
    first, second = [await start_replica(mariadb_database) for _ in range(2)]
    async with (
        Client(first.address, principal="anna") as one,
        Client(second.address, principal="bert") as other,
    ):
        await declare(one)
        names = [unit.name for unit in await units(one)]
        labelled: Counter[str] = Counter()
        registered: Counter[int] = Counter()
        busy = [
            asyncio.create_task(label(other, "bert", names, labelled)),
            asyncio.create_task(label(one, "anna", names[::-1], labelled)),
            *(asyncio.create_task(register(other, n, registered)) for n in range(SERVERS)),
        ]
        try:
            await back_and_forth(one)
            assert not [task for task in busy if task.done()], "somebody was refused"
        finally:
            for task in busy:
                task.cancel()
            ended = await asyncio.gather(*busy, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended
        found = await units(one)
        assert {unit.template_version for unit in found} == {1}
        assert labelled
        assert registered.keys() == set(range(SERVERS))
        for unit in found:
            # An edit whose answer was cut off at the end may be there though nobody counted it.
            assert len(unit.labels) - labelled[unit.name] in {0, 1, 2}
            assert unit.generation == 1 + ROUNDS + len(unit.labels)
