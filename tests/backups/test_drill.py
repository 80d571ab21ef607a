"""The drill: a facility that runs is backed up while people write, is lost, and comes back from
the backup on a database of the other kind."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mds.v1.state_pb2 import State
from mds.v1.variable_pb2 import Variable

from control_units.cli.servers.run import example_facility
from control_units.client import Client, HistoryGone
from control_units.client.changes import Changes
from tests.backups.conftest import Open, backed_up, restored
from tests.cli.conftest import run_mds
from tests.conftest import StartReplica
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

HOSTED = "DIAGNOSTICS/BPMS"
OF_HOSTED = f"unit_server={HOSTED}"
DEADLINE_S = 60


async def exported(replica: Replica, *options: str) -> str:
    ended = await run_mds("export", *options, environment={"MDS_ADDRESS": replica.address})
    assert ended.code == 0, ended.err
    return ended.out


async def running(client: Client) -> set[str]:
    """Units of the unit server that runs, with the sessions that say so."""
    statuses = [each async for each in client.control_unit_statuses.list(filter=OF_HOSTED)]
    if not statuses or any(each.state != State.STATE_RUNNING for each in statuses):
        return set()
    return {each.session for each in statuses}


@asynccontextmanager
async def people_writing(client: Client) -> AsyncIterator[list[str]]:
    """Variables that are created one after the other, all the while."""
    written: list[str] = []

    async def write() -> None:
        while True:
            name = f"variables/written-{len(written)}"
            await client.variables.create(Variable(name=name, value="1"))
            written.append(name)

    task = asyncio.create_task(write())
    try:
        yield written
    finally:
        task.cancel()
        await asyncio.wait([task])


async def told_of_the_reset(changes: Changes) -> None:
    with pytest.raises(HistoryGone):
        async with asyncio.timeout(DEADLINE_S):
            await all_of(changes)


async def all_of(changes: Changes) -> None:
    async for _ in changes:
        pass


async def backed_up_under_load(client: Client, database: str, file: str) -> str:
    """The revision that the backup has."""
    async with people_writing(client) as written:
        await until(lambda: len(written) > 3)
        made = await run_mds("backup", file, environment={"MDS_DATABASE_URL": database})
        count = len(written)
        await until(lambda: len(written) > count)  # nobody was held up
    assert made.code == 0, made.err
    return made.out.split("revision ")[1].split()[0]


async def come_back(client: Client, sessions: set[str]) -> None:
    """All units run, in other sessions than before."""

    async def others() -> bool:
        now = await running(client)
        return bool(now) and now.isdisjoint(sessions)

    await until(others, within=DEADLINE_S)


@pytest.fixture
def units(first: Replica, tmp_path: Path) -> Iterator[Program]:
    """The process of a unit server, which outlives everything else."""
    program = Program.mds(
        "simulate", HOSTED, log=tmp_path / "units.log",
        environment={"MDS_ADDRESS": first.address, "MDS_STATE_FOLDER": str(tmp_path / "state")},
    )  # fmt: skip
    yield program
    program.clear()


@pytest.fixture
async def first(start_replica: StartReplica, mariadb_database: str) -> Replica:
    return await start_replica(mariadb_database)


@pytest.fixture
def second(first: Replica, tmp_path: Path) -> Iterator[Replica]:
    """To be, where the first was, on a database that is not there yet."""
    ports = {"MDS_GRPC_PORT": str(first.port), "MDS_HTTP_PORT": str(first.http_port)}
    replica = Replica(f"sqlite:///{tmp_path}/new.sqlite", tmp_path, environment=ports)
    replica.port, replica.http_port = first.port, first.http_port
    yield replica
    replica.program.clear()


async def test_a_facility_comes_back_on_a_database_of_the_other_kind(
    first: Replica,
    second: Replica,
    units: Program,
    empty_mariadb_database: str,
    tmp_path: Path,
    start_replica: StartReplica,
    opens: Open,
) -> None:
    file, address = str(tmp_path / "night.mdsbackup"), {"MDS_ADDRESS": first.address}
    loaded = await run_mds("apply", str(example_facility()), "--yes", environment=address)
    assert loaded.code == 0, loaded.err
    units.start()
    async with Client(first.address, principal="anna") as client:
        sessions = await until(lambda: running(client), within=DEADLINE_S)
        revision = await backed_up_under_load(client, first.database, file)
        wanted = await exported(first, "--as-of", revision)
        changes = client.changes()
        await anext(changes)
        first.kill()  # and all that it had

        restoring = await run_mds("restore", file, "--database", second.database)
        assert restoring.code == 0, restoring.err
        await second.start()
        await told_of_the_reset(changes)
        await come_back(client, sessions)
        assert await exported(second) == wanted
        await client.variables.create(Variable(name="variables/new", value="1"))
    after = await exported(second)
    await second.terminate()
    between, last = opens(empty_mariadb_database), f"sqlite:///{tmp_path}/last.sqlite"
    restored(between, backed_up(opens(second.database)))
    restored(opens(last), backed_up(between))
    assert await exported(await start_replica(last)) == after
