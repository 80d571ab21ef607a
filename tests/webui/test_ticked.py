"""What can be done with things that are ticked in any list, as it is without JavaScript."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from mds.v1 import maintenance_pb2, operation_pb2, snapshot_pb2, template_pb2
from mds.v1.agent_pb2 import Agent
from mds.v1.policy_pb2 import Policy
from mds.v1.unit_server_pb2 import LaunchOrder, UnitServer

from control_units.client import Client
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.conftest import OpenSite, Site
from tests.webui.facility import declare_facility, unit_id
from tests.webui.forms import form_in, plan_at, submit
from webui.agents import launching
from webui.lists.kinds import KINDS
from webui.operations import steering_many

StartReplica = Callable[..., Awaitable[Replica]]
DELETE, LAUNCH, STEER = "/datasets/delete", "/launches/new", "/operations/steer"
SPARES = ("SPARE/A", "SPARE/B", "SPARE/C")
DELETED = {
    "unit_servers": UnitServer,
    "templates": template_pb2.Template,
    "snapshots": snapshot_pb2.Snapshot,
    "agents": Agent,
    "policies": Policy,
}
DECLARED = {**DELETED, "maintenances": maintenance_pb2.Maintenance}


@pytest.fixture
async def client(start_replica: StartReplica, sqlite_database: str) -> AsyncIterator[Client]:
    """Of a server with a facility, and with spare things that nobody needs."""
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_facility(client, 24)
        spares = [kind(name=f"{path}/{id}") for path, kind in DECLARED.items() for id in SPARES]
        for each in spares:
            if isinstance(each, maintenance_pb2.Maintenance):
                each.description = "shutdown"
                each.id_prefixes.append("SPARE/")
            if isinstance(each, template_pb2.Template):
                each.implementation = "Spare"
        await client.apply(spares, reason="a test")
        yield client


@pytest.fixture
async def site(client: Client, open_site: OpenSite) -> Site:
    return await open_site(client.address)


def ids(*ids: str) -> str:
    return "".join(f"&id={id}" for id in ids)


async def order(client: Client, number: int) -> str:
    """The id of an operation that waits for units that nobody runs."""
    running = await client.operations.order(operation_pb2.ORDER_VERB_START, [unit_id(number)])
    return running.operation.name.partition("/")[2]


async def phases(client: Client, *ids: str) -> list[str]:
    names = [f"operations/{id}" for id in ids]
    found = [
        await client.operations.GetOperation(operation_pb2.GetOperationRequest(name=name))
        for name in names
    ]
    words = operation_pb2.OperationPhase.Name
    return [words(each.phase).removeprefix("OPERATION_PHASE_") for each in found]


async def test_rows_of_every_list_can_be_ticked_and_taken_as_a_file(
    client: Client, site: Site
) -> None:
    await order(client, 1)
    for kind in KINDS:
        page = await site.text(f"/{kind.path}")
        found = re.findall(r'name="id" value="([^"]+)" form="ticked"', page)
        if kind.path == "conditions":  # there are none
            continue
        assert found, kind.path
        last = found[-1]
        text = await site.text(f"/{kind.path}?format=json&id={last}")
        assert [each["name"].partition("/")[2] for each in json.loads(text)] == [last], kind.path


async def test_a_file_of_what_is_ticked_has_the_columns_and_the_order_that_are_shown(
    site: Site,
) -> None:
    asked = "/templates?format=csv&columns=id,group&sort=-id"
    table = list(csv.reader(io.StringIO(await site.text(asked + ids(SPARES[0], SPARES[2])))))
    assert table == [["id", "group"], [SPARES[2], ""], [SPARES[0], ""]]
    of_all = "&filter=id:SPARE/*"
    assert len((await site.text(asked + of_all)).splitlines()) == 1 + len(SPARES)
    bar = form_in(await site.text("/templates?q=id:SPARE/*&sort=-id"), "")
    assert bar.fields.get("q") == "id:SPARE/*", "with no tick it is what is shown"


async def test_operations_are_steered_together_as_far_as_each_allows(
    client: Client, site: Site
) -> None:
    going, paused, other = [await order(client, number) for number in range(3)]
    text = await site.text(f"{STEER}?how=pause{ids(paused)}")
    await submit(site, form_in(text, STEER))
    assert await phases(client, paused) == ["SUSPENDED"]

    text = await site.text(f"{STEER}?how=pause{ids(going, paused, other)}&q=verb=START")
    assert "Pause: 2 operations" in text
    assert "1 of those that are ticked is left out" in text
    form = form_in(text, STEER)
    assert "SUSPENDED" not in await phases(client, going, other), "nothing is done yet"
    text = await submit(site, form, changed={"reason": "beam is lost"})
    assert "<h1>Operations" in text
    assert "Ordered for 2 of them." in text
    assert form_in(text, "/operations").fields["q"] == "verb=START", "as the list was"
    assert await phases(client, going, paused, other) == ["SUSPENDED"] * 3

    form = form_in(await site.text(f"{STEER}?how=resume{ids(going, other)}"), STEER)
    form.more.append(("id", "20260101-000000-000000"))
    text = await submit(site, form, changed={"reason": "go on"}, status=422)
    assert "2 of 3 are done" in text
    assert "20260101-000000-000000" in text
    assert "Nothing to order" in await submit(site, form, changed={"how": "jump"}, status=422)
    text = await submit(site, form, changed={"how": "retry", "request_id": "new"}, status=422)
    assert "0 of 3 are done" in text
    rows = re.findall(r'<th scope="row"><a class="id" href="/operations/([^"]+)"', text)
    assert set(rows) == {going, other}
    assert text.count("has no step to begin again") == 2


async def test_many_operations_are_steered_once_their_number_is_typed(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steering_many, "MOST_WITHOUT_COUNT", 2)
    every = [await order(client, number) for number in range(3)]
    form = form_in(await site.text(f"{STEER}?how=abort&filter=verb=START"), STEER)
    text = await submit(site, form, changed={"typed_count": "2"}, status=422)
    assert "Nothing was ordered" in text
    form = form_in(text, STEER)
    await submit(site, form, changed={"typed_count": "3"})

    async def are_ending() -> bool:
        return (await site.text("/operations")).count(">aborting<") == len(every)

    await until(are_ending)
    monkeypatch.setattr(steering_many, "MOST", 2)
    assert "At most 2" in await site.text(f"{STEER}?how=abort&all=1", status=422)
    for nothing in ("", "?how=abort", f"?how=jump{ids(every[0])}"):
        assert "Nothing to order" in await site.text(STEER + nothing, status=422)


async def test_unit_servers_that_are_ticked_are_launched(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = await site.text(f"{LAUNCH}?how=stop&filter=id:*/MAGNETS")
    assert "Stop: 3 unit servers" in text
    chosen = ids("BTF/MAGNETS", "DAFNE/MAGNETS")
    text = await site.text(f"{LAUNCH}?how=stop{chosen}&q=id:*/MAGNETS")
    assert '<a href="/unit_servers?q=id%3A%2A%2FMAGNETS" data-forget>Cancel</a>' in text
    text = await submit(site, form_in(text, LAUNCH))
    assert "<title>Unit servers<" in text
    assert "Ordered for 2 of them." in text
    orders = {
        each.name.partition("/")[2]: each.launch.order
        async for each in client.unit_servers.list(filter="id:*/MAGNETS")
    }
    stopped = {id for id, order in orders.items() if order == LaunchOrder.LAUNCH_ORDER_STOP}
    assert stopped == {"BTF/MAGNETS", "DAFNE/MAGNETS"}
    monkeypatch.setattr(launching, "MOST_SERVERS", 2)
    for every in ("filter=id:*/MAGNETS", chosen + ids("LINAC/MAGNETS")):
        assert "At most 2" in await site.text(f"{LAUNCH}?how=stop&{every}", status=422)


async def test_a_maintenance_of_unit_servers_that_are_ticked(site: Site) -> None:
    for asked in (ids(*SPARES[:2]), "&filter=id=SPARE/A,SPARE/B"):
        text = await site.text(f"/maintenances/new?of=unit_servers{asked}")
        fields = form_in(text, "/maintenances/new").fields
        assert fields["unit_servers"].split() == list(SPARES[:2])
        assert not fields["control_units"]


@pytest.mark.parametrize("path", DELETED)
async def test_those_that_are_ticked_are_deleted_together(
    client: Client, site: Site, path: str
) -> None:
    text = await site.text(f"{DELETE}?of={path}{ids(*SPARES[:2])}")
    assert "2 would be deleted" in text
    assert "control unit" not in text.partition("<main")[2].partition("</main>")[0].lower()
    text = await submit(site, form_in(text, DELETE), changed={"reason": "cleaning"})
    assert "2 deleted" in text
    page = await site.text(f"/{path}?q=id:SPARE/*")
    assert re.findall(rf'data-name="{path}/([^"]+)"', page) == [SPARES[2]]
    text = await plan_at(site, f"{DELETE}?of={path}&filter=id:SPARE/*")
    assert "1 would be deleted" in text


async def test_what_is_not_deleted_together_is_not_taken_for_units(site: Site) -> None:
    text = await site.text(f"{DELETE}?of=maintenances{ids('BTF/MAG/PS0002')}", status=404)
    assert "There is no such page" in text


async def test_what_others_need_is_not_deleted(site: Site) -> None:
    text = await site.text(f"{DELETE}?of=templates{ids('Camera', SPARES[0])}")
    assert "This cannot be done as it is" in text
    assert f'action="{DELETE}"' not in text


async def test_two_snapshots_are_compared(site: Site) -> None:
    async with site.http.get(f"/snapshots/compare?{ids(*SPARES[:2])}") as answer:
        assert answer.url.path == f"/snapshots/{SPARES[0]}"
        assert answer.url.query["with"] == SPARES[1]
    for some in (SPARES[:1], SPARES):
        text = await site.text(f"/snapshots/compare?{ids(*some)}", status=422)
        assert "Tick two snapshots" in text


async def test_of_unit_servers_that_are_ordered_those_that_are_gone_are_named(
    client: Client, site: Site
) -> None:
    form = form_in(
        await site.text(f"{LAUNCH}?how=stop{ids('BTF/MAGNETS', 'DAFNE/MAGNETS')}"), LAUNCH
    )
    form.more.append(("id", "DAFNE/GONE"))
    text = await submit(site, form, status=422)
    assert "2 of 3 are done" in text
    assert "DAFNE/GONE" in text
    server = await client.unit_servers.get("DAFNE/MAGNETS")
    assert server.launch.order == LaunchOrder.LAUNCH_ORDER_STOP


async def test_a_reason_that_is_missing_is_said_once_and_nothing_is_ordered(
    client: Client, site: Site
) -> None:
    await client.apply([Policy(name="policies/reasons", requires_reason=True)], reason="a test")
    text = await site.text(f"{LAUNCH}?how=stop{ids('BTF/MAGNETS', 'DAFNE/MAGNETS')}")
    text = await submit(site, form_in(text, LAUNCH), status=422)
    assert "are done" not in text
    assert 'aria-invalid="true"' in text
    assert "Stop: 2 unit servers" in text


async def test_what_was_ordered_before_one_was_refused_is_not_ordered_again(
    client: Client, site: Site
) -> None:
    reasons = Policy(name="policies/reasons", id_prefix="DAFNE/", requires_reason=True)
    await client.apply([reasons], reason="a test")
    text = await site.text(f"{LAUNCH}?how=restart{ids('BTF/MAGNETS', 'DAFNE/MAGNETS')}")
    text = await submit(site, form_in(text, LAUNCH), status=422)
    assert "1 of 2 are done" in text
    assert "Restart: 1 unit server<" in text
    form = form_in(text, LAUNCH)
    for _ in range(2):  # what was sent before is not done again either
        await submit(site, form, changed={"reason": "a new crate"})
    for id in ("BTF/MAGNETS", "DAFNE/MAGNETS"):
        assert (await client.unit_servers.get(id)).launch.restart_count == 1, id


async def test_as_many_unit_servers_as_one_filter_cannot_name(client: Client, site: Site) -> None:
    servers = [UnitServer(name=f"unit_servers/LONG/{n:090}") for n in range(60)]
    await client.apply(servers, reason="a test")
    assert "Stop: 60 unit servers" in await site.text(f"{LAUNCH}?how=stop&filter=id:LONG/*")
