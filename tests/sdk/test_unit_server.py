"""Unit servers against a real metadata server."""

import socket

import pytest
from mds.v1 import control_unit_pb2, unit_server_pb2
from structlog.testing import capture_logs

from control_units import AlreadyRunning, RecoverableError, State, Superseded, Undeclared
from tests.sdk.laboratory import Laboratory, Probe
from tests.stages.waiting import until

RUNNING = State.RUNNING


async def test_units_come_to_their_desired_state_with_their_configuration(lab: Laboratory) -> None:
    await lab.declare("A", "B")
    server = lab.serve()
    await lab.until_states(A=RUNNING, B=RUNNING)
    unit = lab.unit(server, "A").unit
    assert unit is not None
    assert unit.read("current") == 1.0
    assert unit.attributes["current"].facets["maximum"] == "9"
    configuration = await lab.client.control_units.GetConfiguration(
        control_unit_pb2.GetConfigurationRequest(name=f"control_units/{lab.name}/A")
    )
    status = await lab.status("A")
    assert status.fingerprint == configuration.fingerprint
    assert [each.name for each in configuration.attributes] == ["current", "readback"]
    assert status.reached_generation == 1
    assert not status.unfenced
    session = await lab.session()
    assert (session.host, list(session.classes)) == (socket.gethostname(), ["Probe"])


async def test_every_state_on_the_way_is_in_the_life_of_a_unit(lab: Laboratory) -> None:
    await lab.declare("A")
    lab.serve()
    await lab.until_states(A=RUNNING)
    (life,) = await lab.lives("A")
    assert [State(each.state).name for each in life.states] == [
        "UNLOADED",
        "LOADED",
        "INITIALIZED",
        "RUNNING",
    ]
    assert life.fingerprint.startswith("v1:")


async def test_a_changed_desired_state_is_obeyed(lab: Laboratory) -> None:
    await lab.declare("A")
    lab.serve()
    await lab.until_states(A=RUNNING)
    await lab.declare("A", desired=State.STOPPED)
    await lab.until_states(A=State.STOPPED)
    await lab.declare("A", desired=State.UNLOADED)
    await lab.until_states(A=State.UNLOADED)
    await lab.declare("A", desired=RUNNING)
    await lab.until_states(A=RUNNING)


async def test_a_changed_configuration_is_applied_by_a_new_init(lab: Laboratory) -> None:
    await lab.declare("A", "B")
    server = lab.serve()
    await lab.until_states(A=RUNNING, B=RUNNING)
    await lab.declare("A", default="5")

    async def reached() -> bool:
        return (await lab.status("A")).reached_generation == 2

    await until(reached)
    unit = lab.unit(server, "A").unit
    assert unit is not None
    assert unit.read("current") == 5.0
    assert Probe.done.count("A init") == 2
    assert Probe.done.count("B init") == 1, "nobody touched its neighbour"
    await lab.until_states(A=RUNNING, B=RUNNING)


async def test_an_exception_is_seen_by_operators_and_stops_no_neighbour(lab: Laboratory) -> None:
    Probe.faults["A init"] = RecoverableError("no answer from 10.0.0.7")
    Probe.hangs.add("B init")
    await lab.declare("A", "B", "C")
    lab.serve()
    error = State.RECOVERABLE_ERROR
    await lab.until_states(A=error, B=error, C=RUNNING)
    assert (await lab.status("A")).message == "no answer from 10.0.0.7"
    assert "on_init did not end within 0.3 s" in (await lab.status("B")).message


async def test_a_unit_declared_later_is_taken_in_and_a_deleted_one_leaves(
    lab: Laboratory,
) -> None:
    await lab.declare("A")
    lab.serve()
    await lab.until_states(A=RUNNING)
    await lab.declare("B")
    await lab.until_states(A=RUNNING, B=RUNNING)
    await lab.client.control_units.DeleteControlUnit(
        control_unit_pb2.DeleteControlUnitRequest(name=f"control_units/{lab.name}/A", etag="*")
    )
    await until(lambda: "A deinit" in Probe.done)
    await lab.until_states(B=RUNNING)


async def test_a_second_live_copy_is_refused_with_who_holds_it(lab: Laboratory) -> None:
    await lab.declare("A")
    lab.serve()
    await lab.until_states(A=RUNNING)
    second = lab.serve()
    with pytest.raises(AlreadyRunning) as caught:
        await lab.ended(second)
    assert f"process {second.identity.pid} on {socket.gethostname()}" in str(caught.value)
    assert "since 20" in str(caught.value)
    assert "--take-over" in str(caught.value)
    assert Probe.done.count("A init") == 1, "its units were never touched"


async def test_a_take_over_has_the_first_let_go_of_its_hardware(lab: Laboratory) -> None:
    await lab.declare("A")
    first = lab.serve()
    await lab.until_states(A=RUNNING)
    lab.serve(take_over=True)
    with pytest.raises(Superseded, match="held by another process"):
        await lab.ended(first)
    assert "A deinit" in Probe.done
    await lab.until_states(A=RUNNING)


async def test_a_good_bye_ends_the_session_with_all_units_unloaded(lab: Laboratory) -> None:
    await lab.declare("A", "B")
    server = lab.serve()
    await lab.until_states(A=RUNNING, B=RUNNING)
    await lab.end(server)
    assert Probe.done[-2:] == ["A deinit", "B deinit"] or Probe.done[-2:] == [
        "B deinit",
        "A deinit",
    ]
    assert await lab.states() == {"A": State.UNLOADED, "B": State.UNLOADED}
    session = await lab.session()
    assert unit_server_pb2.EndReason.Name(session.end_reason) == "END_REASON_GOOD_BYE"


async def test_an_undeclared_unit_server_ends_or_waits_as_told(lab: Laboratory) -> None:
    with pytest.raises(Undeclared, match=f"mds adopt {lab.name}"):
        await lab.ended(lab.serve(waits_undeclared=False))
    with capture_logs() as logs:
        lab.serve()
        await until(lambda: any(each["event"] == "registration_refused" for each in logs))
    assert logs[0]["advice"] == f"declare it: mds adopt {lab.name}"
    await lab.declare("A")
    await lab.until_states(A=RUNNING)
