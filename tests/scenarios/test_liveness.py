"""What operators see of unit servers when processes, replicas and databases die."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from mds.v1 import watch_pb2
from mds.v1.kind_pb2 import KIND_UNIT_SERVER_STATUS
from mds.v1.state_pb2 import Contact
from mds.v1.unit_server_pb2 import END_REASON_LEASE_ENDED, END_REASON_UNSPECIFIED

from control_units import State
from control_units.client import Client, ClientError
from tests.sdk.laboratory import Laboratory, laboratory
from tests.stages.mariadb import MariaDB
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

StartReplica = Callable[..., Awaitable[Replica]]
QUICK = {"MDS_LEASE_S": "6", "MDS_HEARTBEAT_S": "1.5"}
LEASE_S = 6.0


@pytest.fixture
async def quick(start_replica: StartReplica, database: str) -> Replica:
    """A replica whose leases are short."""
    return await start_replica(database, environment=QUICK)


async def time_passes(seconds: float) -> None:
    """Lets so much time pass: not to wait for something, but because it shall be gone."""
    end = time.monotonic() + seconds
    await until(lambda: time.monotonic() >= end, within=seconds + 1)


@asynccontextmanager
async def contacts_told(client: Client) -> AsyncIterator[list[str]]:
    """The contacts of all unit servers, as a watcher is told them from now on."""
    told: list[str] = []
    position = watch_pb2.WatchRequest(kinds=[KIND_UNIT_SERVER_STATUS])
    begun = asyncio.Event()

    async def watch() -> None:
        while True:
            try:
                async for response in client.watch.Watch(position):
                    position.position.CopyFrom(response.position)
                    begun.set()
                    told.extend(
                        Contact.Name(event.unit_server_status.contact).removeprefix("CONTACT_")
                        for event in response.events
                    )
            except ClientError:
                await asyncio.sleep(0.1)  # the server is away; the watch is resumed

    task = asyncio.create_task(watch())
    try:
        await asyncio.wait_for(begun.wait(), 20)
        yield told
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_a_killed_unit_server_is_suspect_then_lost_and_a_new_one_comes_at_once(
    quick: Replica, tmp_path: Path
) -> None:
    async with laboratory(quick.address, tmp_path) as lab:
        await lab.declare("A", "B")
        environment = {"MDS_ADDRESS": quick.address, "MDS_STATE_FOLDER": str(tmp_path)}
        program = Program.mds(
            "simulate", lab.name, log=tmp_path / "unit-server.log", environment=environment
        )
        program.start()
        try:
            await lab.until_states(A=State.RUNNING, B=State.RUNNING, within=30)
            async with contacts_told(lab.client) as told:
                program.kill()
                await until(lambda: "LOST" in told, within=40, what="the loss")
            assert told.index("SUSPECT") < told.index("LOST")
            session = await lab.session()
            assert session.end_reason == END_REASON_LEASE_ENDED
            (life,) = await lab.lives("A")
            assert life.end_time == session.end_time
            program.start()
            await lab.until_contact("ALIVE", within=30)
            await lab.until_states(A=State.RUNNING, B=State.RUNNING, within=30)
            assert await program.terminate(within=15) == 0
        finally:
            program.clear()


@pytest.mark.parametrize("fault", ["paused", "killed"])
async def test_a_fault_of_the_database_longer_than_a_lease_loses_nobody(
    start_replica: StartReplica,
    mariadb: MariaDB,
    mariadb_database: str,
    tmp_path: Path,
    fault: str,
) -> None:
    replica = await start_replica(mariadb_database, environment=QUICK)
    async with laboratory(replica.address, tmp_path) as lab:
        await lab.declare("A", "B")
        lab.serve()
        await lab.until_states(A=State.RUNNING, B=State.RUNNING, within=20)
        before = await lab.session()
        async with contacts_told(lab.client) as told:
            mariadb.pause() if fault == "paused" else mariadb.kill()
            await time_passes(LEASE_S + 3)
            mariadb.heal()
            await until(lambda: told[-1:] == ["ALIVE"], within=40, what="contact again")
        assert "UNKNOWN" in told
        assert "LOST" not in told
        after = await lab.session()
        assert after.session == before.session
        assert after.end_reason == END_REASON_UNSPECIFIED
        (life,) = await lab.lives("A")
        assert not life.HasField("end_time")


async def test_a_restart_of_the_only_replica_after_a_lease_loses_nobody(
    quick: Replica, tmp_path: Path
) -> None:
    async with laboratory(quick.address, tmp_path) as lab:
        await lab.declare("A")
        lab.serve()
        await lab.until_states(A=State.RUNNING, within=20)
        before = await lab.session()
        quick.kill()
        await time_passes(LEASE_S + 2)
        await quick.start()
        await lab.until_contact("ALIVE", within=30)
        after = await lab.session()
        assert after.session == before.session
        assert after.end_reason == END_REASON_UNSPECIFIED


async def test_what_is_changed_at_one_replica_is_told_to_units_attached_to_another(
    start_replica: StartReplica, mariadb_database: str, tmp_path: Path
) -> None:
    here = await start_replica(mariadb_database)
    there = await start_replica(mariadb_database)
    async with (
        laboratory(here.address, tmp_path) as lab,
        Client(there.address) as other,
    ):
        await lab.declare("A")
        lab.serve()
        await lab.until_states(A=State.RUNNING, within=20)
        elsewhere = Laboratory(other, tmp_path, lab.name)
        await elsewhere.declare("A", desired=State.STOPPED)
        await lab.until_states(A=State.STOPPED, within=10)


async def test_a_boot_storm_that_meets_a_dead_database_converges_when_it_is_back(
    start_replica: StartReplica, mariadb: MariaDB, mariadb_database: str, tmp_path: Path
) -> None:
    replica = await start_replica(mariadb_database, environment=QUICK)
    ids = [f"U{number}" for number in range(20)]
    async with AsyncExitStack() as stack:
        labs = [
            await stack.enter_async_context(laboratory(replica.address, tmp_path)) for _ in range(5)
        ]
        for lab in labs:
            await lab.declare(*ids)
        servers = [lab.serve() for lab in labs]
        await until(
            lambda: any(server.hosting.units for server in servers), what="the first registration"
        )
        mariadb.kill()
        await time_passes(LEASE_S + 3)
        mariadb.heal()
        for lab in labs:
            await lab.until_states(within=60, **dict.fromkeys(ids, State.RUNNING))
        for lab in labs:
            await nothing_is_half_written(lab, ids)


async def nothing_is_half_written(lab: Laboratory, ids: list[str]) -> None:
    """Each unit has one life that goes on, in the one session of its unit server."""
    session = await lab.session()
    assert session.end_reason == END_REASON_UNSPECIFIED
    for unit_id in ids:
        going_on = [life for life in await lab.lives(unit_id) if not life.HasField("end_time")]
        assert [life.session for life in going_on] == [session.session]
        assert (await lab.status(unit_id)).session == session.session
