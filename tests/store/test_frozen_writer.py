"""A process that stands still in the middle of a transaction, as one whose host lost its power:
its connections never close."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from metadata_server.store import unit_of_work
from metadata_server.store.database import open_database
from metadata_server.store.migration import migrate
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.program import Program
from tests.stages.waiting import until

ROOT = Path(__file__).resolve().parents[2]
FREEZES = """
import os, signal, sys
from metadata_server.store.database import open_database

database = open_database(sys.argv[1], idle_transaction_s=1)
with database.writing.begin() as connection:
    connection.exec_driver_sql("UPDATE counter SET value = 7")
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.fixture
def frozen(mariadb_database: str, tmp_path: Path) -> Iterator[Program]:
    program = Program(
        [sys.executable, "-c", FREEZES, mariadb_database],
        log=tmp_path / "frozen.log",
        environment={"PYTHONPATH": str(ROOT)},
    )
    yield program
    program.clear()


def stands_still(program: Program) -> bool:
    program.check_running()
    stat = Path(f"/proc/{program.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


async def test_its_locks_are_taken_from_it_and_what_it_had_begun_is_taken_back(
    mariadb_database: str, frozen: Program
) -> None:
    database = open_database(mariadb_database)
    try:
        with database.writing.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE counter (value INT)")
            connection.exec_driver_sql("INSERT INTO counter VALUES (1)")
        frozen.start()
        await until(lambda: stands_still(frozen), within=30)
        with database.writing.begin() as connection:
            connection.exec_driver_sql("SET innodb_lock_wait_timeout = 15")
            connection.exec_driver_sql("UPDATE counter SET value = value + 1")
            assert connection.exec_driver_sql("SELECT value FROM counter").scalar_one() == 2
    finally:
        database.dispose()
    os.killpg(frozen.pid, signal.SIGCONT)
    assert await frozen.ended() != 0, "it was told that nothing of it is left"


def test_a_replica_may_think_for_as_long_as_it_says(mariadb_database: str) -> None:
    database = open_database(mariadb_database, idle_transaction_s=17)
    try:
        for engine, expected in ((database.writing, 17), (database.reading, 0)):
            with engine.begin() as connection:
                found = connection.exec_driver_sql("SELECT @@idle_transaction_timeout")
                assert found.scalar_one() == expected
    finally:
        database.dispose()


def test_one_that_only_thinks_for_long_keeps_its_locks(
    mariadb_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_of_work, "SILENCE_S", 0.3)
    database = open_database(mariadb_database, idle_transaction_s=1)
    migrate(database)
    store = Store(database, threads=1)

    def think(unit: UnitOfWork) -> int:
        unit.claim()
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            unit.give_word()
        return unit.claim().position.revision

    try:
        assert store.transact_now(think).value == 1
    finally:
        store.close()
