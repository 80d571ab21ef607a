"""Units in maintenance: left alone by their unit server, not abnormal, and not to be ordered."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from metadata_server.domain.change import Action, Change
from metadata_server.domain.life.condition import IN_MAINTENANCE
from metadata_server.domain.life.overview import Overview
from metadata_server.domain.life.state import Health, State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.domain.page import Selection
from metadata_server.domain.refused import RefusalKind, Refused
from metadata_server.services.life.statuses import Reported, Statuses
from metadata_server.services.watching.subscription import Subscription
from metadata_server.store.life.overview import read_overview
from metadata_server.store.store import Store
from tests.services.lively import CALLER, Facility, attached, facility
from tests.stages.waiting import until

WORK = Maintenance(id="w", description="new cooling", id_prefixes=("A/",))
SOON_US = 400_000
# Enough for a busy machine to see what is between.
LATER_US = 2_500_000


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.declare("A/PS1", "B/PS2")
        yield found


async def begin(lab: Facility, maintenance: Maintenance = WORK) -> None:
    await lab.resources.create(CALLER, maintenance, validate_only=False)


async def end(lab: Facility) -> None:
    await lab.resources.delete(CALLER, Maintenance, "w", etag="*", validate_only=False)


async def in_us(lab: Facility, wait_us: int) -> int:
    """A time from now, by the database's clock."""
    return (await lab.store.read(lambda unit: unit.now_us)).value + wait_us


async def overview(lab: Facility) -> Overview:
    return (await lab.store.read(lambda unit: read_overview(unit, abnormal_limit=10))).value


async def reported(lab: Facility, **filters: str) -> dict[str, Reported]:
    selection = Selection(kind=Kind.CONTROL_UNIT_STATUS, **filters)  # type: ignore[arg-type]
    page = await Statuses(lab.store).list(selection, size=10, token="")
    return {each.status.id: each for each in page.value.items}


async def test_a_unit_server_is_told_to_leave_a_unit_alone_and_when_it_is_over(
    lab: Facility,
) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
        await begin(lab)
        await until(lambda: "A/PS1" in ear.assigned, what="the maintenance")
        assert ear.assigned["A/PS1"].in_maintenance
        await end(lab)
        await until(lambda: not ear.assigned["A/PS1"].in_maintenance, what="its end")
    assert set(ear.assigned) == {"A/PS1"}
    assert ear.assigned["A/PS1"].unit.desired_state is State.RUNNING


async def test_it_begins_and_ends_by_itself_when_its_times_come(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
        begins_us = await in_us(lab, SOON_US)
        ends_us = begins_us + SOON_US
        await begin(lab, replace(WORK, begin_time_us=begins_us, end_time_us=ends_us))
        await until(lambda: "A/PS1" in ear.assigned, what="the maintenance")
        assert ear.assigned["A/PS1"].in_maintenance
        await until(lambda: not ear.assigned["A/PS1"].in_maintenance, what="its end")
    assert IN_MAINTENANCE not in {
        each.type for each in (await reported(lab))["A/PS1"].status.conditions
    }


async def sweep_after(lab: Facility, time_us: int) -> None:
    while await in_us(lab, 0) <= time_us:
        await asyncio.sleep(0.01)
    await lab.pass_time(0)
    await lab.liveness.sweeps.sweep()


async def next_of_maintenance(changes: Subscription) -> Change:
    """The next change of one; what its units report meanwhile may come before it."""
    while True:
        batch = await changes.next(10)
        assert batch is not None, "nothing was told for 10 s"
        for each in batch.changes:
            if each.kind is Kind.MAINTENANCE:
                return each


async def test_watchers_are_told_when_it_begins_and_ends_by_itself(lab: Facility) -> None:
    wanted = {Kind.MAINTENANCE, Kind.CONTROL_UNIT_STATUS}
    begins_us = await in_us(lab, SOON_US)
    ends_us = begins_us + LATER_US
    told: list[Change] = []
    await lab.tailer.look_now()  # or the units' own beginning is told too
    async with lab.tailer.subscribe(kinds=wanted) as changes:
        await begin(lab, replace(WORK, begin_time_us=begins_us, end_time_us=ends_us))
        for turn_us in (0, begins_us, ends_us):
            await sweep_after(lab, turn_us)
            told.append(await next_of_maintenance(changes))
    assert [(each.action, each.id, each.reason) for each in told] == [
        (Action.CREATED, "w", "a test"),
        (Action.UPDATED, "w", "It begins now."),
        (Action.UPDATED, "w", "It is over."),
    ]
    etags = {each.subject.meta.revision for each in told if isinstance(each.subject, Maintenance)}
    assert len(etags) == 1, "nobody has changed it"
    assert begins_us <= told[1].time_us < ends_us <= told[2].time_us


async def test_who_registers_in_maintenance_is_told_at_once(lab: Facility) -> None:
    await begin(lab, Maintenance(id="w", description="new host", unit_servers=("US",)))
    registered = await lab.register()
    assert [each.in_maintenance for each in registered.assignments] == [True, True]


async def test_what_ended_during_a_break_is_told_after_it(lab: Facility) -> None:
    await begin(lab)
    registered = await lab.register()
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
    seen = ear.words[-1].position
    await end(lab)
    async with attached(lab, registered, seen) as (_, later):
        await until(lambda: "A/PS1" in later.assigned, what="the assignment")
    assert not later.assigned["A/PS1"].in_maintenance


async def test_a_lost_unit_in_maintenance_is_counted_apart(lab: Facility) -> None:
    await lab.register()
    await lab.pass_time(3600)
    await lab.liveness.sweeps.sweep()
    assert (await overview(lab)).abnormal_total == 2
    await begin(lab)
    seen = await overview(lab)
    assert (seen.abnormal_total, seen.tally.in_maintenance) == (1, 1)
    assert [each.id for each in seen.abnormal] == ["B/PS2"]
    await end(lab)
    assert (await overview(lab)).abnormal_total == 2


async def test_a_lost_unit_server_in_maintenance_is_not_abnormal(lab: Facility) -> None:
    await lab.register()
    await lab.pass_time(3600)
    await lab.liveness.sweeps.sweep()
    await begin(lab, Maintenance(id="w", description="new host", unit_servers=("US",)))
    (server,) = (await overview(lab)).unit_servers
    assert server.health is Health.GOOD


async def test_a_unit_has_a_condition_that_says_who_why_and_until_when(lab: Facility) -> None:
    end_us = await in_us(lab, 3_600_000_000)
    await begin(lab, replace(WORK, end_time_us=end_us))
    found = await reported(lab, condition=IN_MAINTENANCE)
    assert set(found) == {"A/PS1"}
    assert found["A/PS1"].health is Health.GOOD
    (condition,) = found["A/PS1"].status.conditions
    until_when = replace(WORK, end_time_us=end_us).until
    author = CALLER.principal.name
    assert condition.message == f"new cooling (maintenances/w by {author}, {until_when})."
    assert condition.since_us > 0
    assert not (await reported(lab))["B/PS2"].status.conditions


@pytest.mark.parametrize("order", [{"desired_state": State.STOPPED}, {"recover_count": 1}])
async def test_an_order_is_refused_and_other_changes_are_not(
    lab: Facility, order: dict[str, object]
) -> None:
    await begin(lab)
    with pytest.raises(Refused, match="UNIT_IN_MAINTENANCE") as caught:
        await lab.change("A/PS1", **order)
    assert caught.value.kind is RefusalKind.PRECONDITION
    assert f"maintenances/w by {CALLER.principal.name}, until it is ended" in caught.value.message
    await lab.change("A/PS1", description="with new cooling")
    await lab.change("B/PS2", **order)
    await end(lab)
    await lab.change("A/PS1", **order)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"description": " "}, "description"),
        ({"id_prefixes": ()}, "control_units"),
        ({"id_prefixes": ("a b",)}, "id_prefixes[0]"),
        ({"begin_time_us": 20, "end_time_us": 10}, "end_time"),
        ({"control_units": ("A/NONE",)}, "control_units"),
        ({"unit_servers": ("NONE",)}, "unit_servers"),
    ],
)
async def test_a_maintenance_of_nothing_is_refused(
    lab: Facility, wrong: dict[str, object], field: str
) -> None:
    with pytest.raises(Refused) as caught:
        await begin(lab, replace(WORK, **wrong))  # type: ignore[arg-type]
    assert [each.field for each in caught.value.fields] == [field]
