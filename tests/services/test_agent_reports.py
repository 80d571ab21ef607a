"""What agents report: who they are, what they launch, and who holds what they are to launch."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from metadata_server.domain.filter.asked_list import AskedList
from metadata_server.domain.filter.vocabulary import AGENT_STATUS
from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.life.agent_report import AgentReport, ProcessReport, ProcessState
from metadata_server.domain.life.condition import KEEPS_DYING, ConditionStatus
from metadata_server.domain.life.state import Contact
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.domain.place import place_token
from metadata_server.domain.refused import Refused
from metadata_server.services.agents.agent_reports import AgentReports, Told
from metadata_server.services.life.statuses import Statuses
from metadata_server.store.agents.agent_tables import agent_status
from metadata_server.store.past.changes import changes_after
from metadata_server.store.schema import observer
from metadata_server.store.store import Store
from tests.services.lively import CALLER, TIMING, Facility, facility

HERE = AgentReport(agent="H1", incarnation="one", host="rack1", pid=7, version="1.0")
THERE = replace(HERE, agent="H2", host="rack2")
RUNS = ProcessReport(unit_server="US", state=ProcessState.RUNNING, pid=42, age_us=1_000_000)
GONE = ProcessReport(
    unit_server="US",
    state=ProcessState.GAVE_UP,
    message="ended with status 3. 10 restarts in 600 s are the most.",
    exit_status=3,
    restarts=10,
    last_line="no hardware",
)


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        for id in ("H1", "H2"):
            await found.resources.create(CALLER, Agent(id=id), validate_only=False)
        await found.declare("A/PS1")
        await launched_by(found, "H1")
        yield found


@pytest.fixture
def reports(lab: Facility) -> AgentReports:
    return AgentReports(lab.store, TIMING)


async def launched_by(lab: Facility, agent: str) -> None:
    await lab.resources.update(
        CALLER,
        UnitServer,
        "US",
        etag="*",
        change=lambda server: replace(server, launch=Launch(agent=agent, command="run")),
        validate_only=False,
    )


async def tell(reports: AgentReports, said: AgentReport, *processes: ProcessReport) -> Told:
    return (await reports.report(replace(said, processes=processes))).value


async def contact(reports: AgentReports, id: str = "H1") -> Contact:
    return (await reports.get(id)).value.contact


async def age(lab: Facility, seconds: float) -> None:
    """Makes all reports older, with the sweeps going on all the while."""
    past_us = round(seconds * 1_000_000)
    await lab.pass_time(0)
    columns = (agent_status.c.beat_us, agent_status.c.lease_end_us)
    older: dict[Any, Any] = {column: column - past_us for column in columns}
    await lab.store.transact(
        lambda unit: unit.connection.execute(agent_status.update().values(older))
    )


async def test_an_agent_counts_as_alive_for_a_lease_and_until_it_says_good_bye(
    lab: Facility, reports: AgentReports
) -> None:
    assert await contact(reports) is Contact.NONE
    await tell(reports, HERE, RUNS)
    assert await contact(reports) is Contact.ALIVE
    await age(lab, 12)
    assert await contact(reports) is Contact.SUSPECT
    await age(lab, 10)
    assert await contact(reports) is Contact.LOST
    await tell(reports, replace(HERE, ends=True))
    assert await contact(reports) is Contact.NONE


async def test_a_blind_observer_loses_no_agent(lab: Facility, reports: AgentReports) -> None:
    await tell(reports, HERE)
    await age(lab, 60)
    blind = {"blind_since_us": observer.c.sweep_us, "blind_until_us": observer.c.sweep_us + 10**8}
    await lab.store.transact(lambda unit: unit.connection.execute(observer.update().values(blind)))
    assert await contact(reports) is Contact.UNKNOWN


async def test_a_report_writes_no_revision_as_long_as_nothing_is_given_up(
    lab: Facility, reports: AgentReports
) -> None:
    before = await lab.position()
    await tell(reports, HERE, RUNS)
    await tell(reports, HERE, replace(RUNS, cpu_load=0.5, age_us=3_000_000))
    assert await lab.position() == before
    (process,) = (await reports.get("H1")).value.processes
    assert process.cpu_load == 0.5


async def test_times_told_by_their_distance_stay_as_they_were(reports: AgentReports) -> None:
    await tell(reports, HERE, RUNS)
    (first,) = (await reports.get("H1")).value.processes
    await tell(reports, HERE, replace(RUNS, age_us=9_000_000))
    (second,) = (await reports.get("H1")).value.processes
    assert (second.start_time_us, second.state_time_us) == (
        first.start_time_us,
        first.state_time_us,
    )
    await tell(reports, HERE, replace(RUNS, pid=43, age_us=0))
    (third,) = (await reports.get("H1")).value.processes
    assert third.start_time_us > second.start_time_us


async def test_what_was_given_up_is_told_of_the_unit_server_and_of_its_units(
    lab: Facility, reports: AgentReports
) -> None:
    statuses = Statuses(lab.store)
    await tell(reports, HERE, GONE)
    (condition,) = (await statuses.get_session("US")).value.conditions
    assert condition.type == KEEPS_DYING
    assert condition.message == (
        "Its process ended with status 3. 10 restarts in 600 s are the most. It wrote last: "
        "no hardware"
    )
    assert (await statuses.get("A/PS1")).value.status.conditions == (condition,)
    assert await listed(statuses) == ["A/PS1"]
    await tell(reports, HERE, RUNS)
    assert (await statuses.get_session("US")).value.conditions == ()
    assert await listed(statuses) == []


async def listed(statuses: Statuses) -> list[str]:
    selection = Selection(kind=Kind.CONTROL_UNIT_STATUS, condition=KEEPS_DYING)
    page = await statuses.list(selection, size=10, token="")
    return [each.status.id for each in page.value.items]


async def test_only_the_agent_that_it_belongs_to_gives_a_unit_server_up(
    lab: Facility, reports: AgentReports
) -> None:
    await tell(reports, HERE, GONE)
    await launched_by(lab, "H2")
    assert (await Statuses(lab.store).get_session("US")).value.conditions == ()


async def test_nobody_can_say_whether_it_keeps_dying_while_its_agent_is_lost(
    lab: Facility, reports: AgentReports
) -> None:
    await tell(reports, HERE, GONE)
    await age(lab, 60)
    (condition,) = (await Statuses(lab.store).get_session("US")).value.conditions
    assert condition.status is ConditionStatus.UNKNOWN


@pytest.mark.parametrize("registers", [False, True])
async def test_watchers_hear_that_a_unit_server_was_given_up(
    lab: Facility, reports: AgentReports, *, registers: bool
) -> None:
    if registers:
        await lab.register()
    before = await lab.position()
    await tell(reports, HERE, GONE)
    found = await lab.store.read(
        lambda unit: changes_after(unit, before.revision, limit=10, kinds=frozenset(Kind))
    )
    (change,) = found.value[0]
    assert (change.kind, change.id) == (Kind.UNIT_SERVER_STATUS, "US")
    assert change.contact is (Contact.ALIVE if registers else Contact.NONE)
    assert [each.type for each in change.subject.conditions] == [KEEPS_DYING]  # type: ignore[union-attr]


async def test_an_agent_is_told_who_holds_its_unit_server(
    lab: Facility, reports: AgentReports
) -> None:
    assert (await tell(reports, HERE)).held == []
    await lab.register()
    (held,) = (await tell(reports, HERE)).held
    assert (held.unit_server, held.host, held.pid) == ("US", "rack1", 42)
    assert (await tell(reports, HERE, RUNS)).held == [], "its own process"


async def test_after_a_move_the_new_agent_waits_until_the_old_one_has_let_go(
    lab: Facility, reports: AgentReports
) -> None:
    await tell(reports, HERE, RUNS)
    await launched_by(lab, "H2")
    (held,) = (await tell(reports, THERE)).held
    assert (held.agent, held.pid) == ("H1", 42)
    await tell(reports, HERE)
    assert (await tell(reports, THERE)).held == []


async def test_a_lost_agent_holds_nothing(lab: Facility, reports: AgentReports) -> None:
    await tell(reports, HERE, RUNS)
    await launched_by(lab, "H2")
    await age(lab, 60)
    assert (await tell(reports, THERE)).held == []


async def test_an_agent_of_another_host_is_refused_while_the_first_is_in_touch(
    lab: Facility, reports: AgentReports
) -> None:
    await tell(reports, HERE)
    rival = replace(HERE, incarnation="two", host="rack2")
    with pytest.raises(Refused, match="ALREADY_RUNNING") as refused:
        await tell(reports, rival)
    assert (refused.value.metadata["host"], refused.value.metadata["pid"]) == ("rack1", "7")
    await age(lab, 60)
    await tell(reports, rival)
    assert (await reports.get("H1")).value.host == "rack2"


async def test_a_successor_on_the_same_host_is_taken_at_once(reports: AgentReports) -> None:
    await tell(reports, HERE)
    await tell(reports, replace(HERE, incarnation="two", pid=8))
    assert (await reports.get("H1")).value.pid == 8


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (replace(HERE, incarnation=""), "incarnation"),
        (replace(HERE, host="x" * 256), "host"),
        (replace(HERE, processes=(RUNS, RUNS)), "processes[1].unit_server"),
        (replace(HERE, pid=-1), "pid"),
        (replace(HERE, processes=(replace(RUNS, pid=-1),)), "processes[0].pid"),
    ],
)
async def test_a_report_that_cannot_be_taken_down_names_the_field(
    reports: AgentReports, said: AgentReport, field: str
) -> None:
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        await reports.report(said)
    assert [each.field for each in refused.value.fields] == [field]


async def test_an_agent_that_nobody_declared_is_refused(reports: AgentReports) -> None:
    with pytest.raises(Refused, match="AGENT_NOT_FOUND"):
        await tell(reports, replace(HERE, agent="H9"))


async def test_agents_are_listed_in_pages_also_those_that_never_came(
    reports: AgentReports,
) -> None:
    await tell(reports, THERE)
    one = AskedList(word=AGENT_STATUS, size=1)
    first = (await reports.list("", one)).value
    assert [(each.agent, each.contact) for each in first.items] == [("H1", Contact.NONE)]
    second = (await reports.list("", replace(one, token=first.next_page_token))).value
    assert [(each.agent, each.contact) for each in second.items] == [("H2", Contact.ALIVE)]
    assert second.next_page_token == ""


@pytest.mark.parametrize("order", ["host", "host desc", "version"])
async def test_agents_are_listed_in_pages_by_texts_of_any_script_and_length(
    reports: AgentReports, order: str
) -> None:
    longest = "\N{MUSICAL SYMBOL G CLEF}" * 255
    for said in (HERE, THERE):
        await tell(reports, replace(said, host=longest, version=longest))
    one = AskedList(word=AGENT_STATUS, order_by=order, size=1)
    first = (await reports.list("", one)).value
    second = (await reports.list("", replace(one, token=first.next_page_token))).value
    found = [each.agent for each in (*first.items, *second.items)]
    assert found == (["H2", "H1"] if "desc" in order else ["H1", "H2"])


async def test_a_page_that_begins_behind_a_number_of_names_is_refused(
    reports: AgentReports,
) -> None:
    for said in (HERE, THERE):
        await tell(reports, said)
    by_host = AskedList(word=AGENT_STATUS, order_by="host")
    forged = place_token(by_host.digest, [1, 4711, "H1"])
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        await reports.list("", replace(by_host, token=forged))
