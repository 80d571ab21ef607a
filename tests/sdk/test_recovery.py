"""Units that have failed are tried again by themselves: later each time, and not for ever."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from mds.v1 import registration_pb2

from control_units import FatalError, RecoverableError, State
from control_units.hosting import HostedClasses, Hosting
from control_units.recovery import Patience, Recovery
from tests.sdk.devices import Device, assignment, settle
from tests.stages.waiting import until

PATIENCE = Patience(attempts=5, pause_s=5.0, longest_pause_s=30.0)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Eager(Device):
    recover_attempts = 3
    recover_pause = 0.02
    longest_recover_pause = 0.05


class Patient(Device):
    """Is tried again, but not within a test."""

    recover_attempts = 5
    recover_pause = longest_recover_pause = 3600.0


@pytest.fixture
async def hosting() -> AsyncIterator[Hosting]:
    async with asyncio.TaskGroup() as tasks:
        found = Hosting(HostedClasses([Device, Eager, Patient]), spawn=tasks.create_task)
        yield found
        await found.leave_all()


def eager(id: str, *, generation: int = 1, recover_count: int = 0) -> registration_pb2.Assignment:
    return assignment(
        id, implementation="Eager", generation=generation, recover_count=recover_count
    )


def test_each_pause_may_be_twice_as_long_up_to_the_longest_and_the_last_is_followed_by_none() -> (
    None
):
    recovery = Recovery(Clock())
    pauses = []
    for _ in range(PATIENCE.attempts):
        pause = recovery.fail(PATIENCE)
        assert pause is not None
        pauses.append(pause)
        recovery.begin(is_ordered=False)
    assert recovery.fail(PATIENCE) is None
    assert recovery.next is None
    assert recovery.attempts == 5
    for pause, ceiling in zip(pauses, (5, 10, 20, 30, 30), strict=True):
        assert ceiling / 2 <= pause <= ceiling


def test_it_is_due_when_its_pause_is_over() -> None:
    clock = Clock()
    recovery = Recovery(clock)
    pause = recovery.fail(PATIENCE)
    assert pause is not None
    clock.now += pause * 0.99
    assert not recovery.is_due
    clock.now += pause * 0.02
    assert recovery.is_due


@pytest.mark.parametrize(("well_for_s", "attempts"), [(29.0, 1), (31.0, 0)])
def test_only_who_was_well_for_long_has_its_attempts_back(well_for_s: float, attempts: int) -> None:
    clock = Clock()
    recovery = Recovery(clock)
    recovery.fail(PATIENCE)
    recovery.begin(is_ordered=False)
    recovery.arrive()
    clock.now += well_for_s
    recovery.arrive()
    recovery.fail(PATIENCE)
    assert recovery.attempts == attempts


async def test_a_unit_that_raises_is_tried_until_it_works_and_its_neighbour_does_not_notice(
    hosting: Hosting,
) -> None:
    Device.script["A start"] = OSError("no answer from 10.0.0.7")
    hosting.assign([eager("A"), eager("B")])
    unit = hosting.units["A"]
    await until(lambda: unit.standing.attempts == 2 and unit.standing.state.is_error)
    assert unit.standing.message == "OSError: no answer from 10.0.0.7"
    assert unit.standing.next_attempt is not None
    assert unit.standing.next_attempt <= time.monotonic() + Eager.longest_recover_pause
    Device.script.clear()
    await until(lambda: unit.standing.state is State.RUNNING)
    await settle(hosting)
    assert unit.standing.attempts == 0
    assert unit.standing.next_attempt is None
    assert [call for call in Device.calls if call.startswith("B")] == ["B init", "B start"]


async def test_after_its_last_attempt_it_waits_for_people_who_begin_the_count_anew(
    hosting: Hosting,
) -> None:
    Device.script["A start"] = RecoverableError("no water")
    hosting.assign([eager("A")])
    unit = hosting.units["A"]

    def gave_up() -> bool:
        standing = unit.standing
        return standing.state.is_error and standing.attempts == 3 and standing.next_attempt is None

    await until(gave_up)
    await settle(hosting)
    assert Device.calls.count("A recover") == 3
    hosting.assign([eager("A", recover_count=1)])
    await until(lambda: not gave_up())
    await until(gave_up)
    assert Device.calls.count("A recover") == 3 + 1 + 3


async def test_a_changed_declaration_begins_the_count_anew(hosting: Hosting) -> None:
    Device.script["A start"] = RecoverableError("no water")
    hosting.assign([eager("A")])
    unit = hosting.units["A"]
    await until(lambda: unit.standing.attempts == 3 and unit.standing.next_attempt is None)
    Device.script.clear()
    hosting.assign([eager("A", generation=2)])
    await until(lambda: unit.standing.state is State.RUNNING)


@pytest.mark.parametrize("fault", [FatalError("burnt"), SystemExit(1)])
async def test_a_fatal_error_is_never_tried_again_and_any_other_is(
    hosting: Hosting, fault: BaseException
) -> None:
    Device.script["A start"] = fault
    hosting.assign([assignment("A", implementation="Patient")])
    await settle(hosting)
    standing = hosting.units["A"].standing
    assert (standing.next_attempt is None) == isinstance(fault, FatalError)


async def test_a_unit_server_can_leave_all_attempts_to_people() -> None:
    async with asyncio.TaskGroup() as tasks:
        hosting = Hosting(HostedClasses([Eager]), spawn=tasks.create_task, recover_attempts=0)
        Device.script["A start"] = OSError()
        hosting.assign([eager("A")])
        assert await settle(hosting) == {"A": State.RECOVERABLE_ERROR}
        assert hosting.units["A"].standing.next_attempt is None
        await hosting.leave_all()


async def test_in_maintenance_nothing_is_tried_and_what_was_due_is_tried_when_it_is_over(
    hosting: Hosting,
) -> None:
    hosting.assign([eager("A")])
    await settle(hosting)
    maintained = eager("A")
    maintained.in_maintenance = True
    hosting.assign([maintained])
    unit = hosting.units["A"]
    assert unit.unit is not None
    unit.unit.fail("no water")
    await until(lambda: unit.standing.state is State.RECOVERABLE_ERROR)
    due = unit.standing.next_attempt
    assert due is not None
    await until(lambda: time.monotonic() > due)
    unit.wake()
    await settle(hosting)
    assert "A recover" not in Device.calls
    hosting.assign([eager("A")])
    assert await settle(hosting) == {"A": State.RUNNING}
    assert Device.calls.count("A recover") == 1


@pytest.mark.parametrize("desired", [State.LOADED, State.UNSPECIFIED])
async def test_a_unit_of_which_nobody_wants_anything_is_left_alone(
    hosting: Hosting, desired: State
) -> None:
    hosting.assign([assignment("A", State.LOADED, implementation="Patient")])
    await settle(hosting)
    hosting.assign([assignment("A", desired, implementation="Patient", generation=2)])
    await settle(hosting)
    unit = hosting.units["A"]
    assert unit.unit is not None
    unit.unit.fail("no water")
    await until(lambda: unit.standing.state is State.RECOVERABLE_ERROR)
    assert (unit.standing.next_attempt is None) == (desired is State.UNSPECIFIED)
