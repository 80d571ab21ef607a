"""What inputs are set to, from the unit to whoever asks the server."""

from mds.v1 import edit_pb2, live_values_pb2
from mds.v1.state_pb2 import Contact

from control_units import State
from control_units.client import Unreachable
from tests.sdk.laboratory import Laboratory
from tests.stages.replica import Replica
from tests.stages.waiting import until


async def told(lab: Laboratory) -> dict[str, tuple[str, str, str]]:
    """Value of `current`, contact, and state, by unit."""
    selection = edit_pb2.UnitSelection(id_prefix=f"{lab.name}/")
    request = live_values_pb2.ListLiveValuesRequest(selection=selection)
    return {
        unit.name.rpartition("/")[2]: (
            ", ".join(value.value for value in unit.values),
            Contact.Name(unit.contact).removeprefix("CONTACT_"),
            State(unit.state).name,
        )
        async for part in lab.client.live_values.ListLiveValues(request)
        for unit in part.units
    }


async def until_told(lab: Laboratory, **values: tuple[str, str, str]) -> None:
    async def so() -> bool:
        try:
            return await told(lab) == values
        except Unreachable:  # a stream is opened again by its user
            return False

    await until(so, within=20, what=f"{values}")


async def test_a_unit_tells_its_defaults_then_what_it_is_set_to(lab: Laboratory) -> None:
    await lab.declare("A", "B", default="2.5")
    await lab.declare("C", desired=State.LOADED)
    server = lab.serve()
    running = ("2.5", "ALIVE", "RUNNING")
    await until_told(lab, A=running, B=running, C=("", "ALIVE", "LOADED"))
    unit = lab.unit(server, "A").unit
    assert unit is not None
    await unit.set("current", 4)
    await until_told(lab, A=("4.0", "ALIVE", "RUNNING"), B=running, C=("", "ALIVE", "LOADED"))
    name = f"control_units/{lab.name}/A"
    found = await lab.client.live_values.GetLiveValues(
        live_values_pb2.GetLiveValuesRequest(name=name)
    )
    assert [(each.attribute, each.value) for each in found.values] == [("current", "4.0")]
    assert found.values[0].age.ToSeconds() < 60


async def test_values_outlive_their_unit_server_and_the_next_one_tells_anew(
    lab: Laboratory,
) -> None:
    await lab.declare("A", default="2")
    server = lab.serve()
    await until_told(lab, A=("2.0", "ALIVE", "RUNNING"))
    unit = lab.unit(server, "A").unit
    assert unit is not None
    await unit.set("current", 3)
    await until_told(lab, A=("3.0", "ALIVE", "RUNNING"))
    await lab.end(server)
    await until_told(lab, A=("3.0", "NONE", "UNLOADED"))
    await lab.declare("A", desired=State.LOADED, default="2")
    server = lab.serve()
    await until_told(lab, A=("3.0", "NONE", "LOADED"))  # said by the session before
    await lab.declare("A", default="2")
    await until_told(lab, A=("2.0", "ALIVE", "RUNNING"))


async def test_what_was_set_while_no_server_was_there_is_told_later(
    own_replica: Replica, own_lab: Laboratory
) -> None:
    lab = own_lab
    await lab.declare("A", default="2")
    server = lab.serve()
    await until_told(lab, A=("2.0", "ALIVE", "RUNNING"))
    own_replica.kill()
    unit = lab.unit(server, "A").unit
    assert unit is not None
    await unit.set("current", 3)
    await own_replica.start()
    await until_told(lab, A=("3.0", "ALIVE", "RUNNING"))
