"""A release runs on a schema that has grown since, and on none that has lost what it needs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, inspect, text

from metadata_server.domain.refused import Refused
from metadata_server.domain.replica import ReplicaState, Sign
from metadata_server.store import migration
from metadata_server.store.database import Database, open_database
from metadata_server.store.migration import check_schema, migrate, present_schema
from metadata_server.store.migrations.repeatable import contract
from metadata_server.store.replicas import write_sign
from metadata_server.store.schema_steps import CannotMigrate, known_schema
from metadata_server.store.store import Store
from tests.stages.opened_store import opened_store

NEXT = "9001"


def set_step(database: Database, *, present: str, oldest: str) -> None:
    with database.writing.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :s"), {"s": present})
        connection.execute(text("UPDATE compatibility SET oldest = :s"), {"s": oldest})
        connection.commit()


@contextmanager
def a_step(database: Database) -> Iterator[Connection]:
    """What a step of a later release has in its hands."""
    with database.writing.connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            yield connection
        connection.commit()


def a_sign(state: ReplicaState = ReplicaState.SERVING) -> Sign:
    return Sign(
        id="mds-1",
        state=state,
        version="0.1.0",
        host="control-1",
        pid=1,
        grpc_port=7400,
        http_port=7401,
        lag_us=0,
        followers=0,
    )


def test_a_schema_that_has_grown_is_used_and_left_alone(store: Store) -> None:
    set_step(store.database, present=NEXT, oldest=known_schema())

    store.read_now(check_schema)

    assert migrate(store.database) == (NEXT, NEXT)
    assert present_schema(store.database) == NEXT


def test_a_schema_that_has_lost_what_this_release_needs_is_refused(store: Store) -> None:
    set_step(store.database, present=NEXT, oldest=NEXT)

    with pytest.raises(Refused, match="Upgrade this server") as refused:
        store.read_now(check_schema)

    assert refused.value.reason == "SCHEMA_UNKNOWN"
    with pytest.raises(CannotMigrate, match=f"{NEXT}; this server knows {known_schema()}"):
        migrate(store.database)


def test_a_step_that_takes_something_away_waits_for_nobody(mariadb_database: str) -> None:
    with opened_store(mariadb_database) as store:
        store.transact_now(lambda unit: write_sign(unit, a_sign(), start_us=1))

        with (
            a_step(store.database),
            pytest.raises(CannotMigrate, match=r"mds-1 on control-1 \(0\.1\.0\)"),
        ):
            contract(NEXT)

        store.read_now(check_schema)


@pytest.mark.parametrize("oldest", [NEXT, known_schema()])
def test_a_step_takes_away_what_no_replica_uses(mariadb_database: str, oldest: str) -> None:
    state = ReplicaState.ENDED if oldest == NEXT else ReplicaState.SERVING
    with opened_store(mariadb_database) as store:
        store.transact_now(lambda unit: write_sign(unit, a_sign(state), start_us=1))

        with a_step(store.database) as connection:
            contract(oldest)
            assert connection.scalar(text("SELECT oldest FROM compatibility")) == oldest


def test_a_step_lets_others_pass_while_a_transaction_uses_the_table(
    mariadb_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of a table that waits for one reader holds all up that come after it."""
    monkeypatch.setattr(migration, "TABLE_PAUSE_S", 0.01)
    monkeypatch.setattr(migration, "TABLE_WAIT_S", 0)
    opened = open_database(mariadb_database)
    begin_again(opened)
    done = threading.Thread(target=migrate, args=[opened])
    try:
        with opened.reading.connect() as reader:
            reader.execute(text("SELECT * FROM replica"))
            done.start()
            with opened.writing.connect() as other:
                for _ in range(20):
                    other.execute(text("SELECT COUNT(*) FROM replica"))
                    other.commit()
            assert done.is_alive()
        done.join(20)
        assert present_schema(opened) == known_schema()
    finally:
        opened.dispose()


def begin_again(database: Database) -> None:
    """As it was before the step that adds a column to the table of replicas."""
    with database.writing.connect() as connection:
        connection.execute(text("ALTER TABLE replica DROP COLUMN schema_step"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0017'"))
        connection.commit()


def test_a_later_step_can_add_a_column_to_any_table_at_once(mariadb_database: str) -> None:
    """Else the table is copied, and writers wait for that."""
    opened = open_database(mariadb_database)
    try:
        with opened.writing.connect() as connection:
            for table in inspect(connection).get_table_names():
                adding = f"ALTER TABLE `{table}` ADD COLUMN more BIGINT NULL, ALGORITHM=INSTANT"
                connection.execute(text(adding))
                connection.execute(text(f"ALTER TABLE `{table}` DROP COLUMN more"))
    finally:
        opened.dispose()


def test_who_migrates_at_the_same_time_is_told(
    mariadb_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "LOCK_TIMEOUT_S", 0)
    opened = open_database(mariadb_database)
    try:
        with opened.writing.connect() as first:
            first.execute(text("SELECT GET_LOCK(:name, 0)"), {"name": migration.LOCK_NAME})
            with pytest.raises(CannotMigrate, match="Another `mds migrate`"):
                migrate(opened)
            first.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": migration.LOCK_NAME})
        migrate(opened)
    finally:
        opened.dispose()
