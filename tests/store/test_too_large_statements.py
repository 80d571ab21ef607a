"""A statement longer than the database takes is the caller's change that is too large."""

from collections.abc import Iterator

import pytest

from metadata_server.domain.refused import Refused
from metadata_server.store.database import open_database
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.mariadb import MariaDB

KB = 1024
LEAST_KB = 16
"""No database can be told to take less."""


@pytest.fixture
def limit_kb(mariadb: MariaDB, request: pytest.FixtureRequest) -> Iterator[int]:
    """What connections are held to that are made from now on."""
    mariadb.execute(f"SET GLOBAL max_allowed_packet = {request.param * KB}")
    yield request.param
    mariadb.execute("SET GLOBAL max_allowed_packet = DEFAULT")


@pytest.fixture
def store(mariadb_database: str, limit_kb: int) -> Iterator[Store]:
    """One that has a single connection to write with."""
    store = Store(open_database(mariadb_database, pool_size=1))
    yield store
    store.close()


def of_bytes(count: int) -> str:
    """A statement."""
    frame = "SELECT LENGTH('{}')"
    return frame.format("x" * (count - len(frame.format(""))))


@pytest.mark.parametrize(
    ("limit_kb", "size_kb"),
    [(1024, 1024), (1024, 20 * 1024), (LEAST_KB, 2 * LEAST_KB)],
    indirect=["limit_kb"],
    ids=["a little", "so much that the database hangs up", "measured by the database alone"],
)
def test_it_is_refused_at_once_and_the_next_one_finds_a_connection(
    store: Store, size_kb: int, caplog: pytest.LogCaptureFixture
) -> None:
    tries = []

    def too_large(unit: UnitOfWork) -> None:
        tries.append(size_kb)
        unit.connection.exec_driver_sql(of_bytes(size_kb * KB))

    with pytest.raises(Refused, match="raise max_allowed_packet") as refused:
        store.transact_now(too_large)
    assert (refused.value.reason, tries) == ("CHANGE_TOO_LARGE", [size_kb])
    assert not caplog.messages, "a dead connection has come back to its pool"
    answer = store.transact_now(lambda unit: unit.connection.exec_driver_sql("SELECT 7").scalar())
    assert answer.value == 7


@pytest.mark.parametrize("limit_kb", [1024], indirect=True)
def test_the_longest_that_the_database_takes_is_sent(store: Store, limit_kb: int) -> None:
    def longest(unit: UnitOfWork) -> int:
        return int(unit.connection.exec_driver_sql(of_bytes(limit_kb * KB - 2)).scalar_one())

    assert store.transact_now(longest).value > limit_kb * KB - 100
