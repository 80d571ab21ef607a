"""Two people change the same thing, each at a replica of their own: whoever comes late is told,
and nothing that was answered is lost.

`MDS_TEST_ROUNDS=500 pytest tests/scenarios/test_two_people.py` makes the thousand rounds that the
claim stands on; every run makes some of them.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1 import (
    control_unit_pb2,
    history_pb2,
    registration_pb2,
    template_pb2,
    unit_server_pb2,
)

from control_units.client import Client, Refused
from tests.stages.replica import Replica

StartReplica = Callable[..., Awaitable[Replica]]
ROUNDS = int(os.environ.get("MDS_TEST_ROUNDS", "40"))
"""Of each of the two."""
UNITS = 20
TEMPLATE = "templates/PowerSupply"
SERVER = "unit_servers/CORRECTORS"

pytestmark = pytest.mark.timeout(300)


async def declare(client: Client) -> None:
    template = template_pb2.Template(name=TEMPLATE, implementation="PowerSupply")
    await client.templates.CreateTemplate(template_pb2.CreateTemplateRequest(template=template))
    server = unit_server_pb2.UnitServer(name=SERVER)
    await client.unit_servers.CreateUnitServer(
        unit_server_pb2.CreateUnitServerRequest(unit_server=server)
    )
    for number in range(UNITS):
        unit = control_unit_pb2.ControlUnit(
            name=f"control_units/DAFNE/C{number}", template=TEMPLATE, unit_server=SERVER
        )
        await client.control_units.CreateControlUnit(
            control_unit_pb2.CreateControlUnitRequest(control_unit=unit)
        )


async def count_up(add_one: Callable[[], Awaitable[None]]) -> int:
    """Adds one `ROUNDS` times; how often somebody else was quicker."""
    late = 0
    for _ in range(ROUNDS):
        while True:
            try:
                await add_one()
                break
            except Refused as refused:
                if refused.reason != "ETAG_MISMATCH":
                    raise
                late += 1
    return late


async def changes_of(client: Client, name: str) -> int:
    """How many changes the history of a resource has."""
    count, token = 0, ""
    while True:
        page = await client.history.ListChanges(
            history_pb2.ListChangesRequest(name=name, page_size=1000, page_token=token)
        )
        count, token = count + len(page.changes), page.next_page_token
        if not token:
            return count


async def test_no_edit_of_a_unit_is_lost(
    start_replica: StartReplica, mariadb_database: str
) -> None:
    name = "control_units/DAFNE/C0"
    first, second = [await start_replica(mariadb_database) for _ in range(2)]
    async with Client(first.address) as one, Client(second.address) as other:
        await declare(one)

        def adding(client: Client) -> Callable[[], Awaitable[None]]:
            async def add_one() -> None:
                read = control_unit_pb2.GetControlUnitRequest(name=name)
                unit = await client.control_units.GetControlUnit(read)
                unit.labels["count"] = str(int(unit.labels.get("count", "0")) + 1)
                await client.control_units.UpdateControlUnit(
                    control_unit_pb2.UpdateControlUnitRequest(
                        control_unit=unit, update_mask=FieldMask(paths=["labels"])
                    )
                )

            return add_one

        late = await asyncio.gather(count_up(adding(one)), count_up(adding(other)))
        unit = await one.control_units.GetControlUnit(
            control_unit_pb2.GetControlUnitRequest(name=name)
        )
        assert unit.labels["count"] == str(2 * ROUNDS)
        assert unit.generation == await changes_of(other, name) == 2 * ROUNDS + 1
        assert sum(late) > 0, "the two never met"


async def test_no_edit_of_a_template_is_lost_while_units_register(
    start_replica: StartReplica, mariadb_database: str
) -> None:
    first, second = [await start_replica(mariadb_database) for _ in range(2)]
    async with Client(first.address) as one, Client(second.address) as other:
        await declare(one)
        await begin_draft(one)

        def adding(client: Client) -> Callable[[], Awaitable[None]]:
            async def add_one() -> None:
                read = template_pb2.GetTemplateRequest(name=TEMPLATE)
                template = await client.templates.GetTemplate(read)
                template.labels["count"] = str(int(template.labels.get("count", "0")) + 1)
                await client.templates.UpdateTemplate(
                    template_pb2.UpdateTemplateRequest(
                        template=template, update_mask=FieldMask(paths=["labels"])
                    )
                )

            return add_one

        registering = asyncio.create_task(register_for_ever(one))
        try:
            await asyncio.gather(count_up(adding(one)), count_up(adding(other)))
        finally:
            registering.cancel()
            (rounds,) = await asyncio.gather(registering)
        assert rounds > 0
        template = await one.templates.GetTemplate(template_pb2.GetTemplateRequest(name=TEMPLATE))
        assert (template.version, template.labels["count"]) == (2, str(2 * ROUNDS))
        assert await changes_of(other, TEMPLATE) == 2 * ROUNDS + 2


async def begin_draft(client: Client) -> None:
    template = await client.templates.GetTemplate(template_pb2.GetTemplateRequest(name=TEMPLATE))
    template.description = "the next one"
    template.version_state = template_pb2.VERSION_STATE_DRAFT
    await client.templates.UpdateTemplate(
        template_pb2.UpdateTemplateRequest(
            template=template, update_mask=FieldMask(paths=["description", "version_state"])
        )
    )


async def register_for_ever(client: Client) -> int:
    """Registers one run of the unit server after the other; how many, once it is cancelled."""
    rounds = 0
    try:
        while True:
            request = registration_pb2.RegisterRequest(
                unit_server=SERVER,
                incarnation=f"run-{rounds}",
                classes=[registration_pb2.HostedClass(implementation="PowerSupply")],
                take_over=True,
                reason="a test",
            )
            reply = await client.registration.Register(request)
            assert len(reply.assignments) == UNITS
            rounds += 1
    except asyncio.CancelledError:
        return rounds
