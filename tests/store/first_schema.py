"""Databases as the first release left them, for the migrations that came after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import command

from metadata_server.store.database import Database, open_database
from metadata_server.store.schema_steps import configuration


@contextmanager
def on_first_schema(url: str, fill: Callable[[sa.Connection], None]) -> Iterator[Database]:
    """A database on the first schema, with what `fill` puts there."""
    opened = open_database(url)
    try:
        with opened.writing.connect() as connection:
            config = configuration()
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
            fill(connection)
            connection.commit()
        yield opened
    finally:
        opened.dispose()


def insert(connection: sa.Connection, table: str, row: dict[str, Any]) -> None:
    connection.execute(sa.table(table, *map(sa.column, row)).insert(), row)
