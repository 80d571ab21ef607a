"""No step of the schema takes a table or a column away, or renames one, that does not say so: the
release before would break on it while both serve."""

from collections.abc import Callable, Iterator

import pytest
from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from metadata_server.store.database import Database, open_database
from metadata_server.store.migration import migrate
from metadata_server.store.migrations.repeatable import contract
from metadata_server.store.schema_steps import configuration, known_schema

NEXT = "9001"


@pytest.fixture
def database(empty_sqlite_database: str) -> Iterator[Database]:
    opened = open_database(empty_sqlite_database)
    yield opened
    opened.dispose()


def shape(database: Database) -> set[str]:
    """Tables, and columns with their tables."""
    with database.reading.connect() as connection:
        found = inspect(connection)
        tables = set(found.get_table_names())
        return tables | {f"{t}.{each['name']}" for t in tables for each in found.get_columns(t)}


def oldest(database: Database, present: set[str]) -> str:
    """The oldest step whose releases may use a database of such a shape."""
    if "compatibility" not in present:
        return ""
    with database.reading.connect() as connection:
        return str(connection.scalar(text("SELECT oldest FROM compatibility")))


def taken_away(database: Database, step: str, run: Callable[[], object]) -> set[str]:
    """What a step takes away although it lets releases before it use the database."""
    before = shape(database)
    run()
    after = shape(database)
    return set() if oldest(database, after) >= step else before - after


def steps() -> list[str]:
    scripts = ScriptDirectory.from_config(configuration())
    return sorted(each.revision for each in scripts.walk_revisions())


def test_no_step_takes_anything_away_without_saying_so(database: Database) -> None:
    for step in steps():

        def run(to: str = step) -> None:
            assert migrate(database, to=to)[1] == to

        assert taken_away(database, step, run) == set(), step
    assert step == known_schema()


def planted(database: Database, statement: str, *, says_so: bool = False) -> set[str]:
    """What is found of a step that runs a statement."""

    def run() -> None:
        with database.writing.connect() as connection:
            with Operations.context(MigrationContext.configure(connection)):
                if says_so:
                    contract(NEXT)
                op.execute(statement)
            connection.commit()

    return taken_away(database, NEXT, run)


def test_a_step_that_takes_something_away_is_found(database: Database) -> None:
    migrate(database)
    for statement, lost in (
        ("ALTER TABLE replica DROP COLUMN host", "replica.host"),
        ("ALTER TABLE replica RENAME COLUMN version TO made", "replica.version"),
        ("DROP TABLE sighting", "sighting"),
        ("ALTER TABLE sample RENAME TO samples", "sample"),
    ):
        assert lost in planted(database, statement), statement
    assert planted(database, "ALTER TABLE replica ADD COLUMN more BIGINT") == set()
    assert planted(database, "DROP TABLE samples", says_so=True) == set()
