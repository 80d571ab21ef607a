"""A database that a backup is loaded into; nobody can use it before all of it is there.

As long as it is loaded its counter has no row but a mark. So servers refuse to serve it, `mds
migrate` leaves it alone, and a restore that was killed is recognised and begun again. Each
transaction tests the mark: of two restores into one database the one that began later goes on.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import MetaData, Table, inspect, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from metadata_server.domain.backup import BackupFailed, Header, epoch_after, revision_after
from metadata_server.domain.change import Caller
from metadata_server.store.backups.layout import (
    LEFT_OUT,
    REVISION,
    VERSION,
    TableLayout,
    kept_tables,
    layout_of,
)
from metadata_server.store.backups.mark import write_mark
from metadata_server.store.backups.settling import parts
from metadata_server.store.backups.snapshot import explained
from metadata_server.store.database import Database
from metadata_server.store.migration import NEWEST, migrate
from metadata_server.store.revision import RESTORING, THE_ROW
from metadata_server.store.schema import revision
from metadata_server.store.schema_steps import CannotMigrate, known_schema
from metadata_server.store.unit_of_work import UnitOfWork

BEGUN_BY_ITSELF = LEFT_OUT | {"sample", "sighting"}
"""What a server writes although nobody has declared anything."""
ROWS_A_STATEMENT = 500
WHERE = "Name an empty database: another file, or after CREATE DATABASE another name."
Work = Callable[[UnitOfWork], None]


class Target:
    """One restore into one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._mark = str(uuid.uuid4())
        self._known = layout_of(known_schema())

    def check(self) -> None:
        """Passes where a backup may be restored into.

        Raises:
            BackupFailed: it has data, or tables of something else.
        """
        with self._writing() as connection:
            self._check(connection)
            connection.rollback()

    def take(self) -> None:
        """Makes the database ours: from here on nobody else uses it.

        Raises:
            BackupFailed: as of `check`.
        """
        with self._writing() as connection:
            if not self._check(connection):
                revision.create(connection, checkfirst=True)
                connection.commit()
        with self._writing() as connection:
            self._check(connection)
            mark = {"one": RESTORING, "store_id": self._mark, "epoch": 0, "value": 0}
            connection.execute(revision.delete().where(revision.c.one.in_((THE_ROW, RESTORING))))
            connection.execute(revision.insert().values(**mark, time_us=self._database.now_us))
            connection.commit()

    def _check(self, connection: Connection) -> bool:
        """Whether there is a counter; refuses what has data."""
        there = set(inspect(connection).get_table_names())
        strange = sorted(there - set(self._known) - {VERSION})
        if strange:
            raise BackupFailed(
                f"The database has tables that this release does not know: {', '.join(strange)}. "
                + WHERE
            )
        if REVISION not in there:
            filled = self._filled(connection, there)
        else:
            query = select(revision.c.one, revision.c.value).with_for_update()
            rows = {row.one: row.value for row in connection.execute(query)}
            if RESTORING in rows:
                return True
            if reached := rows.get(THE_ROW):
                raise BackupFailed(f"The database has data: it is at revision {reached:,}. {WHERE}")
            filled = self._filled(connection, there)
        if filled:
            raise BackupFailed(f"The database has data, in {', '.join(filled)}. {WHERE}")
        return REVISION in there

    def _filled(self, connection: Connection, there: set[str]) -> list[str]:
        """Tables with rows that people, or units, have caused."""
        wanted = sorted(there & set(self._known) - BEGUN_BY_ITSELF)
        tables = [self._known[name] for name in wanted]
        found = (connection.execute(select(1).select_from(t.named()).limit(1)) for t in tables)
        return [table.name for table, rows in zip(tables, found, strict=True) if rows.first()]

    def lay_out(self, header: Header) -> list[TableLayout]:
        """Makes all tables anew as they were when the backup was made; those that it fills.

        Raises:
            BackupFailed: this release does not know their schema.
        """
        kept = kept_tables(header.schema)
        with self._writing() as connection:
            self._hold(connection)
            there = set(inspect(connection).get_table_names())
            names = (there & {*self._known, *layout_of(header.schema), VERSION}) - {REVISION}
            for name in sorted(names):
                Table(name, MetaData()).drop(connection)
            connection.commit()
        self._migrate(header.schema)
        with self._writing() as connection:
            self._hold(connection)
            for table in kept:
                connection.execute(table.named().delete())
            connection.commit()
        return kept

    def _migrate(self, to: str) -> None:
        try:
            migrate(self._database, to=to, restoring=True)
        except CannotMigrate as problem:
            raise BackupFailed(str(problem)) from problem

    def load(self, table: TableLayout, rows: Sequence[Sequence[Any]]) -> None:
        """Inserts rows in a transaction of their own.

        Raises:
            BackupFailed: another restore has begun here; or by the database.
        """
        insert = table.named().insert()
        with self._writing() as connection:
            self._hold(connection)
            for start in range(0, len(rows), ROWS_A_STATEMENT):
                some = rows[start : start + ROWS_A_STATEMENT]
                connection.execute(
                    insert, [dict(zip(table.columns, row, strict=True)) for row in some]
                )
            connection.commit()

    def bring_up(self, header: Header) -> None:
        """Brings the schema up to this release, and settles what is too much for one transaction."""
        self._migrate(NEWEST)
        with self._writing() as connection:
            now_us = connection.execute(select(self._database.now_us)).scalar_one()
            coming = list(parts(connection, now_us=now_us, epoch=epoch_after(header, now_us)))
            connection.rollback()
        for part in coming:
            with self._writing() as connection:
                self._hold(connection)
                part(connection)
                connection.commit()

    def open(self, header: Header, caller: Caller, settle: Work) -> None:
        """Lets others in, in an epoch of its own.

        Args:
            settle: what becomes of those who were alive in the backup; in the same transaction.
        """
        with self._writing() as connection:
            self._hold(connection)
            now_us = connection.execute(select(self._database.now_us)).scalar_one()
            connection.execute(revision.delete().where(revision.c.one == RESTORING))
            connection.execute(
                revision.insert().values(
                    one=THE_ROW,
                    store_id=header.store_id,
                    epoch=epoch_after(header, now_us),
                    value=revision_after(header, now_us),
                    time_us=header.revision_time_us,
                )
            )
            write_mark(connection, header.time_us)
            unit = UnitOfWork(connection, self._database, caller)
            settle(unit)
            unit.flush()
            connection.commit()

    def _hold(self, connection: Connection) -> None:
        """Tests in its own WHERE that the restore is still ours; nobody else writes meanwhile."""
        holding = revision.update().where(
            revision.c.one == RESTORING, revision.c.store_id == self._mark
        )
        counted = holding.values(value=revision.c.value + 1)
        if connection.execute(counted).rowcount != 1:
            raise BackupFailed("Another mds restore into this database has begun: it goes on.")

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._database.writing.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise BackupFailed(explained(error)) from error
