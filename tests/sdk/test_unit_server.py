"""Unit servers against a real metadata server."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from mds.v1 import control_unit_pb2, unit_server_pb2
from structlog.testing import capture_logs

from control_units import AlreadyRunning, RecoverableError, State, Superseded, Undeclared
from control_units.disk_copy import DiskCopy
from tests.sdk.laboratory import Laboratory, Probe, laboratory
from tests.sdk.wire import Wire
from tests.stages.ports import free_port
from tests.stages.replica import Replica
from tests.stages.waiting import until

# A lease that no slow machine outlives, and one for tests that are about its end.
LONG_LEASE = {"MDS_LEASE_S": "60", "MDS_HEARTBEAT_S": "1"}
SHORT_LEASE = {"MDS_LEASE_S": "2.5", "MDS_HEARTBEAT_S": "0.8"}
RUNNING = State.RUNNING

StartReplica = Callable[..., Awaitable[Replica]]


@pytest.fixture(scope="module")
def shared_replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """One replica for all tests that leave it alone."""
    folder = tmp_path_factory.mktemp("shared")
    replica = Replica(f"sqlite:///{folder}/mds.sqlite", folder, environment=LONG_LEASE)
    replica.program.start()
    yield replica
    replica.program.clear()


@pytest.fixture
async def lab(shared_replica: Replica, tmp_path: Path) -> AsyncIterator[Laboratory]:
    await shared_replica.ready()
    async with laboratory(shared_replica.address, tmp_path / "state") as found:
        yield found


@pytest.fixture
async def replica(start_replica: StartReplica, sqlite_database: str) -> Replica:
    """A replica that the test may hurt."""
    return await start_replica(sqlite_database, environment=LONG_LEASE)


@pytest.fixture
async def own_lab(replica: Replica, tmp_path: Path) -> AsyncIterator[Laboratory]:
    async with laboratory(replica.address, tmp_path / "state") as found:
        yield found


@pytest.fixture
async def hasty_replica(start_replica: StartReplica, sqlite_database: str) -> Replica:
    """A replica that soon gives a silent unit server up."""
    return await start_replica(sqlite_database, environment=SHORT_LEASE)


@pytest.fixture
async def hasty_lab(hasty_replica: Replica, tmp_path: Path) -> AsyncIterator[Laboratory]:
    async with laboratory(hasty_replica.address, tmp_path / "state") as found:
        yield found


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


async def test_after_a_crash_contact_is_lost_and_a_new_incarnation_comes_at_once(
    hasty_lab: Laboratory,
) -> None:
    lab = hasty_lab
    await lab.declare("A")
    first = lab.serve()
    await lab.until_states(A=RUNNING)
    await lab.crash(first)
    with pytest.raises(AlreadyRunning):
        await lab.ended(lab.serve())
    await lab.until_contact("SUSPECT")
    await lab.until_contact("LOST")
    lab.serve()
    await lab.until_contact("ALIVE")
    await lab.until_states(A=RUNNING)
    newest, oldest = await lab.lives("A")
    assert not newest.HasField("end_time")
    reason = unit_server_pb2.EndReason.Name(oldest.end_reason)
    assert reason in {"END_REASON_LEASE_ENDED", "END_REASON_SUPERSEDED"}


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


async def test_a_restarted_server_finds_the_session_as_it_was(
    own_lab: Laboratory, replica: Replica
) -> None:
    lab = own_lab
    await lab.declare("A")
    server = lab.serve()
    await lab.until_states(A=RUNNING)
    session = (await lab.session()).session
    replica.kill()
    unit = lab.unit(server, "A").unit
    assert unit is not None
    unit.fail("while nobody listened")
    await replica.start()
    await lab.until_states(A=State.RECOVERABLE_ERROR)
    assert (await lab.status("A")).message == "while nobody listened"
    assert (await lab.session()).session == session
    assert Probe.done.count("A init") == 1


async def test_units_start_from_the_copy_on_disk_when_no_server_answers(
    own_lab: Laboratory, replica: Replica
) -> None:
    lab = own_lab
    await lab.declare("A", default="3")
    first = lab.serve()
    await lab.until_states(A=RUNNING)
    copy = DiskCopy(lab.folder, lab.name)
    await until(lambda: copy.load() is not None)
    await lab.end(first)
    await lab.status("A")
    before = lab.client.position
    replica.kill()
    Probe.done.clear()

    server = lab.serve()
    await until(lambda: Probe.done == ["A init", "A start"])
    unit = lab.unit(server, "A")
    assert unit.standing.unfenced
    assert unit.unit is not None
    assert unit.unit.read("current") == 3.0

    await replica.start()
    await lab.until_states(A=RUNNING)

    async def confirmed() -> bool:
        return not (await lab.status("A")).unfenced

    await until(confirmed)
    assert Probe.done == ["A init", "A start"], "it was not touched again"
    fenced = [
        not each.unfenced
        for each in await lab.status_changes("A", before)
        if State(each.state) is RUNNING
    ]
    assert fenced == [False, True], "the server was told first that nobody had let it run"
    assert len(await lab.lives("A")) == 2


async def test_nobody_starts_from_nothing(
    tmp_path: Path, own_lab: Laboratory, replica: Replica
) -> None:
    lab = own_lab
    await lab.declare("A")
    replica.kill()
    with capture_logs() as logs:
        server = lab.serve(state_folder=tmp_path / "empty")
        await until(lambda: any(each["event"] == "registration_unanswered" for each in logs))
    assert not server.hosting.units
    await replica.start()
    await lab.until_states(A=RUNNING)


async def test_without_a_lease_units_stop_where_that_is_wanted(
    hasty_lab: Laboratory, hasty_replica: Replica
) -> None:
    lab, replica = hasty_lab, hasty_replica
    await lab.declare("A")
    server = lab.serve(on_lease_lost="stop")
    await lab.until_states(A=RUNNING)
    replica.kill()
    unit = lab.unit(server, "A")
    await until(lambda: unit.standing.state is State.STOPPED)
    await replica.start()
    await until(lambda: unit.standing.state is RUNNING)
    await lab.until_states(A=RUNNING)


async def test_without_a_lease_units_go_on_where_nothing_else_is_said(
    hasty_lab: Laboratory, hasty_replica: Replica
) -> None:
    lab, replica = hasty_lab, hasty_replica
    await lab.declare("A")
    server = lab.serve()
    await lab.until_states(A=RUNNING)
    with capture_logs() as logs:
        replica.kill()
        await until(lambda: any(each["event"] == "lease_lost" for each in logs))
        await lab.unit(server, "A").settled()
    assert lab.unit(server, "A").standing.state is RUNNING
    assert "A stop" not in Probe.done


async def test_an_undeclared_unit_server_ends_or_waits_as_told(lab: Laboratory) -> None:
    with pytest.raises(Undeclared, match=f"mds adopt {lab.name}"):
        await lab.ended(lab.serve(waits_undeclared=False))
    with capture_logs() as logs:
        lab.serve()
        await until(lambda: any(each["event"] == "registration_refused" for each in logs))
    assert logs[0]["advice"] == f"declare it: mds adopt {lab.name}"
    await lab.declare("A")
    await lab.until_states(A=RUNNING)


async def test_units_move_with_their_stream_to_another_replica(
    start_replica: StartReplica, sqlite_database: str, tmp_path: Path
) -> None:
    one = await start_replica(sqlite_database, environment=LONG_LEASE)
    other = await start_replica(sqlite_database, environment=LONG_LEASE)
    addresses = [one.address, other.address]
    async with laboratory(addresses, tmp_path / "state") as lab:
        await lab.declare("A")
        lab.serve()
        await lab.until_states(A=RUNNING)
        session = (await lab.session()).session
        await one.terminate()
        await lab.declare("A", desired=State.STOPPED)
        await lab.until_states(A=State.STOPPED)
        await one.start()
        other.kill()
        await lab.declare("A", desired=RUNNING)
        await lab.until_states(A=RUNNING)
        assert (await lab.session()).session == session


async def test_a_server_that_says_nothing_any_more_is_left(
    lab: Laboratory, shared_replica: Replica
) -> None:
    await lab.declare("A")
    async with Wire(shared_replica.address) as wire:
        server = lab.serve(address=[wire.address, shared_replica.address])
        server.client.leave(shared_replica.address)  # it asks the other one first
        await lab.until_states(A=RUNNING)
        session = (await lab.session()).session
        wire.cut()
        await lab.declare("A", desired=State.STOPPED)
        await lab.until_states(A=State.STOPPED)
        assert (await lab.session()).session == session
        wire.mend()
        await lab.end(server)


async def test_a_start_beside_a_dead_replica_needs_no_copy(
    start_replica: StartReplica, sqlite_database: str, tmp_path: Path
) -> None:
    replica = await start_replica(sqlite_database, environment=LONG_LEASE)
    dead = f"127.0.0.1:{free_port()}"
    async with laboratory(replica.address, tmp_path / "state") as lab:
        await lab.declare("A")
        first = lab.serve()
        copy = DiskCopy(lab.folder, lab.name)
        await until(lambda: copy.load() is not None)
        await lab.end(first)
        server = lab.serve(address=[dead, replica.address])
        server.client.leave(replica.address)
        with capture_logs() as logs:
            await until(lambda: server.hosting.units)
        assert not lab.unit(server, "A").standing.unfenced
        assert "started_from_copy_on_disk" not in [each["event"] for each in logs]


async def test_a_session_that_ended_meanwhile_is_followed_by_another(
    hasty_lab: Laboratory, hasty_replica: Replica
) -> None:
    lab = hasty_lab
    await lab.declare("A")
    async with Wire(hasty_replica.address) as wire:
        server = lab.serve(address=wire.address)
        await lab.until_states(A=RUNNING)
        before = (await lab.session()).session
        wire.cut()
        await lab.until_contact("LOST")
        wire.mend()
        await lab.until_contact("ALIVE")
        await lab.until_states(A=RUNNING)
        assert (await lab.session()).session != before
        assert Probe.done.count("A init") == 1, "it went on running all the time"
        assert len(await lab.lives("A")) == 2
        await lab.end(server)
