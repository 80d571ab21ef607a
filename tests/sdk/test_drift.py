"""Real units prove what they use; where that is not what they should use, the server says so."""

from dataclasses import replace

from mds.v1 import condition_pb2, control_unit_pb2

from control_units import RecoverableError, State
from tests.sdk.laboratory import Laboratory, Probe
from tests.stages.waiting import until

RUNNING = State.RUNNING


async def conditions(lab: Laboratory, id: str) -> list[condition_pb2.Condition]:
    return list((await lab.status(id)).conditions)


async def until_conditions(lab: Laboratory, id: str, *types: str) -> list[condition_pb2.Condition]:
    async def so() -> bool:
        return [each.type for each in await conditions(lab, id)] == list(types)

    await until(so, within=20, what=f"conditions {types} of {id}")
    return await conditions(lab, id)


async def drifting(lab: Laboratory) -> list[str]:
    page = await lab.client.control_units.ListControlUnitStatuses(
        control_unit_pb2.ListControlUnitStatusesRequest(
            id_prefix=f"{lab.name}/", condition="ConfigDrift"
        )
    )
    return [each.name.rpartition("/")[2] for each in page.control_unit_statuses]


async def test_a_unit_that_cannot_apply_a_change_drifts_until_it_can(lab: Laboratory) -> None:
    await lab.declare("A", "B")
    lab.serve()
    await lab.until_states(A=RUNNING, B=RUNNING)
    Probe.faults["A init"] = RecoverableError("the crate is off")
    await lab.declare("A", default="5")
    drift, stuck = await until_conditions(lab, "A", "ConfigDrift", "NotConverging")
    assert stuck.message.startswith("RUNNING is wanted. the crate is off.")
    assert drift.status == condition_pb2.CONDITION_STATUS_TRUE
    assert drift.reason == "NotApplied"
    assert list(drift.fields) == ["attributes[current].default_value"]
    assert drift.since.seconds > 0
    assert await drifting(lab) == ["A"]
    Probe.faults.clear()
    await lab.recover("A")
    await lab.until_states(A=RUNNING, B=RUNNING)
    await until_conditions(lab, "A")
    assert await drifting(lab) == []


async def test_a_change_that_is_applied_is_never_news_as_a_drift(lab: Laboratory) -> None:
    await lab.declare("A")
    lab.serve()
    await lab.until_states(A=RUNNING)
    start = lab.client.position
    for default in ("2", "3", "4"):
        await lab.declare("A", default=default)
        configuration = await lab.client.control_units.GetConfiguration(
            control_unit_pb2.GetConfigurationRequest(name=f"control_units/{lab.name}/A")
        )

        async def applied(wanted: str = configuration.fingerprint) -> bool:
            return (await lab.status("A")).fingerprint == wanted

        await until(applied)
    changes = await lab.status_changes("A", start)
    assert changes
    assert not [each for each in changes if each.conditions]


async def test_a_unit_that_silently_uses_something_else_is_found_by_the_digest(
    lab: Laboratory,
) -> None:
    await lab.declare("A", "B")
    server = lab.serve()
    await lab.until_states(A=RUNNING, B=RUNNING)
    unit = lab.unit(server, "A")
    right = unit.applied_fingerprint
    unit.standing = replace(unit.standing, fingerprint=f"v1:{'0' * 64}")

    async def initialised_again() -> bool:
        return Probe.done.count("A init") == 2 and (await lab.status("A")).fingerprint == right

    await until(initialised_again, within=20)
    assert Probe.done.count("B init") == 1, "nobody touched its neighbour"
