"""The schema that the steps make is the schema that the store uses."""

import pkgutil
from importlib import import_module

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from metadata_server import store as floor
from metadata_server.domain.refused import Refused
from metadata_server.store.database import open_database
from metadata_server.store.migration import check_schema, migrate, present_schema, step_of
from metadata_server.store.schema import metadata
from metadata_server.store.schema_steps import known_schema
from metadata_server.store.store import Store

# The metadata is whole only once all tables have been imported.
for module in pkgutil.walk_packages(floor.__path__, f"{floor.__name__}."):
    if "migrations" not in module.name:
        import_module(module.name)


def test_the_steps_make_the_schema_that_the_store_knows(empty_database: str) -> None:
    opened = open_database(empty_database)
    try:
        assert migrate(opened) == (None, known_schema())
        with opened.reading.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    finally:
        opened.dispose()


def test_migrating_again_changes_nothing(empty_database: str) -> None:
    opened = open_database(empty_database)
    try:
        migrate(opened)
        assert migrate(opened) == (known_schema(), known_schema())
        assert present_schema(opened) == known_schema()
    finally:
        opened.dispose()


def test_a_step_that_was_cut_off_is_finished_by_the_next_run(empty_database: str) -> None:
    opened = open_database(empty_database)
    try:
        migrate(opened)
        with opened.writing.connect() as connection:
            for statement in (
                "DROP TABLE sighting",
                "DROP TABLE alembic_version",
                "DELETE FROM chore",
            ):
                connection.execute(text(statement))
            connection.commit()
        migrate(opened)
        with opened.reading.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
            assert connection.execute(
                text("SELECT name FROM chore ORDER BY name")
            ).scalars().all() == ["conditions", "sample", "trim"]
            assert connection.execute(text("SELECT COUNT(*) FROM revision")).scalar_one() == 1
    finally:
        opened.dispose()


def test_a_schema_of_another_release_is_refused_with_the_command_that_mends_it(
    store: Store,
) -> None:
    with store.database.writing.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        connection.commit()
    refused = refusal(store)
    assert refused.reason == "SCHEMA_UNKNOWN"
    assert "mds migrate" in refused.message


def refusal(store: Store) -> Refused:
    try:
        store.read_now(check_schema)
    except Refused as refused:
        return refused
    raise AssertionError("it was not refused")


def test_whoever_looks_at_the_schema_again_compiles_nothing_again(empty_database: str) -> None:
    """Each server looks every second or so."""
    database = open_database(empty_database)
    try:
        migrate(database)
        compiled: dict[object, object] = {}
        with database.reading.connect() as connection:
            connection.execution_options(compiled_cache=compiled)
            assert step_of(connection) == known_schema()
            once = len(compiled)
            assert once
            assert step_of(connection) == known_schema()
        assert len(compiled) == once
    finally:
        database.dispose()
