"""Filters over the wire, on every list that there is."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from mds.v1 import (
    agent_pb2,
    agent_report_pb2,
    campaign_pb2,
    control_unit_pb2,
    edit_pb2,
    filter_pb2,
    history_pb2,
    instantiation_pb2,
    kind_pb2,
    live_values_pb2,
    operation_pb2,
    sighting_pb2,
    template_pb2,
    unit_server_pb2,
    watch_pb2,
    webhook_pb2,
)
from mds.v1.bundle_pb2 import BundleHeader, BundleItem
from mds.v1.control_unit_pb2 import ControlUnit, ListControlUnitsRequest

from control_units.client import Client, Refused
from metadata_server.domain.filter.vocabulary import VOCABULARIES
from tests.scenarios.plans import apply
from tests.stages.replica import Replica

IDS = ("DAFNE/PL/A", "DAFNE/PL/B", "DAFNE/C", "BTF/D")


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address, principal="anna") as client:
        items = [
            BundleItem(template=template_pb2.Template(name="templates/T", implementation="T")),
            BundleItem(unit_server=unit_server_pb2.UnitServer(name="unit_servers/S")),
            *(
                BundleItem(
                    control_unit=ControlUnit(
                        name=f"control_units/{id}",
                        template="templates/T",
                        unit_server="unit_servers/S" if id.startswith("DAFNE") else "",
                        level=number,
                    )
                )
                for number, id in enumerate(IDS)
            ),
        ]
        told = await apply(client, items, BundleHeader(reason="to have something"))
        assert told.summary.applied
        yield client


async def units(client: Client, **asked: Any) -> list[str]:
    reply = await client.control_units.ListControlUnits(ListControlUnitsRequest(**asked))
    return [each.name.removeprefix("control_units/") for each in reply.control_units]


async def test_all_lists_take_filters(client: Client) -> None:
    assert await units(client, filter="zone=DAFNE/PL OR F/D") == ["BTF/D", *IDS[:2]]
    assert await units(client, filter="level>0", order_by="id desc") == [IDS[1], IDS[2], IDS[3]]
    assert await units(client, filter="unit_server=S level<9 state=UNSPECIFIED") == sorted(IDS[:3])
    page = ListControlUnitsRequest(page_size=3, filter="level>=0", order_by="changed desc")
    first = await client.control_units.ListControlUnits(page)
    page.page_token = first.next_page_token
    second = await client.control_units.ListControlUnits(page)
    names = [each.name for each in (*first.control_units, *second.control_units)]
    assert names == sorted((f"control_units/{id}" for id in IDS), reverse=True)
    statuses = await client.control_units.ListControlUnitStatuses(
        control_unit_pb2.ListControlUnitStatusesRequest(filter="contact=NONE -level=0")
    )
    assert len(statuses.control_unit_statuses) == 3
    sessions = await client.unit_servers.ListUnitServerStatuses(
        unit_server_pb2.ListUnitServerStatusesRequest(filter="contact=NONE", order_by="id desc")
    )
    assert [each.unit_server for each in sessions.unit_server_statuses] == ["unit_servers/S"]
    servers = await client.unit_servers.ListUnitServers(
        unit_server_pb2.ListUnitServersRequest(filter="contact=NONE", order_by="host")
    )
    assert [each.name for each in servers.unit_servers] == ["unit_servers/S"]
    with pytest.raises(Refused, match=r"INVALID_FIELD: order_by .*lists of the past"):
        await client.unit_servers.ListUnitServers(
            unit_server_pb2.ListUnitServersRequest(order_by="contact", as_of="2")
        )
    changes = history_pb2.ListChangesRequest(filter="kind=control_unit reason:something")
    assert len((await client.history.ListChanges(changes)).changes) == len(IDS)
    sets = history_pb2.ListChangeSetsRequest(filter="author=anna time<1h")
    assert len((await client.history.ListChangeSets(sets)).change_sets) == 1
    operations = operation_pb2.ListOperationsRequest(filter="phase=EXECUTING verb:S*")
    assert not (await client.operations.ListOperations(operations)).operations
    sightings = sighting_pb2.ListSightingsRequest(filter="class:T host:a* count>0 last<1h")
    assert not (await client.sightings.ListSightings(sightings)).sightings


async def told(call: Any, field: str, message: type[Any], **asked: Any) -> list[Any]:
    """What a list has on its only page."""
    return list(getattr(await call(message(**asked)), field))


async def test_lists_of_what_is_no_resource_take_filters_and_orders(client: Client) -> None:
    await client.agents.CreateAgent(
        agent_pb2.CreateAgentRequest(agent=agent_pb2.Agent(name="agents/host-1"))
    )
    for id in ("first", "second"):
        campaign = campaign_pb2.Campaign(name=f"campaigns/{id}", description=id)
        await client.campaigns.CreateCampaign(campaign_pb2.CreateCampaignRequest(campaign=campaign))
        url = "http://127.0.0.1:9/"
        hook = webhook_pb2.Webhook(name=f"webhooks/{id}", url=url, enabled=id == "first")
        await client.webhooks.CreateWebhook(webhook_pb2.CreateWebhookRequest(webhook=hook))
    statuses = partial(
        told, client.webhooks.ListWebhookStatuses, "webhook_statuses",
        webhook_pb2.ListWebhookStatusesRequest,
    )  # fmt: skip
    assert [each.webhook for each in await statuses(order_by="webhook desc")] == [
        "webhooks/second", "webhooks/first",
    ]  # fmt: skip
    assert [each.webhook for each in await statuses(filter="state=DISABLED")] == ["webhooks/second"]
    sums = await told(
        client.campaigns.ListCampaignSums, "sums", campaign_pb2.ListCampaignSumsRequest,
        filter="sec failed<1", order_by="requested desc",
    )  # fmt: skip
    assert [each.campaign for each in sums] == ["campaigns/second"]
    agents = partial(
        told, client.agent_reports.ListAgentStatuses, "agent_statuses",
        agent_report_pb2.ListAgentStatusesRequest,
    )  # fmt: skip
    assert len(await agents(filter="contact=NONE host-1", order_by="reported desc")) == 1
    declared = agent_pb2.ListAgentsRequest(filter="contact=NONE host-1", order_by="contact")
    assert len((await client.agents.ListAgents(declared)).agents) == 1
    assert not await agents(filter="process_state=GAVE_UP")
    versions = partial(
        told, client.templates.ListTemplateVersions, "versions",
        template_pb2.ListTemplateVersionsRequest, name="templates/T",
    )  # fmt: skip
    assert len(await versions(filter="units=4 version_state=PUBLISHED", order_by="units")) == 1
    assert not await versions(filter="units>4")
    lives = await told(
        client.instantiations.ListInstantiations, "instantiations",
        instantiation_pb2.ListInstantiationsRequest, filter="-over host:node*", order_by="end desc",
    )  # fmt: skip
    assert not lives
    deliveries = await told(
        client.webhooks.ListWebhookDeliveries, "webhook_deliveries",
        webhook_pb2.ListWebhookDeliveriesRequest, webhook="webhooks/first",
        filter="state=FAILED status>=500", order_by="duration_us desc",
    )  # fmt: skip
    assert not deliveries
    stream = client.live_values.ListLiveValues(
        live_values_pb2.ListLiveValuesRequest(filter="-reported PL/", order_by="control_unit desc")
    )
    found = [each.name async for part in stream for each in part.units]
    assert found == [f"control_units/{id}" for id in reversed(IDS[:2])]
    oldest = history_pb2.ListChangeSetsRequest(order_by="time", page_size=1)
    assert (await client.history.ListChangeSets(oldest)).change_sets[0].name == "change_sets/1"


@pytest.mark.parametrize("wrong", [{"filter": "staet=FAILING"}, {"order_by": "error"}])
async def test_what_is_wrong_with_a_list_that_is_no_resource_is_told(
    client: Client, wrong: dict[str, Any]
) -> None:
    with pytest.raises(Refused, match=r"INVALID_F(ILTER|IELD)") as caught:
        await client.webhooks.ListWebhookStatuses(webhook_pb2.ListWebhookStatusesRequest(**wrong))
    if "filter" in wrong:
        assert 'did you mean "state"' in str(caught.value)


async def test_a_wrong_filter_is_told_with_its_place(client: Client) -> None:
    with pytest.raises(Refused) as caught:
        await units(client, filter="level=1 staet=RUNNING")
    assert caught.value.reason == "INVALID_FILTER"
    assert caught.value.metadata["column"] == "9"
    assert caught.value.metadata["suggestion"] == "state"
    assert 'filter, column 9: there is no key "staet"' in str(caught.value)
    for asked in ({"order_by": "overrides"}, {"order_by": "id down"}):
        with pytest.raises(Refused, match=r"INVALID_FIELD: order_by"):
            await units(client, **asked)
    selection = edit_pb2.UnitSelection(filter="level")
    edits = [edit_pb2.FieldEdit(path="description", value="x")]
    request = edit_pb2.EditControlUnitsRequest(selection=selection, edits=edits)
    selection.filter = "level~1"
    request.selection.filter = "levle=1"
    with pytest.raises(Refused, match=r"selection.filter, column 1: .* did you mean \"level\""):
        async for _ in client.edits.EditControlUnits(request):
            pass


async def test_a_selection_and_a_watch_take_filters(client: Client) -> None:
    wanted = watch_pb2.WatchRequest(
        kinds=[kind_pb2.KIND_CONTROL_UNIT], filter="description:north zone=DAFNE"
    )
    stream = client.watch.Watch(wanted)
    await anext(aiter(stream))
    for text in ("north", "south"):
        request = edit_pb2.EditControlUnitsRequest(
            selection=edit_pb2.UnitSelection(filter="level=1,3 -zone=RING"),
            edits=[edit_pb2.FieldEdit(path="description", value=text)],
            reason="a test",
        )
        replies = [each async for each in client.edits.EditControlUnits(request)]
        assert replies[-1].summary.applied
    told: list[watch_pb2.Event] = []
    async for reply in stream:
        told += reply.events
        if len(told) == 2:
            break
    stream.cancel()
    created, left = watch_pb2.EVENT_ACTION_CREATED, watch_pb2.EVENT_ACTION_LEFT
    name = "control_units/DAFNE/PL/B"
    assert [(each.name, each.action) for each in told] == [(name, created), (name, left)]


async def test_a_server_tells_all_keys(client: Client) -> None:
    reply = await client.filters.ListFilterKeys(filter_pb2.ListFilterKeysRequest())
    told = {(each.kind, each.name) for each in reply.filter_keys}
    assert told == {(v.word, name) for v in VOCABULARIES.values() for name in v.keys}
    with pytest.raises(Refused, match="INVALID_FIELD: kind"):
        await client.filters.ListFilterKeys(filter_pb2.ListFilterKeysRequest(kind="unit"))
