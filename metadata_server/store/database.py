"""One database behind one URL: engines, its clock, and what its errors mean.

SQLite and MariaDB/MySQL differ only here and in `upsert.py`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect, Engine, create_engine, event, literal_column, make_url
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.elements import ColumnElement

from metadata_server.store.mysql_connections import (
    NOT_READY,
    STATEMENT_TOO_LARGE,
    look_after_connections,
)

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 30
IDLE_TRANSACTION_S = 5
"""A writer that lost its power, or its way to the database, holds its locks, and with them all
others up, so long: its connection never closes. Longer than a replica that is well thinks between
two statements; one that does all the same is told so, and its caller repeats the call."""
SQLITE_BUSY_TIMEOUT_MS = 5_000
MYSQL_DIALECTS = ("mysql", "mariadb")
RIGHT_URL = "right would be sqlite:////path/file.db or mysql+pymysql://user:password@host/database."

DAMAGED = (
    "The database file is damaged, or is no database. Stop the server, then put a copy from a "
    "backup in its place, or move it away to begin with an empty one."
)

DEADLOCK, LOCK_TIMEOUT, CHANGED_SINCE_READ = 1213, 1205, 1020
COMMIT_REFUSED = 1180
TOO_LARGE = {1105: "writeset size exceeded", 1180: "wsrep_max_ws_rows exceeded"}
"""What a node of Galera says of the bytes of a transaction, and of its rows. Both codes stand for
other things, too."""
LIMIT_OF_STATEMENT = "max_allowed_packet"
LIMITS_OF_TRANSACTION = "wsrep_max_ws_rows or wsrep_max_ws_size"
UNKNOWN_TABLE, UNKNOWN_COLUMN = 1146, 1054


class Fault(Enum):
    """What an error of the database means for the transaction that met it."""

    TRY_AGAIN = auto()
    """Nothing was written; the same work may run again at once."""
    AWAY = auto()
    """The database does not answer. Before COMMIT nothing was written; at COMMIT nobody knows."""
    TOO_LARGE = auto()
    """The database takes no transaction, or statement, as large as this; nothing was written."""
    FULL = auto()
    """There is no room left; nothing was written."""
    DAMAGED = auto()
    """The file is damaged, or is no database; only people can mend that."""
    SCHEMA = auto()
    """A table or column is missing."""
    OURS = auto()
    """A fault of our own."""


@dataclass(frozen=True, slots=True)
class Database:
    """The engines of one database.

    Attributes:
        writing: READ COMMITTED; SQLite takes its write lock at the beginning.
        reading: one consistent snapshot a transaction.
        glancing: one connection on which each statement is a transaction by itself.
        now_us: SQL for the database's clock, microseconds since 1970, UTC.
        node: SQL for the name of the node that answers.
    """

    url: URL
    writing: Engine
    reading: Engine
    glancing: Engine
    now_us: ColumnElement[int]
    node: ColumnElement[str]

    @property
    def is_sqlite(self) -> bool:
        return self.writing.dialect.name == "sqlite"

    def dispose(self) -> None:
        self.writing.dispose()
        self.reading.dispose()
        self.glancing.dispose()


def open_database(
    url_text: str,
    *,
    pool_size: int = 8,
    idle_transaction_s: int = IDLE_TRANSACTION_S,
    statement_timeout_s: int = STATEMENT_TIMEOUT_S,
) -> Database:
    """Opens a database; connects only when it is first used.

    Args:
        url_text: `sqlite:////path/file.db` or `mysql+pymysql://user:password@host/database`.
        pool_size: connections kept for writing, and as many for reading; one more is for the reader
            that others wait for.
        idle_transaction_s: MariaDB takes back what a writer does that says nothing for so long.
        statement_timeout_s: a database that is not embedded and says nothing for so long is away.

    Raises:
        ValueError: it is no URL, or names another kind of database, or a driver or a folder
            that is not there.
    """
    url = parse_url(url_text)
    if url.get_backend_name() == "sqlite":
        return open_sqlite(url, pool_size)
    if url.get_backend_name() in MYSQL_DIALECTS:
        return open_mysql(url, pool_size, idle_transaction_s, statement_timeout_s)
    raise ValueError(f"MDS_DATABASE_URL names a {url.get_backend_name()} database; {RIGHT_URL}")


def parse_url(url_text: str) -> URL:
    """A URL whose driver is there.

    Raises:
        ValueError: never with the text itself, which may hold a password.
    """
    try:
        url = make_url(url_text)
    except (ArgumentError, ValueError):
        raise ValueError(f"MDS_DATABASE_URL is no URL of a database; {RIGHT_URL}") from None
    try:
        url.get_dialect().import_dbapi()
    except (NoSuchModuleError, ImportError):
        raise ValueError(
            f"MDS_DATABASE_URL begins with {url.drivername}://, whose driver is not installed; "
            f"{RIGHT_URL}"
        ) from None
    return url


def open_sqlite(url: URL, pool_size: int) -> Database:
    folder = Path(url.database or "").parent
    if not folder.is_dir():
        raise ValueError(
            f"MDS_DATABASE_URL names a file in the folder {folder}, which is not there. Make that "
            "folder, or name one that is there."
        )
    writing, reading, glancing = engines = [
        create_engine(
            url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=CONNECT_TIMEOUT_S,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "timeout": SQLITE_BUSY_TIMEOUT_MS / 1000},
        )
        for size in (pool_size, pool_size + 1, 1)
    ]
    for engine in engines:
        event.listen(engine, "do_connect", make_private)
        event.listen(engine, "connect", prepare_sqlite)
    event.listen(writing, "begin", beginning_with("BEGIN IMMEDIATE"))
    event.listen(reading, "begin", beginning_with("BEGIN"))
    return Database(
        url, writing, reading, glancing, literal_column("now_us()"), literal_column("'sqlite'")
    )


def make_private(_: Dialect, __: ConnectionPoolEntry, arguments: list[Any], ___: Any) -> None:
    """SQLite would make a file that everybody may read, and secrets of webhooks stand in it. What
    it makes beside the file is as private as that."""
    with suppress(OSError):  # it is there, or cannot be: then SQLite says why
        os.close(os.open(arguments[0], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    """The embedded database's clock is this machine's, to the microsecond."""
    connection.isolation_level = None  # we begin transactions, the driver does not
    connection.create_function("now_us", 0, lambda: time.time_ns() // 1000)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def beginning_with(statement: str) -> Any:
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    return begin


def open_mysql(
    url: URL, pool_size: int, idle_transaction_s: int, statement_timeout_s: int
) -> Database:
    # What stands in such a comment is for MariaDB alone: MySQL has no such setting.
    idle = f" /*M!100300 , idle_transaction_timeout={idle_transaction_s} */"

    def engine(isolation: str, more: str = "", size: int = pool_size) -> Engine:
        return create_engine(
            url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=CONNECT_TIMEOUT_S,
            hide_parameters=True,  # contents stay out of errors, and of the log
            pool_recycle=1800,
            isolation_level=isolation,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_S,
                "read_timeout": statement_timeout_s,
                "write_timeout": statement_timeout_s,
                "charset": "utf8mb4",
                "init_command": f"SET time_zone='+00:00', sql_mode='STRICT_ALL_TABLES'{more}",
            },
        )

    now_us: ColumnElement[int] = literal_column(
        "CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)"
    )
    engines = (
        engine("READ COMMITTED", idle),
        engine("REPEATABLE READ", size=pool_size + 1),
        engine("AUTOCOMMIT", size=1),
    )
    look_after_connections(*engines)
    return Database(
        url,
        *engines,
        now_us,
        literal_column("@@hostname"),
    )


def fault_of(error: DBAPIError) -> Fault:
    """What an error means; only the database's own code decides, never its text, save where
    there is no code for it alone: a missing table of SQLite, a transaction too large for Galera."""
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return sqlite_fault(original)
    code = original.args[0] if original is not None and original.args else None
    if code in {DEADLOCK, LOCK_TIMEOUT, CHANGED_SINCE_READ}:
        return Fault.TRY_AGAIN
    if is_too_large(code, str(original)):
        return Fault.TOO_LARGE
    if code in {1021, 1114, 28}:
        return Fault.FULL
    if code in {UNKNOWN_TABLE, UNKNOWN_COLUMN}:
        return Fault.SCHEMA
    away = error.connection_invalidated or code in {NOT_READY, COMMIT_REFUSED}
    return Fault.AWAY if away or isinstance(error, OperationalError) else Fault.OURS


def is_too_large(code: object, text: str) -> bool:
    if code == STATEMENT_TOO_LARGE:
        return True
    return isinstance(code, int) and code in TOO_LARGE and TOO_LARGE[code] in text


def limit_beyond(error: DBAPIError) -> str:
    """Which setting of the database an error of TOO_LARGE comes from."""
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return LIMIT_OF_STATEMENT if code == STATEMENT_TOO_LARGE else LIMITS_OF_TRANSACTION


def cause_of(error: DBAPIError) -> str:
    """A word for why a transaction has to run again, for counting."""
    original = error.orig
    code = original.args[0] if original is not None and original.args else None
    return _CAUSES.get(code, "busy") if isinstance(code, int) else "busy"


_CAUSES = {
    DEADLOCK: "deadlock",
    LOCK_TIMEOUT: "lock_timeout",
    CHANGED_SINCE_READ: "changed_since_read",
}


def sqlite_fault(error: sqlite3.Error) -> Fault:
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return Fault.TRY_AGAIN
    if primary == sqlite3.SQLITE_FULL:
        return Fault.FULL
    if primary in {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
    }:
        return Fault.AWAY
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return Fault.DAMAGED
    return Fault.SCHEMA if "no such" in str(error) else Fault.OURS
