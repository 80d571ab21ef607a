"""How a unit server gives up its place: at once, or not before its lease ends."""

from control_units import State
from tests.sdk.devices import Stuck
from tests.sdk.laboratory import Laboratory


class Hanging(Stuck, implementation="Probe"):
    """Hangs in a hook for good, and is unloaded all the same when its process is to end."""


async def test_there_is_no_good_bye_while_a_hook_may_hold_its_device(lab: Laboratory) -> None:
    await lab.declare("A")
    server = lab.serve([Hanging])
    await lab.until_states(A=State.FATAL_ERROR)
    await lab.end(server)
    session = await lab.session()
    Stuck.release.set()
    assert not session.HasField("end_time"), "its place is free, and its device may not be"
