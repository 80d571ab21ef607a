"""The past on the wire: as of a moment, by the names of then, followed through a rename."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from mds.v1.bundle_pb2 import ExportRequest
from mds.v1.control_unit_pb2 import (
    ControlUnit,
    CopyControlUnitRequest,
    CreateControlUnitRequest,
    DeleteControlUnitRequest,
    GetConfigurationRequest,
    GetControlUnitRequest,
    GetControlUnitStatusRequest,
    ListControlUnitsRequest,
    ListControlUnitStatusesRequest,
    RenameControlUnitRequest,
    UpdateControlUnitRequest,
)
from mds.v1.dataset_pb2 import DIRECTION_INPUT, VALUE_TYPE_DOUBLE, Attribute, AttributeOverride
from mds.v1.kind_pb2 import KIND_CONTROL_UNIT
from mds.v1.template_pb2 import (
    CreateTemplateRequest,
    GetTemplateRequest,
    ListTemplatesRequest,
    Template,
    UpdateTemplateRequest,
)
from mds.v1.unit_server_pb2 import (
    CreateUnitServerRequest,
    GetUnitServerStatusRequest,
    ListUnitServerStatusesRequest,
    UnitServer,
)
from mds.v1.watch_pb2 import EVENT_ACTION_LEFT, EVENT_ACTION_UPDATED, WatchRequest

from control_units.client import Client, Refused
from tests.stages.replica import Replica

TEMPLATE, SERVER = "templates/Supply", "unit_servers/US"
OLD, NEW = "control_units/A/1", "control_units/B/1"
DEADLINE_S = 30


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address) as client:
        yield client


@pytest.fixture
async def before(client: Client) -> ControlUnit:
    """`A/1` with an override, before it is changed and renamed."""
    current = Attribute(
        name="current", direction=DIRECTION_INPUT, type=VALUE_TYPE_DOUBLE, maximum="10"
    )
    await client.templates.CreateTemplate(
        CreateTemplateRequest(
            template=Template(name=TEMPLATE, implementation="Supply", attributes=[current])
        )
    )
    await client.unit_servers.CreateUnitServer(
        CreateUnitServerRequest(unit_server=UnitServer(name=SERVER))
    )
    unit = ControlUnit(
        name=OLD,
        template=TEMPLATE,
        unit_server=SERVER,
        overrides=[AttributeOverride(attribute="current", maximum="0x05")],
    )
    return await client.control_units.CreateControlUnit(CreateControlUnitRequest(control_unit=unit))


async def change_everything(client: Client, before: ControlUnit) -> ControlUnit:
    """Changes the template and the unit, and renames it; the unit as it is then."""
    template = await client.templates.GetTemplate(GetTemplateRequest(name=TEMPLATE))
    template.attributes[0].maximum = "20"
    request = UpdateTemplateRequest(template=template)
    request.update_mask.paths.append("attributes")
    await client.templates.UpdateTemplate(request)
    changed = ControlUnit(name=OLD, etag=before.etag)
    update = UpdateControlUnitRequest(control_unit=changed)
    update.update_mask.paths.append("overrides")
    updated = await client.control_units.UpdateControlUnit(update)
    return await client.control_units.RenameControlUnit(
        RenameControlUnitRequest(name=OLD, new_name=NEW, etag=updated.etag, reason="it moved")
    )


async def test_everything_is_read_as_of_a_moment(client: Client, before: ControlUnit) -> None:
    after = await change_everything(client, before)
    units, then = client.control_units, str(before.revision)
    assert (await units.GetControlUnit(GetControlUnitRequest(name=NEW))) == after
    assert (await units.GetControlUnit(GetControlUnitRequest(name=OLD, as_of=then))) == before
    for request in (
        ListControlUnitsRequest(as_of=then),
        ListControlUnitsRequest(as_of=then, zone="A", template=TEMPLATE, unit_server=SERVER),
    ):
        listed = await units.ListControlUnits(request)
        assert list(listed.control_units) == [before]
        assert listed.position.revision == before.revision
    asked = GetConfigurationRequest(name=OLD, as_of=then)
    assert (await units.GetConfiguration(asked)).attributes[0].maximum == "0x05"
    now = await units.GetConfiguration(GetConfigurationRequest(name=NEW))
    assert now.attributes[0].maximum == "10", "it stands on version 1"
    templates = await client.templates.ListTemplates(ListTemplatesRequest(as_of=then))
    assert [each.version for each in templates.templates] == [1]
    with pytest.raises(Refused, match="TEMPLATE_NOT_FOUND"):
        await client.templates.GetTemplate(GetTemplateRequest(name=TEMPLATE, version=2, as_of=then))


async def test_lives_are_read_as_of_a_moment(client: Client, before: ControlUnit) -> None:
    await change_everything(client, before)
    then, status = str(before.revision), "control_unit_statuses/A/1"
    found = await client.control_units.GetControlUnitStatus(
        GetControlUnitStatusRequest(name=status, as_of=then)
    )
    assert found.name == status
    listed = await client.control_units.ListControlUnitStatuses(
        ListControlUnitStatusesRequest(as_of=then)
    )
    assert [each.name for each in listed.control_unit_statuses] == [status]
    server = "unit_server_statuses/US"
    session = await client.unit_servers.GetUnitServerStatus(
        GetUnitServerStatusRequest(name=server, as_of=then)
    )
    assert session.name == server
    before_it = ListUnitServerStatusesRequest(as_of="1")
    assert not (await client.unit_servers.ListUnitServerStatuses(before_it)).unit_server_statuses


async def test_an_export_as_of_a_moment_is_what_was_there(
    client: Client, before: ControlUnit
) -> None:
    await change_everything(client, before)
    request = ExportRequest(as_of=str(before.revision))
    items = [item async for part in client.bundles.Export(request) for item in part.items]
    assert [item.WhichOneof("resource") for item in items] == [
        "template",
        "unit_server",
        "control_unit",
    ]
    assert items[0].template.attributes[0].maximum == "10"
    assert items[-1].control_unit == before


async def test_an_old_name_leads_to_the_new_one(client: Client, before: ControlUnit) -> None:
    after = await change_everything(client, before)
    with pytest.raises(Refused) as refused:
        await client.control_units.GetControlUnit(GetControlUnitRequest(name=OLD))
    assert refused.value.reason == "CONTROL_UNIT_NOT_FOUND"
    assert refused.value.metadata["renamed_to"] == NEW
    assert refused.value.metadata["revision"] == str(after.revision)
    await client.control_units.DeleteControlUnit(DeleteControlUnitRequest(name=NEW, etag="*"))
    with pytest.raises(Refused) as refused:
        await client.control_units.GetControlUnit(GetControlUnitRequest(name=NEW))
    assert refused.value.metadata["deleted_at"] == str(after.revision + 1)


async def test_watchers_are_told_the_former_name(client: Client, before: ControlUnit) -> None:
    listed = await client.control_units.ListControlUnits(ListControlUnitsRequest())
    after = await change_everything(client, before)

    async def last_event(prefix: str) -> tuple[int, str, str]:
        request = WatchRequest(
            position=listed.position, kinds=[KIND_CONTROL_UNIT], id_prefix=prefix
        )
        async with asyncio.timeout(DEADLINE_S):
            async for response in client.watch.Watch(request):
                for event in response.events:
                    if event.revision == after.revision:
                        return event.action, event.name, event.former_name
        raise AssertionError("the watch ended")

    assert await last_event("") == (EVENT_ACTION_UPDATED, NEW, OLD)
    assert await last_event("A/") == (EVENT_ACTION_LEFT, OLD, "")


async def test_a_copy_of_the_past_is_made_on_the_wire(client: Client, before: ControlUnit) -> None:
    await change_everything(client, before)
    request = CopyControlUnitRequest(
        name=OLD, new_name="control_units/C/1", as_of=str(before.revision)
    )
    copy = await client.control_units.CopyControlUnit(request)
    assert copy.overrides == before.overrides
    with pytest.raises(Refused, match="ALREADY_EXISTS"):
        await client.control_units.CopyControlUnit(request)
    with pytest.raises(Refused, match="new_name"):
        await client.control_units.CopyControlUnit(
            CopyControlUnitRequest(name=NEW, new_name="units/C")
        )
