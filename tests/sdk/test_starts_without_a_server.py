"""Unit servers that start while nobody can tell them what is wanted: from their copy on disk."""

import sqlite3
from contextlib import closing
from pathlib import Path

from structlog.testing import capture_logs

from control_units import State
from control_units.disk_copy import DiskCopy
from tests.sdk.conftest import StartReplica
from tests.sdk.laboratory import LONG_LEASE, Laboratory, Probe, laboratory
from tests.stages.mariadb import MariaDB
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


async def test_servers_that_cannot_ask_their_database_are_as_good_as_none(
    start_replica: StartReplica, mariadb: MariaDB, mariadb_database: str, tmp_path: Path
) -> None:
    replicas = [await start_replica(mariadb_database, environment=LONG_LEASE) for _ in range(2)]
    addresses = [each.address for each in replicas]
    async with laboratory(addresses, tmp_path / "state") as lab:
        await ran_before(lab)
        mariadb.kill()
        with capture_logs() as logs:
            server = lab.serve()
            await until(lambda: "A start" in Probe.done, within=20)
        refused = [each["error"] for each in logs if each["event"] == "registration_refused"]
        assert refused
        assert all(each.startswith("DATABASE_UNAVAILABLE") for each in refused)
        assert lab.unit(server, "A").standing.unfenced
        mariadb.restart()
        await lab.until_states(A=State.RUNNING, within=30)
        await until(lambda: not lab.unit(server, "A").standing.unfenced)
        assert Probe.done == ["A init", "A start"], "it was not touched again"
        await lab.end(server)


def lose_counter(database: str) -> None:
    """As the database is while a backup is restored to it."""
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as file, file:
        file.execute("DELETE FROM revision")


async def test_a_server_whose_database_is_being_restored_is_as_good_as_none(
    own_lab: Laboratory, sqlite_database: str
) -> None:
    lab = own_lab
    await ran_before(lab)
    lose_counter(sqlite_database)
    with capture_logs() as logs:
        server = lab.serve()
        await until(lambda: "A start" in Probe.done)
    assert any(each.get("error", "").startswith("SCHEMA_UNKNOWN") for each in logs)
    assert lab.unit(server, "A").standing.unfenced


async def test_a_start_beside_a_server_that_cannot_decide_needs_no_copy(
    own_lab: Laboratory, sqlite_database: str, lab: Laboratory
) -> None:
    await ran_before(own_lab)
    lose_counter(sqlite_database)
    lab.name = own_lab.name
    await lab.declare("A", default="4")
    addresses = [*own_lab.client.addresses, *lab.client.addresses]
    server = lab.serve(address=addresses, state_folder=own_lab.folder)
    server.client.leave(*lab.client.addresses)  # it asks the other one first
    with capture_logs() as logs:
        await lab.until_states(A=State.RUNNING)
    assert "registration_refused" in [each["event"] for each in logs]
    assert "started_from_copy_on_disk" not in [each["event"] for each in logs]
