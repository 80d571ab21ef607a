"""Reads a whole database as it was at one moment, while others go on writing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from metadata_server.domain.backup import BackupFailed, Header
from metadata_server.store.backups.layout import TableLayout, kept_tables
from metadata_server.store.database import DAMAGED, Database, Fault, fault_of, limit_beyond
from metadata_server.store.schema import revision

ROWS_A_PIECE, CHARACTERS_A_PIECE = 200, 1_000_000
"""Held at once, and the document that goes beyond it; the largest have 4 MB."""
ROW_BY_ROW = {"stream_results": True, "max_row_buffer": 1}
"""How large rows are shows only when they are here: nothing between us and the database shall fetch
many of them ahead."""
SLOW_READER_S = 3_600
"""How long the database waits for whoever takes the backup down."""
CHANGED_TABLE = 1412
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A database at one moment.

    Attributes:
        tables: all that a backup has.
    """

    header: Header
    tables: Sequence[TableLayout]
    connection: Connection

    def pieces(self, table: TableLayout) -> Iterator[list[Row]]:
        """All rows of a table in the order of their keys, a few at a time."""
        named = table.named()
        query = select(*named.c).order_by(*(named.c[name] for name in table.key))
        with self.connection.execute(query, execution_options=ROW_BY_ROW) as found:
            yield from cut(map(tuple, found))


def cut(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in pieces that are bounded in number and in size."""
    piece: list[Row] = []
    size = 0
    for row in rows:
        piece.append(row)
        size += sum(len(value) for value in row if isinstance(value, str))
        if len(piece) >= ROWS_A_PIECE or size >= CHARACTERS_A_PIECE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


@contextmanager
def snapshot(database: Database, *, product: str) -> Iterator[Snapshot]:
    """A database as it is now, for as long as it takes to read it; it holds no locks.

    Raises:
        BackupFailed: it is empty, away, of another release, or its tables were changed meanwhile.
    """
    try:
        with database.reading.connect() as connection:
            if not database.is_sqlite:
                connection.exec_driver_sql(f"SET SESSION net_write_timeout={SLOW_READER_S}")
            header = header_of(connection, database, product)
            yield Snapshot(header, kept_tables(header.schema), connection)
    except DBAPIError as error:
        raise BackupFailed(explained(error)) from error


def header_of(connection: Connection, database: Database, product: str) -> Header:
    """Its first statement is where the snapshot stands."""
    schema = MigrationContext.configure(connection).get_current_revision()
    if schema is None:
        raise BackupFailed("The database has no tables of a metadata server.")
    query = select(revision, database.now_us.label("now")).where(revision.c.one == 1)
    row = connection.execute(query).first()
    if row is None:
        raise BackupFailed(
            "A restore of this database has not come to its end. Run it again, then back up."
        )
    return Header(
        store_id=row.store_id,
        epoch=row.epoch,
        revision=row.value,
        revision_time_us=row.time_us,
        schema=schema,
        time_us=row.now,
        product=product,
        family="sqlite" if database.is_sqlite else "mysql",
    )


def explained(error: DBAPIError) -> str:
    """What went wrong with the database, and what to do."""
    original = error.orig
    code = original.args[0] if original is not None and original.args else None
    if code == CHANGED_TABLE:
        return "The schema was changed meanwhile, perhaps by mds migrate. Run it again."
    if fault_of(error) is Fault.DAMAGED:
        return f"{DAMAGED} It says: {original}"
    if fault_of(error) is Fault.FULL:
        return f"The database has no room left. Free some, then run it again. It says: {original}"
    if fault_of(error) is Fault.TOO_LARGE:
        return (
            f"This is more than the database takes at once: raise {limit_beyond(error)} on all its "
            f"nodes, then run it again. It says: {original}"
        )
    return f"The database does not do what it should. It says: {original}"
