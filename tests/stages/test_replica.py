"""The replica stage is the real server, and can be hurt."""

from pathlib import Path

from tests.conftest import StartReplica
from tests.stages.mariadb import PASSWORD, MariaDB
from tests.stages.replica import Replica
from tests.stages.waiting import until


async def test_a_replica_is_ready_on_either_database(replica: Replica) -> None:
    assert await replica.health() == "SERVING"
    assert await replica.health("ready") == "SERVING"


async def test_two_replicas_serve_one_database(
    start_replica: StartReplica, mariadb_database: str
) -> None:
    first, second = await start_replica(mariadb_database), await start_replica(mariadb_database)
    assert first.address != second.address
    assert await second.health("ready") == "SERVING"


async def test_a_killed_replica_answers_nobody_until_it_is_restarted(replica: Replica) -> None:
    replica.kill()
    assert await replica.health() == "UNREACHABLE"

    await replica.restart()

    assert await replica.health("ready") == "SERVING"


async def test_a_terminated_replica_ends_well(replica: Replica) -> None:
    assert await replica.terminate() == 0


async def test_without_its_database_a_replica_lives_and_is_not_ready(
    start_replica: StartReplica, mariadb_database: str, mariadb: MariaDB
) -> None:
    replica = await start_replica(mariadb_database)
    mariadb.kill()

    async def is_not_ready() -> bool:
        return await replica.health("ready") == "NOT_SERVING"

    await until(is_not_ready, within=20)
    assert await replica.health() == "SERVING"

    mariadb.start()
    await replica.ready()


async def test_the_password_of_a_database_is_in_no_log(
    start_replica: StartReplica, mariadb_database: str, tmp_path: Path
) -> None:
    replica = await start_replica(mariadb_database)
    await replica.terminate()
    assert "serving" in replica.program.output()
    assert all(PASSWORD not in log.read_text() for log in tmp_path.glob("*.log"))
