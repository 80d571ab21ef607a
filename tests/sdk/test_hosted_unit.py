"""One control unit in its unit server, with its neighbours."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from mds.v1 import control_unit_pb2, dataset_pb2, registration_pb2

from control_units import (
    ControlUnit,
    Direction,
    FatalError,
    RecoverableError,
    State,
    attribute,
)
from control_units.hosting import HostedClasses, Hosting
from tests.stages.waiting import until


class Device(ControlUnit):
    """Does what a test tells its whole class to do."""

    current = attribute(direction=Direction.INPUT, unit="A", maximum=10, default=0.0)
    script: ClassVar[dict[str, Any]] = {}
    calls: ClassVar[list[str]] = []
    hook_deadline = 0.1

    async def _play(self, hook: str) -> None:
        self.calls.append(f"{self.id} {hook}")
        action = self.script.get(f"{self.id} {hook}")
        if isinstance(action, BaseException):
            raise action
        if isinstance(action, asyncio.Event):
            await action.wait()

    async def on_init(self) -> None:
        await self._play("init")

    async def on_start(self) -> None:
        await self._play("start")

    async def on_stop(self) -> None:
        await self._play("stop")

    async def on_deinit(self) -> None:
        await self._play("deinit")

    async def on_recover(self) -> None:
        await self._play("recover")


class Ticking(ControlUnit):
    ticks = attribute(type=int, default=0)
    cycle_period = 0.01

    async def on_cycle(self) -> None:
        self.ticks += 1
        if self.ticks == 3:
            raise RecoverableError("three is too many")


class Stuck(ControlUnit):
    release: ClassVar[threading.Event]
    hook_deadline = 0.05

    def on_init(self) -> None:
        self.release.wait()


class StuckInItsRound(ControlUnit):
    release: ClassVar[threading.Event]
    hook_deadline = 0.05
    cycle_period = 0.01

    def on_cycle(self) -> None:
        self.release.wait()


class Unbuildable(ControlUnit):
    def __init__(self, id: str) -> None:
        super().__init__(id)
        raise OSError("no such card")


CLASSES = HostedClasses([Device, Ticking, Stuck, StuckInItsRound, Unbuildable])


@pytest.fixture(autouse=True)
def fresh_scripts() -> None:
    Device.script.clear()
    Device.calls.clear()
    Stuck.release = StuckInItsRound.release = threading.Event()


@pytest.fixture
async def hosting() -> AsyncIterator[Hosting]:
    async with asyncio.TaskGroup() as tasks:
        found = Hosting(CLASSES, spawn=tasks.create_task)
        yield found
        Stuck.release.set()
        await found.leave_all()


def assignment(
    id: str,
    desired: State = State.RUNNING,
    *,
    implementation: str = "Device",
    generation: int = 1,
    recover_count: int = 0,
    default: str = "1",
) -> registration_pb2.Assignment:
    return registration_pb2.Assignment(
        control_unit=f"control_units/{id}",
        configuration=control_unit_pb2.Configuration(
            implementation=implementation,
            attributes=[dataset_pb2.Attribute(name="current", default_value=default)],
        ),
        generation=generation,
        desired_state=desired,  # type: ignore[arg-type]  # the same numbers
        recover_count=recover_count,
    )


async def settle(hosting: Hosting) -> dict[str, State]:
    for unit in list(hosting.units.values()):
        await unit.settled()
    return {id: unit.standing.state for id, unit in hosting.units.items()}


async def test_a_unit_comes_to_its_desired_state_and_reports_the_generation(
    hosting: Hosting,
) -> None:
    hosting.assign([assignment("A", generation=7)])
    assert await settle(hosting) == {"A": State.RUNNING}
    assert Device.calls == ["A init", "A start"]
    standing = hosting.units["A"].standing
    assert standing.reached_generation == 7
    assert standing.fingerprint == hosting.units["A"].wanted_fingerprint != ""
    unit = hosting.units["A"].unit
    assert unit is not None
    assert (unit.state, unit.read("current")) == (State.RUNNING, 1.0)


@pytest.mark.parametrize(
    ("hook", "state"),
    [("init", State.RECOVERABLE_ERROR), ("start", State.RECOVERABLE_ERROR)],
)
async def test_an_exception_stays_with_its_unit(hosting: Hosting, hook: str, state: State) -> None:
    Device.script[f"A {hook}"] = OSError("no answer from 10.0.0.7")
    hosting.assign([assignment("A"), assignment("B")])
    assert await settle(hosting) == {"A": state, "B": State.RUNNING}
    standing = hosting.units["A"].standing
    assert standing.message == "OSError: no answer from 10.0.0.7"
    assert standing.reached_generation == 0


async def test_even_sys_exit_in_a_hook_stays_with_its_unit(hosting: Hosting) -> None:
    Device.script["A init"] = SystemExit(1)
    hosting.assign([assignment("A"), assignment("B")])
    assert (await settle(hosting))["B"] is State.RUNNING
    assert hosting.units["A"].standing.state is State.RECOVERABLE_ERROR


async def test_a_hook_that_hangs_is_an_error_of_its_unit(hosting: Hosting) -> None:
    Device.script["A init"] = asyncio.Event()
    hosting.assign([assignment("A"), assignment("B")])
    assert await settle(hosting) == {"A": State.RECOVERABLE_ERROR, "B": State.RUNNING}
    assert "did not end within 0.1 s" in hosting.units["A"].standing.message


async def test_a_class_that_cannot_be_built_is_a_fatal_error_of_its_unit(
    hosting: Hosting,
) -> None:
    hosting.assign([assignment("A", implementation="::Unbuildable"), assignment("B")])
    assert await settle(hosting) == {"A": State.FATAL_ERROR, "B": State.RUNNING}
    assert "no such card" in hosting.units["A"].standing.message


async def test_recover_is_acted_on_once(hosting: Hosting) -> None:
    Device.script["A start"] = RecoverableError("no water")
    hosting.assign([assignment("A")])
    assert await settle(hosting) == {"A": State.RECOVERABLE_ERROR}
    hosting.assign([assignment("A", recover_count=1)])
    assert await settle(hosting) == {"A": State.RECOVERABLE_ERROR}
    assert Device.calls.count("A recover") == 1
    assert hosting.units["A"].standing.reached_recover_count == 1
    Device.script.clear()
    hosting.assign([assignment("A", recover_count=1)])
    assert await settle(hosting) == {"A": State.RECOVERABLE_ERROR}
    hosting.assign([assignment("A", recover_count=2)])
    assert await settle(hosting) == {"A": State.RUNNING}
    assert Device.calls.count("A recover") == 2
    assert Device.calls.count("A init") == 1


async def test_a_recover_without_an_error_is_done_with(hosting: Hosting) -> None:
    hosting.assign([assignment("A", recover_count=3)])
    await settle(hosting)
    assert hosting.units["A"].standing.reached_recover_count == 3
    assert "A recover" not in Device.calls


async def test_an_init_that_failed_half_way_lets_go_before_it_is_tried_again(
    hosting: Hosting,
) -> None:
    Device.script["A init"] = OSError()
    hosting.assign([assignment("A")])
    await settle(hosting)
    Device.script.clear()
    hosting.assign([assignment("A", recover_count=1)])
    assert await settle(hosting) == {"A": State.RUNNING}
    assert Device.calls == ["A init", "A recover", "A stop", "A deinit", "A init", "A start"]


async def test_a_fatal_error_is_left_by_init_alone(hosting: Hosting) -> None:
    Device.script["A start"] = FatalError("burnt")
    hosting.assign([assignment("A")])
    assert await settle(hosting) == {"A": State.FATAL_ERROR}
    Device.script.clear()
    hosting.assign([assignment("A", recover_count=1)])
    assert await settle(hosting) == {"A": State.FATAL_ERROR}
    hosting.assign([assignment("A", generation=2)])
    assert await settle(hosting) == {"A": State.RUNNING}
    assert Device.calls[-4:] == ["A stop", "A deinit", "A init", "A start"]


async def test_a_failure_while_running_is_an_error_and_recover_starts_it_again(
    hosting: Hosting,
) -> None:
    hosting.assign([assignment("A", implementation="Ticking")])
    unit = hosting.units["A"]
    await until(lambda: unit.standing.state is State.RECOVERABLE_ERROR)
    assert unit.standing.message == "three is too many"
    assert unit.unit is not None
    assert unit.unit.read("ticks") == 3
    hosting.assign([assignment("A", implementation="Ticking", recover_count=1)])
    await until(lambda: unit.unit is not None and unit.unit.read("ticks") > 5)
    assert unit.standing.state is State.RUNNING


async def test_a_unit_may_say_from_any_thread_that_it_fails(hosting: Hosting) -> None:
    hosting.assign([assignment("A")])
    await settle(hosting)
    unit = hosting.units["A"]
    assert unit.unit is not None
    threading.Thread(target=unit.unit.fail, args=("hot",), kwargs={"fatal": True}).start()
    await until(lambda: unit.standing.state is State.FATAL_ERROR)
    assert unit.standing.message == "hot"


async def test_a_thread_that_hangs_keeps_everybody_from_its_hardware_until_it_ends(
    hosting: Hosting,
) -> None:
    hosting.assign([assignment("A", implementation="Stuck")])
    assert await settle(hosting) == {"A": State.FATAL_ERROR}
    hosting.assign([assignment("A", implementation="Stuck", generation=2)])
    assert await settle(hosting) == {"A": State.FATAL_ERROR}
    assert "still running" in hosting.units["A"].standing.message
    Stuck.release.set()

    async def it_runs() -> bool:
        generation = hosting.units["A"].assignment.generation + 1
        hosting.assign([assignment("A", implementation="Stuck", generation=generation)])
        return (await settle(hosting))["A"] is State.RUNNING

    await until(it_runs)


async def test_a_round_that_hangs_keeps_everybody_from_its_hardware(hosting: Hosting) -> None:
    hosting.assign([assignment("A", implementation="StuckInItsRound")])
    await until(lambda: hosting.units["A"].standing.state is State.FATAL_ERROR)
    hosting.assign([assignment("A", implementation="StuckInItsRound", generation=2)])
    assert await settle(hosting) == {"A": State.FATAL_ERROR}
    assert "still running. Restart" in hosting.units["A"].standing.message


async def test_a_changed_configuration_is_applied_by_a_new_init(hosting: Hosting) -> None:
    hosting.assign([assignment("A")])
    await settle(hosting)
    hosting.assign([assignment("A", default="2.5", generation=2)])
    assert await settle(hosting) == {"A": State.RUNNING}
    assert Device.calls[2:] == ["A stop", "A deinit", "A init", "A start"]
    unit = hosting.units["A"].unit
    assert unit is not None
    assert unit.read("current") == 2.5
    assert hosting.units["A"].standing.reached_generation == 2


async def test_a_change_that_changes_nothing_for_the_unit_does_not_touch_it(
    hosting: Hosting,
) -> None:
    hosting.assign([assignment("A")])
    await settle(hosting)
    hosting.assign([assignment("A", generation=5)])
    await settle(hosting)
    assert Device.calls == ["A init", "A start"]
    assert hosting.units["A"].standing.reached_generation == 5


async def test_a_configuration_that_cannot_be_used_is_fatal_and_the_next_one_heals(
    hosting: Hosting,
) -> None:
    hosting.assign([assignment("A", default="11")])
    assert await settle(hosting) == {"A": State.FATAL_ERROR}
    message = hosting.units["A"].standing.message
    assert "current: 11.0 was given; it should be at most 10.0" in message
    assert Device.calls == []
    hosting.assign([assignment("A", default="9", generation=2)])
    assert await settle(hosting) == {"A": State.RUNNING}


async def test_a_unit_that_is_no_longer_hosted_lets_go_and_is_not_reported(
    hosting: Hosting,
) -> None:
    hosting.assign([assignment("A"), assignment("B")])
    await settle(hosting)
    gone = hosting.units["A"]
    hosting.remove(["control_units/A"])
    await gone.settled()
    assert Device.calls[-2:] == ["A stop", "A deinit"]
    reported = [each.control_unit for box in hosting.outbox.collect() for each in box.reports]
    assert reported == ["control_units/B"]


async def test_without_a_lease_units_that_may_not_run_are_stopped_and_come_back(
    hosting: Hosting,
) -> None:
    hosting.assign([assignment("A")])
    await settle(hosting)
    hosting.hold(is_held=True)
    assert await settle(hosting) == {"A": State.STOPPED}
    hosting.hold(is_held=False)
    assert await settle(hosting) == {"A": State.RUNNING}


async def test_a_unit_that_cannot_be_built_here_says_why_until_it_can(hosting: Hosting) -> None:
    hosting.assign([assignment("A", implementation="::Unknown"), assignment("B")])
    assert await settle(hosting) == {"A": State.FATAL_ERROR, "B": State.RUNNING}
    assert "does not build '::Unknown'" in hosting.units["A"].standing.message
    hosting.assign([assignment("A")])
    assert (await settle(hosting))["A"] is State.RUNNING


async def test_a_unit_of_another_class_is_built_anew(hosting: Hosting) -> None:
    hosting.assign([assignment("A")])
    await settle(hosting)
    hosting.assign([assignment("A", implementation="Stuck", desired=State.LOADED)])
    assert await settle(hosting) == {"A": State.LOADED}
    assert Device.calls[-2:] == ["A stop", "A deinit"]
    assert isinstance(hosting.units["A"].unit, Stuck)


async def test_nobody_touches_a_unit_of_which_nothing_is_desired(hosting: Hosting) -> None:
    hosting.assign([assignment("A", State.UNSPECIFIED)])
    assert await settle(hosting) == {"A": State.UNLOADED}
    hosting.assign([assignment("A", State.RUNNING)])
    await settle(hosting)
    hosting.assign([assignment("A", State.UNSPECIFIED, generation=2)])
    assert await settle(hosting) == {"A": State.RUNNING}
    assert hosting.units["A"].standing.reached_generation == 2


async def test_the_copy_keeps_the_configuration_that_last_worked(hosting: Hosting) -> None:
    hosting.assign([assignment("A", default="2")])
    await settle(hosting)
    good = hosting.units["A"].wanted_fingerprint
    hosting.assign([assignment("A", default="11", generation=2)])
    assert await settle(hosting) == {"A": State.FATAL_ERROR}
    (kept,) = hosting.copy().assignments
    assert kept.fingerprint == good
    assert kept.configuration.attributes[0].default_value == "2"


async def test_a_configuration_that_is_held_need_not_come_again(hosting: Hosting) -> None:
    hosting.assign([assignment("A")])
    await settle(hosting)
    kept = hosting.copy()
    async with asyncio.TaskGroup() as tasks:
        later = Hosting(CLASSES, spawn=tasks.create_task)
        later.remember(kept)
        held = later.held_fingerprints()
        assert held == {"A": hosting.units["A"].wanted_fingerprint}
        lean = assignment("A")
        lean.ClearField("configuration")
        later.replace_all([lean])
        assert await settle(later) == {"A": State.RUNNING}
        await later.leave_all()


async def test_the_digest_speaks_of_what_is_applied(hosting: Hosting) -> None:
    assert hosting.digest() == ""
    hosting.assign([assignment("A")])
    await settle(hosting)
    before = hosting.digest()
    hosting.assign([assignment("A", default="2")])
    await settle(hosting)
    assert hosting.digest() not in {"", before}
