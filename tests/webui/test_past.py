"""Pages as of a moment, asked of a real server."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from google.protobuf.duration_pb2 import Duration
from mds.v1.agent_report_pb2 import ReportAgentRequest
from mds.v1.maintenance_pb2 import CreateMaintenanceRequest, Maintenance
from mds.v1.operation_pb2 import ON_FAILURE_CONTINUE, ORDER_VERB_START, Operation
from mds.v1.operation_step_pb2 import StepState

from control_units.client import Client
from control_units.client.operations import NotReached
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.conftest import OpenSite, Site
from tests.webui.facility import declared_replica, unit_id

UNITS = 12


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    with declared_replica(tmp_path_factory.mktemp("past"), UNITS) as running:
        yield running


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address) as opened:
        yield opened


@pytest.fixture
async def site(open_site: OpenSite, replica: Replica) -> Site:
    return await open_site(replica.address)


def now() -> str:
    """This moment, as an address has it."""
    return quote(datetime.now(UTC).isoformat())


def rows_of(page: str) -> str:
    """All that stands in a table, in small letters."""
    return page.rpartition("<tbody")[2].partition("</tbody>")[0].lower()


async def test_what_has_gone_since_is_on_the_overview_and_in_the_topology_of_then(
    site: Site, client: Client
) -> None:
    gone = f"control_units/{unit_id(3)}"
    before = now()
    await client.control_units.delete(gone, etag="*", reason="worn out")
    for moment, is_there in ((before, True), (now(), False)):
        page = await site.text(f"/?as_of={moment}")
        assert f"of {UNITS if is_there else UNITS - 1} control units" in page
        assert ("worn out" in page) is not is_there
        assert "This page knows only now" not in page
        assert (gone in await site.text(f"/topology?as_of={moment}")) is is_there


async def test_operations_of_the_past_are_those_that_had_begun_and_not_ended(
    site: Site, client: Client
) -> None:
    before = now()
    waiting = await client.operations.order(
        ORDER_VERB_START, [unit_id(1)], reason="cooling tests", wait=True
    )
    between = now()
    await waiting.abort()
    with suppress(NotReached):
        await waiting.done(timeout=20)
    for moment, is_under_way in ((before, False), (between, True), (now(), False)):
        page = await site.text(f"/?as_of={moment}")
        under_way = page.partition('id="operations"')[2].partition("</ul>")[0]
        assert ("cooling tests" in under_way) is is_under_way
        assert "steps" not in under_way


async def test_what_is_not_kept_is_said_and_a_moment_before_all_history_is_refused(
    site: Site,
) -> None:
    page = await site.text(f"/?as_of={now()}")
    assert "Not told of then" in page
    assert "data-beat" not in page
    assert 'id="replicas"' not in page
    assert "hx-get" not in await site.text(f"/topology?as_of={now()}")
    assert "HISTORY_RESET" in await site.text("/?as_of=99999", status=410)


async def test_a_form_says_once_that_the_past_cannot_be_changed(site: Site) -> None:
    for path in ("/import", "/control_units/new", f"/control_units/{unit_id(0)}/edit"):
        page = await site.text(f"{path}?as_of={now()}", status=409)
        assert "<h1>The past cannot be changed</h1>" in page
        assert "Nothing can be changed here" not in page
        assert "knows only now" not in page


async def test_of_agents_of_the_past_nothing_is_told_that_they_say_now(
    site: Site, client: Client
) -> None:
    await client.agent_reports.ReportAgent(
        ReportAgentRequest(agent="agents/host-1", incarnation="one", host="crate-7", pid=4711)
    )
    assert "crate-7" in await site.text("/agents")
    for path in ("/agents", "/agents?format=csv", "/agents/host-1"):
        page = await site.text(f"{path}{'&' if '?' in path else '?'}as_of={now()}")
        assert "host-1" in page
        assert "Unknown" in page
        for said in ("crate-7", "4711", "Alive", "says nothing of it"):
            assert said not in page, path
        assert ("What agents say is not kept" in page) is ("csv" not in path)


async def test_a_maintenance_is_planned_goes_on_or_is_over_as_of_the_moment(
    site: Site, client: Client
) -> None:
    begin = datetime.now(UTC) + timedelta(seconds=1)
    end = begin + timedelta(milliseconds=100)
    planned = Maintenance(
        name="maintenances/cooling",
        description="new pump",
        control_units=[f"control_units/{unit_id(1)}"],
    )
    planned.begin_time.FromDatetime(begin)
    planned.end_time.FromDatetime(end)
    begun = await client.maintenances.CreateMaintenance(
        CreateMaintenanceRequest(maintenance=planned, reason="a test", request_id="cooling")
    )

    async def is_over() -> bool:
        return "Over<" in await site.text("/maintenances")

    await until(is_over, what="the end of the maintenance")
    moments = {str(begun.revision): "Planned", quote(begin.isoformat()): "Goes on", now(): "Over"}
    for moment, state in moments.items():
        for path in ("/maintenances", "/maintenances/cooling"):
            page = await site.text(f"{path}?as_of={moment}")
            said = [word for word in ("Planned", "Goes on", "Over<") if word in page]
            assert [word.rstrip("<") for word in said] == [state], (path, state)


async def test_operations_are_listed_as_far_as_they_are_known_of_then(
    site: Site, client: Client
) -> None:
    before = now()
    waiting = await client.operations.order(
        ORDER_VERB_START, [unit_id(2)], reason="night shift", wait=True
    )
    between = now()
    await waiting.abort()
    with suppress(NotReached):
        await waiting.done(timeout=20)
    history = f"/control_units/{unit_id(2)}/history"
    for path in ("/operations?q=reason:night&", f"{history}?"):
        assert "night shift" not in await site.text(f"{path}as_of={before}")
        page = await site.text(f"{path}as_of={between}")
        assert "night shift" in page
        assert "Under way then" in page
        assert "bort" not in rows_of(page)
        assert "knows only now" not in page
        page = await site.text(f"{path}as_of={now()}")
        assert "aborted" in rows_of(page), path
    page = await site.text(f"/operations?as_of={between}")
    assert "is not kept: those that have changed since" in page
    assert 'id="statistics"' not in page
    assert "sort=phase" not in page
    page = await site.text(f"/operations?sort=phase&as_of={between}")
    assert 'aria-sort="descending"' in page, "as usual, though the list of now was sorted so"
    file = await site.text(f"/operations?format=csv&columns=id,phase,ended,reason&as_of={between}")
    assert re.search(r"^Under way then,[^,]+,night shift,\r$", file, re.MULTILINE)
    assert "night shift" not in await site.text("/operations?as_of=0")
    await site.text("/operations?as_of=99999", status=400)
    await site.text("/operations?as_of=yesterday", status=400)


async def test_an_operation_of_the_past_has_its_steps_as_far_as_their_times_tell(
    site: Site, client: Client
) -> None:
    before = now()
    quick = Operation(step_timeout=Duration(seconds=1), at_once=1, on_failure=ON_FAILURE_CONTINUE)
    running = await client.operations.order(
        ORDER_VERB_START, [unit_id(5), unit_id(6)], reason="early shift", settings=quick
    )

    async def has_begun() -> bool:
        begun = client.operations.steps(running.id, StepState.STEP_STATE_EXECUTING)
        return [step.control_unit async for step in begun] == [f"control_units/{unit_id(5)}"]

    await until(has_begun, what="the first step")
    between = now()
    with suppress(NotReached):
        await running.done(timeout=20)
    path = f"/operations/{running.id}"
    assert "There is no such page" in await site.text(f"{path}?as_of={before}", status=404)
    page = await site.text(f"{path}?as_of={between}")
    assert "early shift" in page
    assert "Under way then" in page
    assert "is not kept" in page
    assert "knows only now" not in page
    states = re.findall(r"<tr id=\"step:.*?<td>.*?<td>.*?</svg> ?([^<]+)", page, re.DOTALL)
    assert [each.strip() for each in states] == ["On the way", "Waits"]
    for said in ("Carried on by", "Ended</dt>", "state=ERROR", "timed out"):
        assert said not in page
    for address in (f"{path}?as_of={now()}", path):
        page = await site.text(address)
        assert "Under way then" not in page
        assert "is not kept" not in page
        assert page.count("timed out") >= 2


async def test_changes_and_histories_end_at_the_moment(site: Site, client: Client) -> None:
    unit = await client.control_units.get(unit_id(4))
    revisions = []
    for text in ("first", "second", "third"):
        unit.description = text
        unit = await client.control_units.update(unit, "description", reason=f"to {text}")
        revisions.append(unit.revision)
    first, second, third = revisions
    page = f"/control_units/{unit_id(4)}"
    for path in ("/changes", f"{page}/history"):
        told = await site.text(f"{path}?as_of={second}")
        assert ("to second" in told, "to third" in told) == (True, False)
        assert "knows only now" not in told
        assert "to third" in await site.text(f"{path}?as_of={now()}")
    assert "knows only now" not in await site.text(f"/change_sets/{first}?as_of={second}")
    await site.text(f"/change_sets/{third}?as_of={second}", status=404)
    told = await site.text(f"{page}/compare?from={first}&as_of={second}")
    assert ("second" in told, "third" in told) == (True, False)
    assert f"To: as of revision {second}" in told
