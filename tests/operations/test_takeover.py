"""A replica that ends leaves what it carries on to others."""

import contextlib
import sqlite3
import time
from pathlib import Path

from tests.conftest import StartReplica
from tests.operations.section import START, PowerSupply, Section, some
from tests.stages.replica import Replica
from tests.stages.waiting import until


def holders(database: str) -> list[tuple[str, bool]]:
    """Of all operations who holds them, and whether a replica may take them up now."""
    connection = sqlite3.connect(database.removeprefix("sqlite:///"))
    with contextlib.closing(connection):
        rows = connection.execute("SELECT replica, due_us FROM operation").fetchall()
    return [(replica, due_us <= time.time() * 1_000_000) for replica, due_us in rows]


async def test_a_replica_that_is_told_to_end_leaves_its_operations_to_be_taken_up_at_once(
    start_replica: StartReplica, sqlite_database: str, tmp_path: Path
) -> None:
    replica: Replica = await start_replica(sqlite_database, environment={"MDS_REPLICA": "first"})
    section = Section(replica.address, tmp_path)
    PowerSupply.heal()
    await section.declare(*some(1))
    PowerSupply.waits.add("LAB/1")
    async with section.hosted():
        operation = await section.order(START)

        async def is_under_way() -> bool:
            return (await section.get(operation.name)).counts.executing == 1

        await until(is_under_way)
        assert holders(sqlite_database) == [("first", False)]
        assert await replica.terminate() == 0
        assert holders(sqlite_database) == [("", True)]
        PowerSupply.heal()
    await section.client.close()
