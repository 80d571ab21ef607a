"""The database knows of when its last backup is, and metadata servers tell its age."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from metadata_server.api.facility_figures import FacilityFigures
from metadata_server.services import counts
from metadata_server.services.backups.backing_up import read_back
from metadata_server.services.counts import Counts
from metadata_server.services.intent.resources import Resources
from metadata_server.services.replicas import Replicas
from metadata_server.services.watching.overview import Overviews
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.backups.mark import backup_mark, write_mark
from metadata_server.store.database import Database
from tests.backups.conftest import Open, backed_up, restored
from tests.cli.conftest import run_mds
from tests.services.lively import CALLER, SUPPLY
from tests.stages.mariadb import MariaDB, name_in
from tests.stages.opened_store import opened_store

AGE = re.compile(r"^mds_backup_age_seconds (\S+)$", re.MULTILINE)
DAY_S, YOUNG_S = 86_400, 600
DAY_US = DAY_S * 1_000_000


async def age_s(figures: FacilityFigures) -> float | None:
    found = AGE.search((await figures.text()).decode())
    return float(found[1]) if found else None


def marks(database: Database) -> list[int]:
    with database.reading.connect() as connection:
        return [row.time_us for row in connection.execute(backup_mark.select())]


async def test_a_server_tells_the_age_of_the_last_backup(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "AGE_S", 0.0)
    with opened_store(database) as store:
        found = Counts(store, Overviews(store, Tailer(store), age_s=600), Replicas(store))
        figures = FacilityFigures(found, CollectorRegistry())
        assert await age_s(figures) is None  # nothing to be kept
        await Resources(store).create(CALLER, SUPPLY, validate_only=False)
        assert 0 <= (await age_s(figures) or -1) < YOUNG_S
        with store.database.writing.begin() as connection:
            now_us = connection.execute(select(store.database.now_us)).scalar_one()
            write_mark(connection, now_us - DAY_US)
        assert DAY_S <= (await age_s(figures) or -1) < DAY_S + YOUNG_S
        file = str(tmp_path / "now.mdsbackup")
        made = await run_mds("backup", file, environment={"MDS_DATABASE_URL": database})
        assert (made.code, made.err) == (0, "")
        assert 0 <= (await age_s(figures) or -1) < YOUNG_S


async def test_a_restored_store_is_as_old_as_its_backup(
    sqlite_database: str, empty_mariadb_database: str, opens: Open
) -> None:
    source, target = opens(sqlite_database), opens(empty_mariadb_database)
    with source.writing.begin() as connection:
        write_mark(connection, 7)
    done = restored(target, backed_up(source))
    assert marks(target) == [done.header.time_us]


@pytest.fixture
def reader(mariadb: MariaDB, mariadb_database: str) -> Iterator[str]:
    """URL for one who may only read."""
    user = "'reader'@'127.0.0.1'"
    mariadb.execute(
        f"CREATE USER {user} IDENTIFIED BY 'reads'",
        f"GRANT SELECT ON {name_in(mariadb_database)}.* TO {user}",
    )
    address = mariadb_database.partition("@")[2]
    yield f"mysql+pymysql://reader:reads@{address}"
    mariadb.execute(f"DROP USER {user}")


async def test_who_may_only_read_makes_a_backup_and_is_told_that_nobody_will_know(
    reader: str, mariadb_database: str, opens: Open, tmp_path: Path
) -> None:
    file = tmp_path / "read.mdsbackup"
    made = await run_mds("backup", str(file), environment={"MDS_DATABASE_URL": reader})
    assert (made.code, file.exists()) == (0, True), made.err
    assert "could not take down" in made.err
    assert marks(opens(mariadb_database)) == []


async def test_what_went_to_standard_output_counts_once_it_was_read_where_it_arrived(
    database: str, opens: Open, tmp_path: Path
) -> None:
    url, store = {"MDS_DATABASE_URL": database}, opens(database)
    arrived, cut = tmp_path / "arrived", tmp_path / "cut"
    piped = await run_mds("backup", "-", environment=url, stdout=str(arrived))
    assert (piped.code, "No server counts it before that" in piped.err) == (0, True), piped.err
    cut.write_bytes(arrived.read_bytes()[:-20])
    broken = await run_mds("backup", "--verify", str(cut), "--mark", environment=url)
    only_read = await run_mds("backup", "--verify", str(arrived), environment=url)
    assert (broken.code, only_read.code, marks(store)) == (1, 0, [])
    counted = await run_mds(
        "backup", "--verify", "-", "--mark", environment=url, stdin=arrived.read_bytes()
    )
    assert (counted.code, "Standard input is whole" in counted.out) == (0, True), counted.err
    assert marks(store) == [read_back(arrived).header.time_us]


async def test_a_backup_made_while_the_clock_was_ahead_hides_no_later_one(
    database: str, opens: Open, tmp_path: Path
) -> None:
    store = opens(database)
    with store.writing.begin() as connection:
        now_us = connection.execute(select(store.now_us)).scalar_one()
        write_mark(connection, now_us + DAY_US)
    file = str(tmp_path / "later")
    made = await run_mds("backup", file, environment={"MDS_DATABASE_URL": database})
    assert (made.code, made.err) == (0, "")
    assert now_us <= marks(store)[0] < now_us + DAY_US


async def test_no_mark_goes_back_to_an_earlier_backup(
    sqlite_database: str, opens: Open, tmp_path: Path
) -> None:
    url, store = {"MDS_DATABASE_URL": sqlite_database}, opens(sqlite_database)
    first, second = (str(tmp_path / name) for name in ("first", "second"))
    for file in (first, second):
        assert (await run_mds("backup", file, environment=url)).code == 0
    later = marks(store)
    assert later == [read_back(Path(second)).header.time_us]
    again = await run_mds("backup", "--verify", first, "--mark", environment=url)
    assert (again.code, marks(store)) == (0, later)


async def test_a_backup_of_another_store_or_epoch_is_not_counted(
    sqlite_database: str, empty_sqlite_database: str, opens: Open, tmp_path: Path
) -> None:
    file, target = tmp_path / "one.mdsbackup", opens(empty_sqlite_database)
    file.write_bytes(backed_up(opens(sqlite_database)))
    restored(target, file.read_bytes())
    with target.writing.begin() as connection:
        write_mark(connection, 7)
    url = {"MDS_DATABASE_URL": empty_sqlite_database}
    refused = await run_mds("backup", "--verify", str(file), "--mark", environment=url)
    assert (refused.code, "The backup is of store" in refused.err) == (1, True), refused.err
    assert marks(target) == [7]


async def test_a_mark_goes_with_the_reading_of_a_backup(tmp_path: Path) -> None:
    refused = await run_mds("backup", str(tmp_path / "one"), "--mark")
    assert (refused.code, "--mark goes with --verify" in refused.err) == (2, True), refused.err
