"""Of when the last backup is, kept in the database for those who watch its age."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from metadata_server.domain.backup import Header
from metadata_server.store.backups.snapshot import explained
from metadata_server.store.database import Database
from metadata_server.store.revision import THE_ROW
from metadata_server.store.schema import KEY, OPTIONS, change_set, metadata, revision
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


def mark_backup(database: Database, header: Header) -> str:
    """Says to the database that there is a backup, unless it knows of a later one; empty: done, else
    why it cannot take it down. One from a time to come is of a clock that was ahead, and is later
    than none."""
    try:
        with database.writing.begin() as connection:
            if problem := of_something_else(connection, header):
                return problem
            known = select(backup_mark.c.time_us, database.now_us.label("now_us"))
            latest = connection.execute(known.with_for_update()).first()
            is_later = latest is not None and header.time_us <= latest.time_us <= latest.now_us
            if not is_later:
                write_mark(connection, header.time_us)
    except DBAPIError as error:
        return explained(error)
    return ""


def of_something_else(connection: Connection, header: Header) -> str:
    """Why a backup says nothing of how safe a database is; empty: it is one of this database."""
    counter = connection.execute(select(revision).where(revision.c.one == THE_ROW)).first()
    if counter is None:
        return "The database is being restored, or was until the restore was broken off."
    if (counter.store_id, counter.epoch) == (header.store_id, header.epoch):
        return ""
    return (
        f"The backup is of store {header.store_id} in epoch {header.epoch}; the database is store "
        f"{counter.store_id} in epoch {counter.epoch}."
    )


def unsaved_since_us(unit: UnitOfWork) -> int | None:
    """From when on changes are in no backup: since the last one, or else since the first change;
    None: nothing has been changed."""
    marked = unit.connection.execute(select(backup_mark.c.time_us)).scalar()
    if marked is not None:
        return int(marked)
    first = select(change_set.c.time_us).order_by(change_set.c.revision).limit(1)
    return unit.connection.execute(first).scalar()
