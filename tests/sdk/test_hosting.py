"""All control units of one unit server, and what people change."""

import asyncio

import pytest
from mds.v1 import dataset_pb2, registration_pb2

from control_units import State
from control_units.hosting import Hosting
from tests.sdk.devices import CLASSES, Device, Stuck, assignment, settle


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


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_a_held_configuration_is_built_by_the_class_of_today(
    hosting: Hosting, *, is_restarted: bool
) -> None:
    """A fingerprint does not tell the class, so a change of it alone comes without the rest."""
    hosting.assign([assignment("A")])
    await settle(hosting)
    lean = assignment("A", desired=State.LOADED, generation=2)
    lean.ClearField("configuration")
    lean.implementation = "Stuck"
    async with asyncio.TaskGroup() as tasks:
        later = hosting
        if is_restarted:
            later = Hosting(CLASSES, spawn=tasks.create_task)
            later.remember(hosting.copy())
        later.replace_all([lean])
        await settle(later)
        assert isinstance(later.units["A"].unit, Stuck)
        await later.leave_all()


async def test_the_digest_speaks_of_what_is_applied(hosting: Hosting) -> None:
    assert hosting.digest() == ""
    hosting.assign([assignment("A")])
    await settle(hosting)
    before = hosting.digest()
    hosting.assign([assignment("A", default="2")])
    await settle(hosting)
    assert hosting.digest() not in {"", before}


async def test_a_server_that_asks_is_told_of_every_unit_again(hosting: Hosting) -> None:
    hosting.assign([assignment("A"), assignment("B")])
    await settle(hosting)
    (told,) = hosting.outbox.collect()
    last = max(each.sequence for each in told.reports)
    hosting.outbox.acknowledge(last)
    assert hosting.outbox.collect() == []
    hosting.report_all()
    (again,) = hosting.outbox.collect()
    assert {each.control_unit for each in again.reports} == {"control_units/A", "control_units/B"}
    assert min(each.sequence for each in again.reports) > last
    assert hosting.reported.is_set()


async def test_a_renamed_unit_goes_on_under_its_new_name(hosting: Hosting) -> None:
    hosting.assign([assignment("A")])
    await settle(hosting)
    list(hosting.outbox.collect())
    renamed = assignment("B", generation=2)
    renamed.former_name = "control_units/A"
    hosting.assign([renamed])
    hosting.remove(["control_units/A"])
    assert await settle(hosting) == {"B": State.RUNNING}
    assert Device.calls == ["A init", "A start"], "it was not touched"
    unit = hosting.units["B"].unit
    assert unit is not None
    assert unit.id == "B"
    reported = [each for box in hosting.outbox.collect() for each in box.reports]
    assert [each.control_unit for each in reported] == ["control_units/B"]
    assert reported[-1].reached_generation == 2


async def test_two_units_may_swap_their_names(hosting: Hosting) -> None:
    hosting.assign([assignment("A"), assignment("B")])
    await settle(hosting)
    before = {id: unit.unit for id, unit in hosting.units.items()}
    swapped = [assignment("A", generation=2), assignment("B", generation=2)]
    swapped[0].former_name, swapped[1].former_name = "control_units/B", "control_units/A"
    hosting.assign(swapped)
    assert await settle(hosting) == {"A": State.RUNNING, "B": State.RUNNING}
    assert hosting.units["A"].unit is before["B"]
    assert hosting.units["B"].unit is before["A"]
    assert len(Device.calls) == 4


async def test_a_unit_lets_go_whose_name_another_gets(hosting: Hosting) -> None:
    hosting.assign([assignment("A"), assignment("B")])
    await settle(hosting)
    gone = hosting.units["B"]
    renamed = assignment("B", generation=2)
    renamed.former_name = "control_units/A"
    hosting.assign([renamed])
    await gone.settled()
    assert await settle(hosting) == {"B": State.RUNNING}
    assert [call for call in Device.calls if call.endswith("deinit")] == ["B deinit"]


def of_a_newer_server(id: str, unknown: str) -> registration_pb2.Assignment:
    """What a unit is told that this release has no number for."""
    told = assignment(id, generation=2)
    if unknown == "desired_state":
        told.desired_state = 99  # type: ignore[assignment]  # enums of the wire are open
        return told
    attribute = dataset_pb2.Attribute(name="plain", **{unknown: 99})  # type: ignore[arg-type]
    told.configuration.attributes.append(attribute)
    return told


@pytest.mark.parametrize("unknown", ["desired_state", "type", "direction"])
@pytest.mark.parametrize("is_running", [False, True])
async def test_what_needs_a_newer_release_fails_one_unit_and_no_other(
    hosting: Hosting, unknown: str, *, is_running: bool
) -> None:
    if is_running:
        hosting.assign([assignment("A"), assignment("B")])
        await settle(hosting)
    before = [each for each in hosting.copy().assignments if each.control_unit[-1] == "A"]
    assert len(before) == int(is_running)
    hosting.assign([of_a_newer_server("A", unknown), assignment("B"), assignment("C")])
    await asyncio.sleep(0)
    found = await settle(hosting)
    assert found == {"A": State.FATAL_ERROR, "B": State.RUNNING, "C": State.RUNNING}
    standing = hosting.units["A"].standing
    assert "newer release" in standing.message
    assert "99" in standing.message
    assert standing.reached_generation == int(is_running)
    # A newer release may start from it.
    assert [each for each in hosting.copy().assignments if each.control_unit[-1] == "A"] == before
    hosting.assign([assignment("A", generation=2)])
    assert (await settle(hosting))["A"] is State.RUNNING
    assert hosting.units["A"].standing.reached_generation == 2
    assert hosting.units["A"].standing.message == ""
