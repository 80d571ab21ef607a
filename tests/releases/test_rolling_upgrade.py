"""All servers are replaced by those of the next release, and nobody's call fails."""

import logging
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.releases.load import Load
from tests.releases.release import Release
from tests.stages.balancer import Balancer, what_is_missing
from tests.stages.mariadb import MariaDB, name_in
from tests.stages.ports import free_port
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.requirements import needs
from tests.stages.waiting import until

HOSTED = ("RING/MAGNETS", "DIAGNOSTICS/BPMS")
ORDERED = "RING/MAG/DIP/DIPRG01"
KINDS_OF_WORK = 7
NEXT = [sys.executable, "-m", "tests.releases.next_release"]
SETTINGS = {"MDS_DRAIN_S": "3", "MDS_LEASE_S": "9", "MDS_HEARTBEAT_S": "3"}


def as_next(replica: Replica) -> None:
    """From its next start on it is of the next release."""
    for program in (replica.program, replica.migration):
        program.command = [*NEXT, program.command[-1]]
        program.environment = {k: v for k, v in program.environment.items() if k != "PYTHONPATH"}


@pytest.mark.timeout(400)  # about 40 s of processor time
async def test_no_call_fails_while_all_servers_are_replaced(
    before: Release,
    mariadb: MariaDB,
    empty_mariadb_database: str,
    tmp_path: Path,
    ending: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs(what_is_missing())
    url = before.fill_mariadb(mariadb, empty_mariadb_database)
    replicas = [before.replica(url, tmp_path, environment=SETTINGS) for _ in range(3)]
    for replica in replicas:
        ending.callback(replica.program.clear)
        replica.program.start()
    for replica in replicas:
        await replica.ready()
    balancer = Balancer(replicas, tmp_path)
    ending.callback(balancer.program.clear)
    await balancer.start()
    hosts = [host(id, balancer.address, tmp_path) for id in HOSTED]
    for each in hosts:
        ending.callback(each.clear)
        each.start()
    port = free_port()
    page = Program.mds(
        "web",
        log=tmp_path / "web.log",
        environment={"MDS_ADDRESS": balancer.address, "MDS_WEB_PORT": str(port)},
    )
    ending.callback(page.clear)
    page.start()
    await until(lambda: "listening" in page.output(), what="the page to listen")
    load = Load(balancer.address, balancer.http, f"http://127.0.0.1:{port}", ORDERED)
    async with load.working(monkeypatch):
        await until(lambda: load.done["write"] > 20 and len(load.done) == KINDS_OF_WORK, within=60)
        as_next(replicas[0])
        await broken_off(replicas[0], mariadb, name_in(url))
        await replicas[0].migrate()
        for number, replica in enumerate(replicas, 1):
            as_next(replica)
            assert await replica.terminate() == 0
            await replica.start()
            await until(partial(balancer.is_up, number), what="the balancer's view")
    for each in hosts:
        each.check_running()
    told = f"{load.done}, {load.retried} tries repeated"
    logging.getLogger(__name__).info(told)
    assert load.failed == [], told
    assert min(load.done.values()) > 1, told
    assert load.seen == load.written


async def broken_off(replica: Replica, mariadb: MariaDB, database: str) -> None:
    """A migration is killed while it waits for a table: half of its step is done."""
    with mariadb.in_use(f"{database}.control_unit"):
        replica.migration.start()
        made = partial(mariadb.execute, f"SHOW TABLES FROM {database} LIKE 'rack'")
        await until(made, within=60, what="the first change of the schema")
        replica.migration.kill()
    (step,) = mariadb.execute(f"SELECT version_num FROM {database}.alembic_version")
    assert step != ("9001",)


def host(id: str, address: str, folder: Path) -> Program:
    environment = {"MDS_ADDRESS": address, "XDG_STATE_HOME": str(folder)}
    log = folder / f"{id.replace('/', '-')}.log"
    return Program.mds("simulate", id, log=log, environment=environment)
