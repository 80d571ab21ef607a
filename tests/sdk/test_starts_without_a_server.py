"""Unit servers that start while nobody can tell them what is wanted: from their copy on disk."""

from control_units import State
from control_units.disk_copy import DiskCopy
from tests.sdk.laboratory import Laboratory, Probe
from tests.stages.replica import Replica
from tests.stages.waiting import until


async def ran_before(lab: Laboratory) -> None:
    """Unit A ran here, and has left a copy."""
    await lab.declare("A")
    server = lab.serve()
    await lab.until_states(A=State.RUNNING)
    copy = DiskCopy(lab.folder, lab.name)
    await until(lambda: copy.load() is not None)
    await lab.end(server)
    Probe.done.clear()


async def test_units_that_stop_without_a_lease_do_not_run_from_the_copy_before_there_is_one(
    own_lab: Laboratory, own_replica: Replica
) -> None:
    lab, replica = own_lab, own_replica
    await ran_before(lab)
    replica.kill()
    server = lab.serve(on_lease_lost="stop")
    await until(lambda: server.hosting.units)
    unit = lab.unit(server, "A")
    await unit.settled()
    assert unit.standing.state is State.STOPPED
    assert "A start" not in Probe.done, "another process may run it by now"
    await replica.start()
    await lab.until_states(A=State.RUNNING)
    assert Probe.done == ["A init", "A stop", "A start"]
