"""Unit servers that lose contact with their metadata server, and come back."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from mds.v1 import unit_server_pb2
from structlog.testing import capture_logs

from control_units import AlreadyRunning, State
from control_units.disk_copy import DiskCopy
from control_units.unit_server import GOODBYE_S, UnitServer
from tests.sdk.laboratory import LONG_LEASE, Laboratory, Probe, laboratory
from tests.sdk.wire import Wire
from tests.stages.ports import free_port
from tests.stages.replica import Replica
from tests.stages.waiting import until

RUNNING = State.RUNNING
StartReplica = Callable[..., Awaitable[Replica]]


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
    await lab.until_contact("LOST")
    lab.serve()
    await lab.until_contact("ALIVE")
    await lab.until_states(A=RUNNING)
    newest, oldest = await lab.lives("A")
    assert not newest.HasField("end_time")
    reason = unit_server_pb2.EndReason.Name(oldest.end_reason)
    assert reason in {"END_REASON_LEASE_ENDED", "END_REASON_SUPERSEDED"}


async def test_a_restarted_server_finds_the_session_as_it_was(
    own_lab: Laboratory, own_replica: Replica
) -> None:
    lab, replica = own_lab, own_replica
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


async def test_without_a_server_there_is_nobody_to_wait_for_at_the_end(
    own_lab: Laboratory, own_replica: Replica
) -> None:
    lab, replica = own_lab, own_replica
    await lab.declare("A")
    server = lab.serve()
    await lab.until_states(A=RUNNING)
    with capture_logs() as logs:
        replica.kill()
        await until(lambda: any(each["event"] == "stream_broken" for each in logs))
        begun = time.monotonic()
        await lab.end(server)
    assert time.monotonic() - begun < GOODBYE_S
    assert Probe.done[-1] == "A deinit"


async def test_units_start_from_the_copy_on_disk_when_no_server_answers(
    own_lab: Laboratory, own_replica: Replica
) -> None:
    lab, replica = own_lab, own_replica
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
    tmp_path: Path, own_lab: Laboratory, own_replica: Replica
) -> None:
    lab, replica = own_lab, own_replica
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


class Failing(UnitServer):
    """Its link fails with each renewal of the lease once a test says so."""

    fails = False

    def _lease_renewed(self) -> None:
        super()._lease_renewed()
        if self.fails:
            raise RuntimeError("nobody foresaw this")


async def test_a_link_that_failed_does_not_keep_the_lease_from_running_out(
    hasty_lab: Laboratory, hasty_replica: Replica
) -> None:
    lab, replica = hasty_lab, hasty_replica
    await lab.declare("A")
    server = Failing(
        [Probe],
        lab.name,
        address=lab.client.addresses,
        state_folder=lab.folder,
        on_lease_lost="stop",
    )
    lab.begin(server)
    await lab.until_states(A=RUNNING)
    with capture_logs() as logs:
        server.fails = True
        await until(lambda: any(each["event"] == "link_failed" for each in logs))
    replica.kill()
    await until(lambda: lab.unit(server, "A").standing.state is State.STOPPED)


class Counting(UnitServer):
    """Counts the renewals of its lease that it believes."""

    renewals = 0

    def _lease_renewed(self) -> None:
        super()._lease_renewed()
        self.renewals += 1


async def test_an_answer_that_was_held_back_promises_nothing_that_is_over(
    hasty_lab: Laboratory, hasty_replica: Replica
) -> None:
    lab = hasty_lab
    await lab.declare("A")
    async with Wire(hasty_replica.address) as wire:
        server = Counting([Probe], lab.name, address=wire.address, state_folder=lab.folder)
        lab.begin(server)
        await lab.until_states(A=RUNNING)
        # By the registration, the hello and two heartbeats: from now on these come alone.
        await until(lambda: server.renewals >= 4)
        wire.down.cut()
        await until(lambda: wire.down.is_holding, what="the answer to the next heartbeat")
        wire.up.cut()
        await until(lambda: wire.up.is_holding, what="a heartbeat that nobody hears")
        wire.down.mend()
        await lab.until_contact("LOST")
        assert not server.has_lease, "it believes in what may be somebody else's by now"
        wire.mend()
        await lab.until_contact("ALIVE")
        await until(lambda: server.has_lease)
        await lab.end(server)


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
