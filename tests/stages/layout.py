"""Databases with the schema of this release: laid out once, then copied, or cleared for the next
test. Laying out takes 0.3 s, and tests ask for more than a thousand."""

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pymysql.converters import escape_item

from metadata_server.store.database import Database, open_database
from metadata_server.store.migration import migrate, present_schema
from metadata_server.store.schema_steps import known_schema
from tests.stages.mariadb import MariaDB

Row = tuple[object, ...]


def lay_out(url: str) -> None:
    """Brings a schema up, as `mds migrate` does, without the start of another process."""
    database = open_database(url)
    try:
        bring_up(database)
    finally:
        database.dispose()


def bring_up(database: Database) -> None:
    """Brings the schema of an open database up, where it is not."""
    if present_schema(database) != known_schema():
        migrate(database)


class SQLiteLayout:
    """Copies of one file, each a store of its own."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "layout.sqlite"
        self._content = b""
        self._store_id = b""

    def copy_to(self, file: Path) -> None:
        if not self._content:
            lay_out(f"sqlite:///{self._file}")
            self._content = self._file.read_bytes()
            self._store_id = self._read_store_id()
        # Written over in place: SQLite would read the whole schema for this one row (5 ms).
        file.write_bytes(self._content.replace(self._store_id, str(uuid.uuid4()).encode()))

    def _read_store_id(self) -> bytes:
        with contextlib.closing(sqlite3.connect(self._file)) as connection:
            ((store_id,),) = connection.execute("SELECT store_id FROM revision").fetchall()
        found = str(store_id).encode()
        assert self._content.count(found) == 1, "the store's id is in its file once"
        return found


@dataclass(frozen=True)
class Content:
    """Tables of a database, and the rows of those that are not empty."""

    tables: Sequence[str]
    rows: dict[str, tuple[Row, ...]]

    def inserts(self, name: str) -> Iterator[str]:
        """What puts the rows into a database whose tables are empty."""
        for table, rows in self.rows.items():
            for row in rows:
                values = ", ".join(escape_item(each, "utf8mb4") for each in row)
                yield f"INSERT INTO {name}.{table} VALUES ({values})"


class MariaDBLayout:
    """Databases of one server that tests have left, for the next ones."""

    def __init__(self, server: MariaDB) -> None:
        self._server = server
        self._free: list[str] = []
        self._first: Content | None = None

    def take(self) -> str:
        """Name of a database with the schema and the rows that a store is born with."""
        if self._free:
            return self._free.pop()
        name = self._server.create_database()
        lay_out(self._server.url(name))
        if self._first is None:
            tables = self._tables(name)
            rows = {each: self._server.execute(f"SELECT * FROM {name}.{each}") for each in tables}
            self._first = Content(tables, {each: found for each, found in rows.items() if found})
        return name

    def _tables(self, name: str) -> list[str]:
        return sorted(str(table) for (table,) in self._server.execute(f"SHOW TABLES FROM {name}"))

    def give_back(self, name: str) -> None:
        """Clears it for the next test; one whose tables are others by now is dropped."""
        first = self._first
        assert first is not None
        self._server.end_users(name)
        if self._tables(name) != first.tables or self._step(name) != self._step_of(first):
            self._server.drop_database(name)
            return
        self._server.execute(
            *(f"DELETE FROM {name}.{table}" for table in self._filled(name)),
            *first.inserts(name),
            f"UPDATE {name}.revision SET store_id = '{uuid.uuid4()}'",
        )
        self._free.append(name)

    def _filled(self, name: str) -> list[str]:
        """Most tests write to few of the tables; a DELETE in each was most of what clearing took."""
        assert self._first is not None
        asked = (
            f"SELECT '{table}' FROM DUAL WHERE EXISTS (SELECT 1 FROM {name}.{table})"
            for table in self._first.tables
        )
        return [str(table) for (table,) in self._server.execute(" UNION ALL ".join(asked))]

    def _step(self, name: str) -> tuple[Row, ...]:
        return self._server.execute(f"SELECT * FROM {name}.alembic_version")

    def _step_of(self, content: Content) -> tuple[Row, ...]:
        return content.rows["alembic_version"]
