"""Units that are on their way out when others come, or when the process ends."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from control_units import State
from control_units.hosting import HostedClasses, Hosting
from tests.sdk.devices import Device, Stuck, assignment, settle
from tests.stages.waiting import until

TWO_LIVES = ["A init", "A start", "A stop", "A deinit", "A init", "A start"]


class Patient(Device):
    """Its hooks end when a test lets them."""

    hook_deadline = 10.0


@pytest.fixture
def gate() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def hosting(gate: asyncio.Event) -> AsyncIterator[Hosting]:
    async with asyncio.TaskGroup() as tasks:
        found = Hosting(HostedClasses([Device, Patient, Stuck]), spawn=tasks.create_task)
        yield found
        gate.set()
        Stuck.release.set()
        await found.leave_all()


async def runs_and_hangs_in(hook: str, hosting: Hosting, gate: asyncio.Event) -> None:
    """Unit A runs; when it is told to leave, it is in that hook until the gate opens."""
    hosting.assign([assignment("A", implementation="Patient")])
    assert await settle(hosting) == {"A": State.RUNNING}
    Device.script[f"A {hook}"] = gate


async def until_called(what: str) -> None:
    await until(lambda: what in Device.calls, what=what)


async def test_a_unit_that_comes_back_begins_when_the_one_before_has_let_go(
    hosting: Hosting, gate: asyncio.Event
) -> None:
    await runs_and_hangs_in("deinit", hosting, gate)
    hosting.remove(["control_units/A"])
    hosting.assign([assignment("A", implementation="Patient", generation=2), assignment("B")])
    await until_called("A deinit")
    await until_called("B start")  # a neighbour has nobody to wait for
    waiting = hosting.units["A"]
    assert waiting.standing.state is State.UNLOADED
    assert waiting.standing.message.startswith("Waits until those that were here before")
    gate.set()
    assert (await settle(hosting))["A"] is State.RUNNING
    assert [call for call in Device.calls if call.startswith("A")] == TWO_LIVES
    assert (waiting.standing.reached_generation, waiting.standing.message) == (2, "")


async def test_one_that_comes_back_and_leaves_before_its_turn_touches_nothing(
    hosting: Hosting, gate: asyncio.Event
) -> None:
    await runs_and_hangs_in("stop", hosting, gate)
    for _ in range(2):
        hosting.remove(["control_units/A"])
        hosting.assign([assignment("A", implementation="Patient")])
    await until_called("A stop")
    gate.set()
    assert await settle(hosting) == {"A": State.RUNNING}
    assert Device.calls == TWO_LIVES


async def test_who_was_renamed_out_of_touch_begins_when_its_former_self_has_let_go(
    hosting: Hosting, gate: asyncio.Event
) -> None:
    await runs_and_hangs_in("deinit", hosting, gate)
    hosting.replace_all([assignment("C")])
    await until_called("A deinit")
    assert "C init" not in Device.calls
    gate.set()
    assert await settle(hosting) == {"C": State.RUNNING}
    assert Device.calls[-2:] == ["C init", "C start"]


async def test_a_registration_may_rename_a_unit_that_goes_on(hosting: Hosting) -> None:
    hosting.assign([assignment("A")])
    await settle(hosting)
    renamed = assignment("C", generation=2)
    renamed.former_name = "control_units/A"
    hosting.replace_all([renamed])
    assert await settle(hosting) == {"C": State.RUNNING}
    assert Device.calls == ["A init", "A start"]


async def test_a_hook_that_cannot_be_ended_keeps_the_next_one_from_its_hardware(
    hosting: Hosting,
) -> None:
    hosting.assign([assignment("A", implementation="Stuck")])
    assert await settle(hosting) == {"A": State.FATAL_ERROR}
    gone = hosting.units["A"]
    hosting.remove(["control_units/A"])
    await gone.settled()
    hosting.assign([assignment("A", implementation="Stuck")])
    assert await settle(hosting) == {"A": State.FATAL_ERROR}
    assert "still running. Restart" in hosting.units["A"].standing.message
    Stuck.release.set()
    await until(lambda: gone.has_let_go)
    hosting.assign([assignment("A", implementation="Stuck", generation=2)])
    assert await settle(hosting) == {"A": State.RUNNING}


async def test_the_end_waits_for_units_that_were_removed_before(
    hosting: Hosting, gate: asyncio.Event
) -> None:
    await runs_and_hangs_in("deinit", hosting, gate)
    gone = hosting.units["A"]
    hosting.remove(["control_units/A"])
    await until_called("A deinit")
    end = asyncio.create_task(hosting.leave_all())
    await asyncio.wait({end}, timeout=0.05)
    assert not end.done()
    assert hosting.still_loaded() == ["A"]
    gate.set()
    await end
    assert gone.standing.state is State.UNLOADED
    assert hosting.still_loaded() == []


async def test_what_is_assigned_at_the_end_turns_nobody_round(
    hosting: Hosting, gate: asyncio.Event
) -> None:
    await runs_and_hangs_in("stop", hosting, gate)
    end = asyncio.create_task(hosting.leave_all())
    await until_called("A stop")
    hosting.assign([assignment("A", implementation="Patient", generation=2), assignment("B")])
    gate.set()
    await end
    assert await settle(hosting) == {"A": State.UNLOADED}
    assert Device.calls == TWO_LIVES[:4]
