"""Of when the last backup is, kept in the database for those who watch its age."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from metadata_server.store.backups.snapshot import explained
from metadata_server.store.database import Database
from metadata_server.store.schema import KEY, OPTIONS, change_set, metadata
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import upsert_rows

backup_mark = Table(
    "backup_mark",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("time_us", KEY, nullable=False),
    **OPTIONS,
)
"""One row, or none: no backup has been made. `time_us` is the moment that the backup holds."""


def write_mark(connection: Connection, time_us: int) -> None:
    upsert_rows(connection, backup_mark, [{"one": 1, "time_us": time_us}])


def mark_backup(database: Database, time_us: int) -> str:
    """Says to the database that there is a backup; empty: done, else why it cannot take it down."""
    try:
        with database.writing.begin() as connection:
            write_mark(connection, time_us)
    except DBAPIError as error:
        return explained(error)
    return ""


def unsaved_since_us(unit: UnitOfWork) -> int | None:
    """From when on changes are in no backup: since the last one, or else since the first change;
    None: nothing has been changed."""
    marked = unit.connection.execute(select(backup_mark.c.time_us)).scalar()
    if marked is not None:
        return int(marked)
    first = select(change_set.c.time_us).order_by(change_set.c.revision).limit(1)
    return unit.connection.execute(first).scalar()
