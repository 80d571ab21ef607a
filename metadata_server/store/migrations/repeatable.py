"""Steps that can be run again after they were cut off half way.

MariaDB and MySQL commit each change of the schema by itself, so a step that is killed leaves
what it had made so far; the next run makes the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from metadata_server.domain.replica import LOST_US
from metadata_server.store.schema_steps import CannotMigrate, compatibility


def create_table(name: str, *items: Any, **options: Any) -> None:
    """Creates a table, unless it is there."""
    if not sa.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *items, **options)


def create_index(name: str, table: str, columns: Sequence[str], *, unique: bool) -> None:
    """Creates an index, unless it is there."""
    present = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
    if name not in present:
        op.create_index(name, table, list(columns), unique=unique)


def insert_first(table: str, row: dict[str, Any]) -> None:
    """Inserts the first row of a table, unless it has one."""
    named = sa.table(table, *map(sa.column, row))
    count = sa.select(sa.func.count()).select_from(named)
    if not op.get_bind().execute(count).scalar_one():
        op.bulk_insert(named, [row])


def insert_row(table: str, row: dict[str, Any]) -> None:
    """Inserts a row, unless there is one with the same first column."""
    named = sa.table(table, *map(sa.column, row))
    first = next(iter(row))
    count = sa.select(sa.func.count()).select_from(named).where(named.c[first] == row[first])
    if not op.get_bind().execute(count).scalar_one():
        op.bulk_insert(named, [row])


def add_column(table: str, column: sa.Column[Any]) -> bool:
    """Adds a column, unless it is there; whether it was not."""
    present = {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}
    if column.name in present:
        return False
    op.add_column(table, column)
    return True


def contract(oldest: str) -> None:
    """Says that what follows takes away what releases before a step use. It waits for nobody:
    while such a replica is there, nothing is taken away.

    Raises:
        CannotMigrate: names the replicas that are in its way.
    """
    connection = op.get_bind()
    if left := replicas_before(connection, oldest):
        raise CannotMigrate(
            f"The next step takes away what {', '.join(left)} still use. Replace them by this "
            "release, or stop them; then run: mds migrate"
        )
    newer = compatibility.c.oldest < oldest
    connection.execute(compatibility.update().where(newer).values(oldest=oldest))


def replicas_before(connection: sa.Connection, step: str) -> list[str]:
    """Replicas that serve, and stand on an older step: their names, hosts and releases."""
    if connection.dialect.name == "sqlite":
        return []  # the embedded database belongs to one process: the one that asks
    query = sa.text(
        "SELECT id, host, version FROM replica WHERE state <> 'ENDED' AND schema_step < :step"
        " AND seen_us > CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED) - :lost ORDER BY id"
    )
    found = connection.execute(query, {"step": step, "lost": LOST_US})
    return [f"{row.id} on {row.host} ({row.version})" for row in found]
