"""One control unit in its unit server, and what goes wrong with it."""

import asyncio
import threading

import pytest

from control_units import FatalError, RecoverableError, State
from control_units.hosting import Hosting
from tests.sdk.devices import Device, Stuck, assignment, settle
from tests.stages.waiting import until


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


async def test_in_maintenance_nothing_is_applied_and_everything_is_when_it_is_over(
    hosting: Hosting,
) -> None:
    hosting.assign([assignment("A")])
    await settle(hosting)
    Device.calls.clear()
    changed = assignment("A", implementation="Stuck", default="2.5", generation=2)
    for told in (assignment("A", default="2.5", generation=2), changed):
        told.in_maintenance = True
        hosting.assign([told])
        assert await settle(hosting) == {"A": State.RUNNING}
        assert hosting.units["A"].standing.reached_generation == 1
    assert Device.calls == []
    hosting.assign([assignment("A", default="2.5", generation=2)])
    assert await settle(hosting) == {"A": State.RUNNING}
    assert hosting.units["A"].standing.reached_generation == 2
    assert Device.calls == ["A stop", "A deinit", "A init", "A start"]


async def test_an_order_counts_although_the_server_was_restored_to_an_earlier_count(
    hosting: Hosting,
) -> None:
    hosting.assign([assignment("A", generation=9, recover_count=5)])
    assert await settle(hosting) == {"A": State.RUNNING}
    hosting.assign([assignment("A", generation=3, recover_count=2)])
    await settle(hosting)
    standing = hosting.units["A"].standing
    assert (standing.reached_generation, standing.reached_recover_count) == (3, 2)


async def test_what_failed_is_tried_again_when_the_server_was_restored(hosting: Hosting) -> None:
    Device.script["A init"] = FatalError("the fuse")
    hosting.assign([assignment("A", generation=9)])
    assert await settle(hosting) == {"A": State.FATAL_ERROR}
    del Device.script["A init"]
    hosting.assign([assignment("A", generation=2)])
    assert await settle(hosting) == {"A": State.RUNNING}
