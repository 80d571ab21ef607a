"""Which tables and columns a schema has, of this release and of earlier ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from alembic import command
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import TableClause, create_engine, inspect
from sqlalchemy import column as named_column
from sqlalchemy import table as named_table
from sqlalchemy.pool import StaticPool

from metadata_server.domain.backup import BackupFailed
from metadata_server.store.schema_steps import compatibility, configuration, known_schema

REVISION = "revision"
VERSION = "alembic_version"
LIVE = frozenset(
    {"agent_status", "chore", "launched_process", "log_request", "observer", "replica"}
)
"""What is written anew within seconds by those who run. Restored it would be untrue."""
LEFT_OUT = LIVE | {REVISION, compatibility.name, "backup_mark"}
"""Not among the tables of a backup: its header has the one row of the counter, and its own time,
and the steps of the schema write themselves what is theirs."""


@dataclass(frozen=True, slots=True)
class TableLayout:
    """A table as rows are read and written; columns that the database computes are left out."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def named(self) -> TableClause:
        """Without types: values are read as the database has them, numbers and text."""
        return named_table(self.name, *map(named_column, self.columns))


@cache
def layout_of(schema: str) -> Mapping[str, TableLayout]:
    """All tables of a schema by name, as its steps make them.

    Raises:
        BackupFailed: this release does not know the schema.
    """
    try:
        ScriptDirectory.from_config(configuration()).get_revision(schema)
    except CommandError:
        raise BackupFailed(
            f"The schema {schema} is of another release; this one knows {known_schema()} and those "
            "before. Use the mds of that release, or a newer one."
        ) from None
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            config = configuration()
            config.attributes["connection"] = connection
            command.upgrade(config, schema)
            inspector = inspect(connection)
            return {
                name: TableLayout(
                    name,
                    tuple(
                        column["name"]
                        for column in inspector.get_columns(name)
                        if "computed" not in column
                    ),
                    tuple(inspector.get_pk_constraint(name)["constrained_columns"]),
                )
                for name in sorted(inspector.get_table_names())
                if name != VERSION
            }
    finally:
        engine.dispose()


def kept_tables(schema: str) -> list[TableLayout]:
    """Tables that are in a backup."""
    layout = layout_of(schema)
    return [layout[name] for name in layout if name not in LEFT_OUT]
