"""A unit that uses another configuration than it should has a condition that says so."""

from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import select

from metadata_server.domain.intent.attribute import AttributeOverride
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.condition import Condition
from metadata_server.domain.life.registration import Registered
from metadata_server.domain.life.state import State
from metadata_server.services.life.attachment import Attachment
from metadata_server.services.life.publication import Published
from metadata_server.store.schema import unit_condition
from metadata_server.store.store import Store
from tests.services.lively import (
    CALLER,
    DATASET,
    DATASET_HASH,
    Ear,
    Facility,
    attached,
    facility,
    report,
)
from tests.stages.waiting import until

UNKNOWN = "v1:" + "0" * 64


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.declare("A/PS1", "A/PS2")
        yield found


async def conditions(lab: Facility, unit_id: str = "A/PS1") -> Sequence[Condition]:
    return (await lab.statuses())[unit_id].conditions


async def reasons(lab: Facility, unit_id: str = "A/PS1") -> list[str]:
    return [each.reason for each in await conditions(lab, unit_id)]


async def until_reasons(lab: Facility, *wanted: str, unit_id: str = "A/PS1") -> None:
    async def so() -> bool:
        return await reasons(lab, unit_id) == list(wanted)

    await until(so, what=f"the conditions {wanted} of {unit_id}")


async def override(lab: Facility, maximum: str, unit_id: str = "A/PS1") -> None:
    await lab.change(unit_id, overrides=(AttributeOverride("current", {"maximum": maximum}),))


async def come_up(unit_server: Attachment, registered: Registered, ear: Ear) -> dict[str, str]:
    """All units run with what they were told; their fingerprints."""
    await unit_server.publish([Published(DATASET_HASH, DATASET, "lab::Supply")])
    told = {each.unit.id: each.fingerprint for each in registered.assignments}
    await unit_server.report(
        [
            report(unit_id, number, State.RUNNING, fingerprint=told[unit_id], dataset=DATASET_HASH)
            for number, unit_id in enumerate(sorted(told), 1)
        ]
    )
    await until(lambda: ear.acknowledged == len(told), what="the acknowledgement")
    return told


async def registered_again(lab: Facility) -> Registered:
    """A registration of which the store knows the dataset."""
    first = await lab.register()
    async with attached(lab, first) as (unit_server, _):
        await unit_server.publish([Published(DATASET_HASH, DATASET, "lab::Supply")])
    return await lab.register(incarnation="second", take_over=True)


async def test_a_unit_that_goes_on_with_an_older_configuration_drifts(lab: Facility) -> None:
    registered = await registered_again(lab)
    async with attached(lab, registered) as (unit_server, ear):
        await come_up(unit_server, registered, ear)
        assert await conditions(lab) == ()
        await override(lab, "5")
        await lab.let_grace_end()
        await lab.liveness.conditions.look_over()
        (drift,) = await conditions(lab)
    assert (drift.type, drift.reason) == ("ConfigDrift", "NotApplied")
    assert drift.fields == ("attributes[current].maximum",)
    assert await conditions(lab, "A/PS2") == ()


async def test_it_drifts_since_the_change_that_it_did_not_apply(lab: Facility) -> None:
    registered = await registered_again(lab)
    async with attached(lab, registered) as (unit_server, ear):
        await come_up(unit_server, registered, ear)
        await override(lab, "5")
        changed_us = (await lab.resources.get(ControlUnit, "A/PS1")).value.meta.update_time_us
        await override(lab, "4")
        await lab.let_grace_end()
        await lab.liveness.conditions.look_over()
        (drift,) = await conditions(lab)
    assert drift.since_us == changed_us


async def test_a_drift_is_gone_as_soon_as_the_unit_reports_that_it_agrees(lab: Facility) -> None:
    registered = await registered_again(lab)
    async with attached(lab, registered) as (unit_server, ear):
        await come_up(unit_server, registered, ear)
        await override(lab, "5")
        await lab.let_grace_end()
        await lab.liveness.conditions.look_over()
        assert await reasons(lab) == ["NotApplied"]
        await until(lambda: "A/PS1" in ear.assigned, what="the new assignment")
        told = ear.assigned["A/PS1"].fingerprint
        await unit_server.report(
            [report("A/PS1", 9, State.RUNNING, fingerprint=told, dataset=DATASET_HASH)]
        )
        await until_reasons(lab)


async def test_a_drift_is_gone_as_soon_as_the_change_is_taken_back(lab: Facility) -> None:
    registered = await registered_again(lab)
    async with attached(lab, registered) as (unit_server, ear):
        await come_up(unit_server, registered, ear)
        await override(lab, "5")
        await lab.let_grace_end()
        await lab.liveness.conditions.look_over()
        assert await reasons(lab) == ["NotApplied"]
        await lab.change("A/PS1", overrides=())
        await until_reasons(lab)


async def test_a_unit_that_is_given_a_moment_to_apply_a_change_does_not_drift(
    lab: Facility,
) -> None:
    registered = await registered_again(lab)
    async with attached(lab, registered) as (unit_server, ear):
        await come_up(unit_server, registered, ear)
        await lab.let_grace_end()
        await override(lab, "5")
        await lab.liveness.conditions.look_over()
        assert await conditions(lab) == ()


async def test_a_unit_that_uses_what_nobody_declared_says_so_and_keeps_since_when(
    lab: Facility,
) -> None:
    registered = await registered_again(lab)
    async with attached(lab, registered) as (unit_server, ear):
        await come_up(unit_server, registered, ear)
        await lab.let_grace_end()
        await unit_server.report([report("A/PS1", 9, State.RUNNING, fingerprint=UNKNOWN)])
        await until_reasons(lab, "UnknownFingerprint")
        (first,) = await conditions(lab)
        await unit_server.report([report("A/PS1", 10, State.STOPPED, fingerprint=UNKNOWN)])
        await until(lambda: ear.acknowledged == 10, what="the acknowledgement")
        assert await conditions(lab) == (first,)


async def test_a_unit_that_has_not_been_initialised_does_not_drift(lab: Facility) -> None:
    registered = await registered_again(lab)
    async with attached(lab, registered) as (unit_server, ear):
        await come_up(unit_server, registered, ear)
        await lab.let_grace_end()
        await unit_server.report([report("A/PS1", 9, State.LOADED, fingerprint=UNKNOWN)])
        await until(lambda: ear.acknowledged == 9, what="the acknowledgement")
        await lab.liveness.conditions.look_over()
        assert await conditions(lab) == ()


@pytest.mark.parametrize("end", ["goodbye", "lost", "taken over"])
async def test_what_runs_no_more_does_not_drift(lab: Facility, end: str) -> None:
    registered = await registered_again(lab)
    async with attached(lab, registered) as (unit_server, ear):
        await come_up(unit_server, registered, ear)
        await lab.let_grace_end()
        await unit_server.report([report("A/PS1", 9, State.RUNNING, fingerprint=UNKNOWN)])
        await until_reasons(lab, "UnknownFingerprint")
        if end == "goodbye":
            await unit_server.say_goodbye()
        elif end == "lost":
            await lab.pass_time(60)
            await lab.liveness.sweeps.sweep()
        else:
            await lab.register(incarnation="third", take_over=True)
        assert await conditions(lab) == ()


async def test_a_deleted_unit_leaves_no_condition(lab: Facility) -> None:
    registered = await registered_again(lab)
    async with attached(lab, registered) as (unit_server, ear):
        await come_up(unit_server, registered, ear)
        await lab.let_grace_end()
        await unit_server.report([report("A/PS1", 9, State.RUNNING, fingerprint=UNKNOWN)])
        await until_reasons(lab, "UnknownFingerprint")
        await lab.resources.delete(CALLER, ControlUnit, "A/PS1", etag="*", validate_only=False)
    left = await lab.store.read(
        lambda unit: unit.connection.execute(select(unit_condition.c.key)).all()
    )
    assert left.value == []


async def test_looking_over_units_that_are_well_writes_nothing(lab: Facility) -> None:
    registered = await registered_again(lab)
    async with attached(lab, registered) as (unit_server, ear):
        await come_up(unit_server, registered, ear)
        await unit_server.report([report("A/PS1", 9, State.RUNNING, fingerprint=UNKNOWN)])
        await until(lambda: ear.acknowledged == 9, what="the acknowledgement")
        await lab.let_grace_end()
        await lab.liveness.conditions.look_over()
        assert await reasons(lab) == ["UnknownFingerprint"]
        before = await lab.position()
        await lab.liveness.conditions.look_over()
        await lab.liveness.conditions.look_over()
        assert await lab.position() == before
