"""A unit that does not come to where people want it has a condition that says why."""

from collections.abc import AsyncIterator, Sequence

import pytest
from structlog.testing import capture_logs

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.condition import Condition
from metadata_server.domain.life.recovery import Recovery
from metadata_server.domain.life.state import Health, State
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.domain.refused import Refused
from metadata_server.services.life.attachment import Attachment
from metadata_server.services.life.reports import steady_now_us
from metadata_server.services.life.statuses import Statuses
from metadata_server.store import schema
from metadata_server.store.life.overview import read_overview
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.lively import CALLER, Facility, attached, facility, report
from tests.stages.waiting import until

UNIT = "A/PS1"
ERROR = State.RECOVERABLE_ERROR
GAVE_UP = Recovery(attempts=5)


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.declare(UNIT, "A/PS2")
        yield found


async def conditions(lab: Facility, unit_id: str = UNIT) -> Sequence[Condition]:
    return (await lab.statuses())[unit_id].conditions


async def until_reason(lab: Facility, *wanted: str, unit_id: str = UNIT) -> None:
    async def so() -> bool:
        return [each.reason for each in await conditions(lab, unit_id)] == list(wanted)

    await until(so, what=f"the reasons {wanted}")


async def fail(
    unit_server: Attachment,
    sequence: int,
    recovery: Recovery = GAVE_UP,
    *,
    state: State = ERROR,
    message: str = "no water",
) -> None:
    told = report(UNIT, sequence, state, message=message, recovery=recovery)
    await unit_server.report([told])


async def die(lab: Facility, number: int) -> None:
    """A process comes, and its lease runs out."""
    await lab.register(incarnation=f"run {number}")
    await lab.pass_time(30)
    await lab.liveness.sweeps.sweep()


async def test_a_unit_that_was_given_up_says_so_and_its_neighbour_has_nothing(
    lab: Facility,
) -> None:
    async with attached(lab, await lab.register()) as (unit_server, _):
        await fail(unit_server, 1)
        await until_reason(lab, "GivenUp")
        (found,) = await conditions(lab)
        status = (await lab.statuses())[UNIT]
        assert found.type == "NotConverging"
        assert found.message.startswith("RUNNING is wanted. no water. Its unit server has tried 5")
        assert found.since_us == status.state_time_us
        assert await conditions(lab, "A/PS2") == ()


async def test_attempts_and_the_next_one_are_told_by_the_clock_of_the_database(
    lab: Facility,
) -> None:
    async with attached(lab, await lab.register()) as (unit_server, _):
        due = Recovery(2, steady_now_us() + 60_000_000)
        await fail(unit_server, 1, due)
        await until_reason(lab, "HookFailed")
        recovery = (await lab.statuses())[UNIT].recovery
        now_us = (await lab.store.read(lambda unit: unit.now_us)).value
        assert recovery.attempts == 2
        assert 50_000_000 < recovery.next_attempt_us - now_us <= 60_000_000


async def test_it_goes_when_the_unit_is_there_and_keeps_since_when_until_then(
    lab: Facility,
) -> None:
    async with attached(lab, await lab.register()) as (unit_server, _):
        await fail(unit_server, 1, Recovery(1, steady_now_us() + 60_000_000))
        await until_reason(lab, "HookFailed")
        (first,) = await conditions(lab)
        await fail(unit_server, 2)
        await until_reason(lab, "GivenUp")
        (second,) = await conditions(lab)
        assert second.since_us == first.since_us
        await unit_server.report([report(UNIT, 3, State.INITIALIZED)])
        await lab.liveness.conditions.look_over()
        assert await conditions(lab) == (second,)
        await unit_server.report([report(UNIT, 4, State.RUNNING)])
        await until_reason(lab)


async def test_a_hook_that_hangs_is_told_as_soon_as_its_unit_server_says_so(
    lab: Facility,
) -> None:
    async with attached(lab, await lab.register()) as (unit_server, _):
        await fail(
            unit_server,
            1,
            Recovery(hanging_hook="on_start"),
            state=State.INITIALIZED,
            message="on_start has not returned for 10 s.",
        )
        await until_reason(lab, "HookHangs")
        (found,) = await conditions(lab)
        assert found.message == "RUNNING is wanted. on_start has not returned for 10 s."
        seen = (await lab.store.read(lambda unit: read_overview(unit, abnormal_limit=9))).value
        assert [each.id for each in seen.abnormal] == [UNIT]
        assert (await Statuses(lab.store).get(UNIT)).value.health is Health.WARNING
        await unit_server.report([report(UNIT, 2, State.INITIALIZED)])
        await until_reason(lab)


@pytest.mark.parametrize(
    ("recovery", "field"),
    [
        (Recovery(hanging_hook="on" * 33), "hanging_hook"),
        (Recovery(hanging_hook="\0"), "hanging_hook"),
        (Recovery(attempts=-1), "attempts"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(recovery: Recovery, field: str) -> None:
    told = report(UNIT, 1, ERROR, recovery=recovery)
    assert [fault.field for fault in told.faults()] == [field]


async def test_a_unit_whose_class_is_not_built_names_it_until_a_process_builds_it(
    lab: Facility,
) -> None:
    async with attached(lab, await lab.register(classes={"lab::Other": ""})):
        await until_reason(lab, "NotHosted")
        (found,) = await conditions(lab)
        assert "'lab::Supply'" in found.message
    async with attached(lab, await lab.register(incarnation="second", take_over=True)):
        await until_reason(lab)


async def test_where_nothing_changes_nothing_is_written(lab: Facility) -> None:
    async with attached(lab, await lab.register()) as (unit_server, _):
        await fail(unit_server, 1)
        await until_reason(lab, "GivenUp")
        images, before = await lab.images(UNIT), await lab.position()
        await lab.liveness.conditions.look_over()
        await lab.liveness.conditions.look_over()
        assert (await lab.images(UNIT), await lab.position()) == (images, before)


async def test_in_maintenance_nobody_expects_anything_and_afterwards_they_do(
    lab: Facility,
) -> None:
    async with attached(lab, await lab.register()) as (unit_server, _):
        await fail(unit_server, 1)
        await until_reason(lab, "GivenUp")
        work = Maintenance(id="w", description="new cooling", id_prefixes=("A/",))
        await lab.resources.create(CALLER, work, validate_only=False)
        await until_reason(lab)
        await lab.resources.delete(CALLER, Maintenance, "w", etag="*", validate_only=False)
        await until_reason(lab, "GivenUp")


async def test_it_ends_with_the_process_that_it_is_about(lab: Facility) -> None:
    async with attached(lab, await lab.register()) as (unit_server, _):
        await fail(unit_server, 1)
        await until_reason(lab, "GivenUp")
        await unit_server.say_goodbye()
    assert await conditions(lab) == ()


async def test_a_unit_that_stands_still_without_a_word_is_found_by_the_patrol(
    lab: Facility,
) -> None:
    async with attached(lab, await lab.register()) as (unit_server, ear):
        hour_ago = steady_now_us() - 3_600_000_000
        await unit_server.report([report(UNIT, 1, State.LOADED, since_us=hour_ago)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
        await lab.let_grace_end()
        await lab.liveness.conditions.look_over()
        await until_reason(lab, "NoWord")


async def test_units_of_a_server_that_dies_each_time_say_so_until_it_has_lived_for_a_while(
    lab: Facility,
) -> None:
    for number in range(2):
        await die(lab, number)
        await lab.liveness.conditions.look_over()
        assert await conditions(lab) == ()
    await die(lab, 3)
    await until_reason(lab, "KeepsDying")
    (found,) = await conditions(lab)
    assert "died 3 times within 10 min" in found.message
    async with attached(lab, await lab.register(incarnation="run 4")) as (unit_server, ear):
        await unit_server.report([report(UNIT, 1, State.RUNNING)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
        await lab.liveness.conditions.look_over()
        assert await conditions(lab) == (found,)
        await lab.let_grace_end()
        await lab.liveness.conditions.look_over()
        assert await conditions(lab) == ()


async def test_what_was_heard_while_the_database_was_away_is_looked_at_though_nothing_else_happens(
    lab: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise Refused.busy("DATABASE_UNAVAILABLE", "It is away.", retry_after_ms=1)

    for number in range(3):
        await die(lab, number)
    await until_reason(lab, "KeepsDying")
    await lab.let_grace_end()
    key = (await lab.resources.get(ControlUnit, UNIT)).value.meta.key
    with capture_logs() as logs, monkeypatch.context() as away:
        away.setattr(lab.store, "read", refuse)
        lab.liveness.conditions.changed([key])
        await until(lambda: "conditions_wait" in [each["event"] for each in logs])
    await until_reason(lab)


async def test_what_was_said_of_a_dead_server_goes_though_it_never_comes_back(
    lab: Facility,
) -> None:
    for number in range(3):
        await die(lab, number)
    await until_reason(lab, "KeepsDying")
    await lab.let_grace_end()
    await lab.liveness.conditions.look_over()
    assert await conditions(lab) == ()


async def test_a_unit_that_nobody_wants_anywhere_is_not_looked_for(lab: Facility) -> None:
    await lab.change(UNIT, desired_state=State.UNSPECIFIED)
    async with attached(lab, await lab.register()) as (unit_server, ear):
        await fail(unit_server, 1)
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
        await lab.liveness.conditions.look_over()
        assert await conditions(lab) == ()


async def test_what_people_want_now_decides(lab: Facility) -> None:
    async with attached(lab, await lab.register()) as (unit_server, _):
        await unit_server.report([report(UNIT, 1, State.STOPPED)])
        hanging = Recovery(hanging_hook="on_start")
        await fail(unit_server, 2, hanging, state=State.STOPPED, message="it hangs")
        await until_reason(lab, "HookHangs")
        await lab.change(UNIT, desired_state=State.STOPPED)
        await until_reason(lab)


def status_rows(unit: UnitOfWork) -> list[str]:
    table = schema.control_unit_status
    return list(unit.connection.scalars(table.select().with_only_columns(table.c.recovery)))


async def test_a_unit_that_runs_well_leaves_its_row_as_small_as_it_was(lab: Facility) -> None:
    async with attached(lab, await lab.register()) as (unit_server, ear):
        await unit_server.report([report(UNIT, 1, State.RUNNING)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
    assert (await lab.store.read(status_rows)).value == ["", ""]
