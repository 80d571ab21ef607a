"""A hook that does not return is told while it runs, not only when it has failed."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from control_units import ControlUnit, State
from control_units.hosting import HostedClasses, Hosting
from tests.sdk.devices import Device, assignment, settle
from tests.stages.waiting import until


class Slow(Device):
    hook_deadline = 30.0
    hook_warning = 0.05


class SlowThread(ControlUnit):
    """Hangs in a thread, which nobody can end."""

    hook_warning = 0.05
    release = threading.Event()

    def on_start(self) -> None:
        self.release.wait()


class SlowRounds(ControlUnit):
    hook_warning = 0.05
    cycle_period = 0.01
    release = threading.Event()

    def on_cycle(self) -> None:
        self.release.wait()


@pytest.fixture
async def hosting() -> AsyncIterator[Hosting]:
    SlowThread.release.clear()
    SlowRounds.release.clear()
    classes = HostedClasses([Device, Slow, SlowThread, SlowRounds])
    async with asyncio.TaskGroup() as tasks:
        found = Hosting(classes, spawn=tasks.create_task)
        yield found
        SlowThread.release.set()
        SlowRounds.release.set()
        await found.leave_all()


@pytest.fixture
def gate() -> asyncio.Event:
    return asyncio.Event()


async def test_a_unit_says_in_which_hook_it_hangs_and_again_after_twice_the_time(
    hosting: Hosting, gate: asyncio.Event
) -> None:
    Device.script["A start"] = gate
    hosting.assign([assignment("A", implementation="Slow"), assignment("B")])
    unit = hosting.units["A"]
    await until(lambda: unit.standing.hanging_hook == "on_start")
    assert unit.standing.state is State.INITIALIZED
    assert unit.standing.message == "on_start has not returned for 0.05 s."
    await until(lambda: unit.standing.message == "on_start has not returned for 0.1 s.")
    await hosting.units["B"].settled()
    assert hosting.units["B"].standing.state is State.RUNNING
    gate.set()
    assert (await settle(hosting))["A"] is State.RUNNING
    assert (unit.standing.hanging_hook, unit.standing.message) == ("", "")


async def test_what_people_want_meanwhile_is_said_to_wait_and_done_when_the_hook_returns(
    hosting: Hosting, gate: asyncio.Event
) -> None:
    Device.script["A start"] = gate
    hosting.assign([assignment("A", implementation="Slow")])
    unit = hosting.units["A"]
    await until(lambda: unit.standing.hanging_hook == "on_start")
    hosting.assign([assignment("A", State.STOPPED, implementation="Slow", generation=2)])
    assert unit.standing.message.endswith(" What is wanted of it since then has to wait.")
    gate.set()
    assert await settle(hosting) == {"A": State.STOPPED}
    assert unit.standing.reached_generation == 2


@pytest.mark.parametrize(
    ("implementation", "hook", "state"),
    [
        ("SlowThread", "on_start", State.INITIALIZED),
        ("SlowRounds", "on_cycle", State.RUNNING),
    ],
)
async def test_a_hook_in_a_thread_is_told_too_and_so_is_its_return(
    hosting: Hosting, implementation: str, hook: str, state: State
) -> None:
    hosting.assign([assignment("A", implementation=implementation)])
    unit = hosting.units["A"]
    await until(lambda: unit.standing.hanging_hook == hook)
    assert unit.standing.state is state
    SlowThread.release.set()
    SlowRounds.release.set()
    await until(lambda: unit.standing.hanging_hook == "")
    await until(lambda: unit.standing.state is State.RUNNING)
    assert unit.standing.message == ""
