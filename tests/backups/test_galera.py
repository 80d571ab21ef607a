"""A restore into a cluster, which limits how large a transaction may be."""

from collections.abc import Iterator

import pymysql
import pytest
from sqlalchemy import func, insert, select

from benchmarks.large_facility import UNITS_EACH, declare, declare_template, run
from metadata_server.domain.backup import BackupFailed
from metadata_server.domain.orchestration.operation import Phase
from metadata_server.store.database import Database
from metadata_server.store.orchestration.operation_tables import operation
from metadata_server.store.schema import history, instantiation
from tests.backups.conftest import CALLER, Open, backed_up, restored, rows_of
from tests.stages.galera import Galera
from tests.stages.opened_store import opened_store

MOST_ROWS = 1_100
"""A piece of a backup has 1,000, and a transaction of a restore one more."""
MOST_BYTES = 13 * 1024 * 1024
"""A piece has 2 MB beside its largest document, of 4 MB; and a node sends the text of a statement
beside the rows that it makes."""
LARGEST_DOCUMENTS = ["x" * 4 * 1024 * 1024] * 3
SERVERS, OPERATIONS = 20, 1_200
UNITS = SERVERS * UNITS_EACH
SETTLED = {
    "change_set", "instantiation", "lease", "operation", "session", "status_history",
    "unit_server_status",
}  # fmt: skip
"""What a restore changes of what it loads."""


@pytest.fixture
def limited(node: Galera, opens: Open) -> Iterator[Database]:
    """An empty database on a node that takes no transaction larger than those."""
    limit(node, rows=MOST_ROWS)
    name = node.create_database()
    yield opens(node.url(name))
    node.drop_database(name)


def limit(node: Galera, *, rows: int) -> None:
    assert node.status("wsrep_cluster_status") == "Primary"
    node.execute(
        f"SET GLOBAL wsrep_max_ws_rows = {rows}", f"SET GLOBAL wsrep_max_ws_size = {MOST_BYTES}"
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """More units that run, more operations, and larger documents than one transaction may have."""
    url = f"sqlite:///{tmp_path_factory.mktemp('source') / 'mds.sqlite'}"
    with opened_store(url) as store:
        store.transact_now(declare_template, caller=CALLER)
        servers = store.transact_now(lambda unit: declare(unit, range(SERVERS)), caller=CALLER)
        store.transact_now(lambda unit: run(unit, servers.value))
        with store.database.writing.begin() as connection:
            ended = dict.fromkeys(operation.c.keys(), 0) | {
                "phase": Phase.COMPLETED.value,
                "due_us": None,
            }
            texts = dict.fromkeys(
                ("id", "verb", "minor_state", "message", "author", "reason", "replica", "body"), ""
            )
            rows = [ended | texts | {"key": key, "id": str(key)} for key in range(OPERATIONS)]
            connection.execute(insert(operation), rows)
            for ordinal, image in enumerate(LARGEST_DOCUMENTS):
                large = {"revision": 1, "ordinal": 100 + ordinal, "key": ordinal, "image": image}
                connection.execute(insert(history).values(**large, kind="k", action="a"))
    return url


def test_a_restore_keeps_within_the_limits_of_a_cluster(
    source: str, limited: Database, opens: Open
) -> None:
    before = opens(source)
    done = restored(limited, backed_up(before))
    assert done.settled.sessions == SERVERS
    wanted, found = rows_of(before), rows_of(limited)
    for table in wanted.keys() - SETTLED:
        assert found[table] == wanted[table], table
    with limited.reading.connect() as connection:
        lives = select(func.count()).where(instantiation.c.end_reason == "LEASE_ENDED")
        assert connection.execute(lives).scalar_one() == UNITS
        fences = select(func.count()).where(operation.c.fence == 0)
        assert connection.execute(fences).scalar_one() == 0


def test_what_is_too_large_for_a_cluster_is_refused_and_begun_again(
    source: str, limited: Database, node: Galera, opens: Open
) -> None:
    """To want no state of any unit is one change, which can be undone: it cannot be divided."""
    backup = backed_up(opens(source))
    with pytest.raises(BackupFailed, match=r"raise wsrep_max_ws_rows or wsrep_max_ws_size"):
        restored(limited, backup, keep_still=True)
    limit(node, rows=0)
    assert restored(limited, backup, keep_still=True).settled.stilled == UNITS


def test_the_limit_holds(node: Galera, limited: Database) -> None:
    """Else the tests above would say nothing."""
    use = f"USE {limited.url.database}"
    node.execute(use, "CREATE TABLE many (one INT PRIMARY KEY, text MEDIUMTEXT)")
    for rows, size, says in ((MOST_ROWS + 1, 1, "max_ws_rows"), (3, MOST_BYTES // 2, "writeset")):
        many = f"SELECT seq, REPEAT('x', {size}) FROM seq_1_to_{rows}"
        with pytest.raises(pymysql.err.MySQLError, match=says):
            node.execute(use, f"INSERT INTO many {many}")
