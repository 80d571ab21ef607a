"""What else holds of a unit is shown on its page and in the lists of its unit server."""

from collections.abc import Awaitable, Callable

from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1 import control_unit_pb2, template_pb2, unit_server_pb2

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite
from webui import vocabulary

StartReplica = Callable[..., Awaitable[Replica]]


async def test_a_unit_on_an_older_version_is_marked_out_of_date(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare(client)
        site = await open_site(replica.address)
        paths = ("/control_units/DAFNE/Q1", "/unit_servers/MAGNETS?fragment=units")
        for path in paths:
            assert "out of date" not in (await site.text(path)).lower()
        await publish_next(client)
        for path in paths:
            assert "out of date" in (await site.text(path)).lower()
        assert "It is on version 1 of its template; the newest is 2" in await site.text(paths[0])


def test_types_are_shown_in_words() -> None:
    assert vocabulary.condition("DatasetContradictsTemplate") == "Dataset contradicts template"


async def declare(client: Client) -> None:
    template = template_pb2.Template(name="templates/PowerSupply", implementation="PowerSupply")
    await client.templates.CreateTemplate(template_pb2.CreateTemplateRequest(template=template))
    server = unit_server_pb2.UnitServer(name="unit_servers/MAGNETS")
    await client.unit_servers.CreateUnitServer(
        unit_server_pb2.CreateUnitServerRequest(unit_server=server)
    )
    unit = control_unit_pb2.ControlUnit(
        name="control_units/DAFNE/Q1", template=template.name, unit_server=server.name
    )
    await client.control_units.CreateControlUnit(
        control_unit_pb2.CreateControlUnitRequest(control_unit=unit)
    )


async def publish_next(client: Client) -> None:
    template = template_pb2.Template(
        name="templates/PowerSupply", etag="*", description="the next one"
    )
    await client.templates.UpdateTemplate(
        template_pb2.UpdateTemplateRequest(
            template=template, update_mask=FieldMask(paths=["description"])
        )
    )
