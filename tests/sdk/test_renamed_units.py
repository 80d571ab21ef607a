"""A unit is renamed while a unit server runs it, on a real metadata server."""

from mds.v1 import control_unit_pb2

from control_units import State
from tests.sdk.laboratory import Laboratory, Probe
from tests.stages.waiting import until

RUNNING = State.RUNNING


async def rename(lab: Laboratory, old: str, new: str) -> None:
    await lab.client.control_units.RenameControlUnit(
        control_unit_pb2.RenameControlUnitRequest(
            name=f"control_units/{lab.name}/{old}",
            new_name=f"control_units/{lab.name}/{new}",
            etag="*",
            reason="it was misspelt",
        )
    )


async def reaches(lab: Laboratory, id: str, generation: int) -> None:
    async def reached() -> bool:
        return (await lab.status(id)).reached_generation == generation

    await until(reached, what=f"{id} to reach generation {generation}")


async def test_a_running_unit_goes_on_under_its_new_name(lab: Laboratory) -> None:
    await lab.declare("A", "B")
    server = lab.serve()
    await lab.until_states(A=RUNNING, B=RUNNING)
    before = lab.unit(server, "A").unit
    await rename(lab, "A", "C")
    await reaches(lab, "C", 2)
    assert lab.unit(server, "C").unit is before
    assert Probe.done.count("A init") == 1
    assert not [what for what in Probe.done if what.endswith(("stop", "deinit"))]
    await lab.until_states(B=RUNNING, C=RUNNING)
    (life,) = await lab.lives("C")
    assert not life.HasField("end_time"), "it is the same life"
    await lab.declare("C", desired=State.STOPPED)
    await lab.until_states(B=RUNNING, C=State.STOPPED)


async def test_a_unit_that_was_renamed_while_nobody_ran_it_starts_under_its_new_name(
    lab: Laboratory,
) -> None:
    await lab.declare("A")
    server = lab.serve()
    await lab.until_states(A=RUNNING)
    await lab.end(server)
    await rename(lab, "A", "C")
    again = lab.serve()
    await lab.until_states(C=RUNNING)
    assert set(again.hosting.units) == {f"{lab.name}/C"}
    assert len(await lab.lives("C")) == 2
