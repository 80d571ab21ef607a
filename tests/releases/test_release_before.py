"""What the release before left, its programs, and those of this one, on one database."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

from mds.v1.kind_pb2 import Kind

from control_units.client import Client
from metadata_server.domain.names import DECLARED
from tests.conftest import StartReplica
from tests.releases.release import CONTENTS, Release
from tests.stages.layout import lay_out
from tests.stages.mariadb import MariaDB
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

DIPOLE = "RING/MAG/DIP/DIPRG01"
LEASES = {"MDS_LEASE_S": "6", "MDS_HEARTBEAT_S": "1.5"}
"""So long processes wait for those that were killed when the database was filled."""


def runner_of_this(replica: Replica, folder: Path) -> Callable[..., Awaitable[str]]:
    """Runs `mds …` of this release against a replica; gives what it wrote."""
    numbers = count()

    async def run(*arguments: str) -> str:
        log = folder / f"mds-{replica.port}-{next(numbers)}.log"
        program = Program.mds(*arguments, log=log, environment=environment_of(replica, folder))
        program.start()
        status = await program.ended(within=90)
        assert status == 0, f"mds {' '.join(arguments)}: {program.output()}"
        return program.output()

    return run


def environment_of(replica: Replica, folder: Path) -> dict[str, str]:
    return {
        "MDS_ADDRESS": replica.address,
        "MDS_PRINCIPAL": "operator@two-releases",
        "XDG_STATE_HOME": str(folder),
    }


async def test_this_release_has_all_that_the_one_before_left(
    before: Release, start_replica: StartReplica, tmp_path: Path
) -> None:
    replica = await start_replica(before.fill_sqlite(tmp_path / "left.sqlite"))
    rows = json.loads((before.folder / CONTENTS).read_text())["rows"]

    async with Client(replica.address, principal="operator@after") as client:
        found = {
            kind.value: [each async for each in client.export(Kind.Value(f"KIND_{kind.name}"))]
            for kind in DECLARED
        }
        operations = [each async for each in client.operations.list()]
        versions = rows["template_version"]
        assert {kind: len(each) for kind, each in found.items()} == {
            kind: versions if kind == "template" else rows[kind] for kind in found
        }
        assert len(operations) == rows["operation"]
        changed = await client.control_units.get(DIPOLE)
        changed.description = "of the release after"
        after = await client.control_units.update(changed, "description")
        assert after.etag > changed.etag


@asynccontextmanager
async def heard(*replicas: Replica) -> AsyncIterator[list[list[tuple[int, str]]]]:
    """What followers of each replica are told of control units: revisions and names."""
    told: list[list[tuple[int, str]]] = [[] for _ in replicas]

    async def follow(client: Client, events: list[tuple[int, str]]) -> None:
        async with client.changes(Kind.KIND_CONTROL_UNIT) as changes:
            async for word in changes:
                events += [(each.revision, each.control_unit.name) for each in word.events]

    clients = [Client(each.address) for each in replicas]
    async with asyncio.TaskGroup() as tasks:
        following = [
            tasks.create_task(follow(client, events))
            for client, events in zip(clients, told, strict=True)
        ]
        try:
            yield told
        finally:
            for task in following:
                task.cancel()
            for client in clients:
                await client.close()


async def test_both_releases_serve_one_database(
    before: Release,
    mariadb: MariaDB,
    empty_mariadb_database: str,
    start_replica: StartReplica,
    tmp_path: Path,
    ending: ExitStack,
) -> None:
    url = before.fill_mariadb(mariadb, empty_mariadb_database)
    lay_out(url)
    old = before.replica(url, tmp_path, environment=LEASES)
    ending.callback(old.program.clear)
    old.program.start()
    new = await start_replica(url, environment=LEASES)
    await old.ready()

    def old_mds(*arguments: str) -> str:
        return before.run(*arguments, environment=environment_of(new, tmp_path))

    this_mds = runner_of_this(old, tmp_path)
    of_old = before.program(
        "simulate", "RING/MAGNETS", log=tmp_path / "old.log",
        environment=environment_of(new, tmp_path),
    )  # fmt: skip
    of_new = Program.mds(
        "simulate", "DIAGNOSTICS/BPMS", log=tmp_path / "new.log",
        environment=environment_of(old, tmp_path),
    )  # fmt: skip
    for each in (of_old, of_new):
        ending.callback(each.clear)
        each.start()
    async with heard(old, new) as told, Client(new.address) as client:
        orders = ("--yes", "--wait", "--within", "60", "--attempts", "5", "--retry-delay", "1s")
        await until(lambda: len(told) == 2)
        await this_mds("stop", "--unit-server", "DIAGNOSTICS/BPMS", *orders)
        await asyncio.to_thread(old_mds, "start", "--unit-server", "RING/MAGNETS", *orders)
        first = await client.control_units.get(DIPOLE)
        change = ("--set", "overrides[current].maximum=555", "--yes", "--reason", "both")
        await asyncio.to_thread(old_mds, "edit", DIPOLE, *change)
        assert "555" in await this_mds("show", DIPOLE)
        await this_mds("undo", "last", "--yes")
        last = await client.control_units.get(DIPOLE)
        assert list(last.overrides) == list(first.overrides)
        shown = await asyncio.to_thread(old_mds, "history", DIPOLE, "-o", "json")
        assert shown.count("both") == 1
        name = f"control_units/{DIPOLE}"
        await until(lambda: told[0] == told[1] and told[0][-1][1] == name, what="all news")
    for each in (of_old, of_new, old.program):
        each.check_running()
