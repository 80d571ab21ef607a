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


async def test_units_are_sorted_by_since_when_something_holds_of_them(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare(client)
        await declare(client, template="Motor", server="MOTORS", unit="DAFNE/M1")
        await publish_next(client, "Motor")
        await publish_next(client, "PowerSupply")
    site = await open_site(replica.address)
    page = await site.text("/conditions")
    assert 'href="/conditions?sort=-holds_since"' in page
    for sort, first, last in (("holds_since", "M1", "Q1"), ("-holds_since", "Q1", "M1")):
        page = await site.text(f"/conditions?sort={sort}")
        assert page.index(f"/control_units/DAFNE/{first}") < page.index(
            f"/control_units/DAFNE/{last}"
        )
    # Of the past nobody knows since when; its head leads nowhere.
    past = await site.text("/control_units?columns=id,since,holds_since&as_of=3")
    assert "sort=-since" in past
    assert "sort=-holds_since" not in past


def test_types_are_shown_in_words() -> None:
    assert vocabulary.condition("DatasetContradictsTemplate") == "Dataset contradicts template"


async def declare(
    client: Client,
    *,
    template: str = "PowerSupply",
    server: str = "MAGNETS",
    unit: str = "DAFNE/Q1",
) -> None:
    kind = template_pb2.Template(name=f"templates/{template}", implementation=template)
    await client.templates.CreateTemplate(template_pb2.CreateTemplateRequest(template=kind))
    host = unit_server_pb2.UnitServer(name=f"unit_servers/{server}")
    await client.unit_servers.CreateUnitServer(
        unit_server_pb2.CreateUnitServerRequest(unit_server=host)
    )
    declared = control_unit_pb2.ControlUnit(
        name=f"control_units/{unit}", template=kind.name, unit_server=host.name
    )
    await client.control_units.CreateControlUnit(
        control_unit_pb2.CreateControlUnitRequest(control_unit=declared)
    )


async def publish_next(client: Client, id: str = "PowerSupply") -> None:
    template = template_pb2.Template(name=f"templates/{id}", etag="*", description="the next one")
    await client.templates.UpdateTemplate(
        template_pb2.UpdateTemplateRequest(
            template=template, update_mask=FieldMask(paths=["description"])
        )
    )
