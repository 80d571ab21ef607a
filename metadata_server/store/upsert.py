"""Multi-row writes that insert or change, in the words of each database.

Rows of a statement are sorted by their key: unsorted ones deadlock (measured: 20 % of 100-row
upserts, against none).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from metadata_server.store.many_rows import write_rows

Row = Mapping[str, Any]


def insert_rows(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Inserts rows; one that is there already is an error."""
    ordered = in_key_order(table, rows)
    if ordered:
        write_rows(connection, inserting(table), ordered)


def insert_missing(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Inserts the rows that are not there; leaves the others as they are."""
    ordered = in_key_order(table, rows)
    if ordered:
        write_rows(connection, ignoring(table, connection.dialect.name), ordered)


def upsert_rows(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Inserts rows, or makes those that are there equal to them."""
    ordered = in_key_order(table, rows)
    if ordered:
        statement = upserting(table, connection.dialect.name, tuple(ordered[0]))
        write_rows(connection, statement, ordered)


def upsert_rows_if(
    connection: Connection, table: Table, rows: Iterable[Row], tests: tuple[tuple[str, str], ...]
) -> None:
    """As `upsert_rows`, where a row that is there passes all tests: see `upserting_if`."""
    ordered = in_key_order(table, rows)
    if ordered:
        dialect = connection.dialect.name
        write_rows(connection, upserting_if(table, dialect, tuple(ordered[0]), tests), ordered)


def in_key_order(table: Table, rows: Iterable[Row]) -> list[dict[str, Any]]:
    keys = itemgetter(*(column.name for column in table.primary_key))
    return sorted((row if type(row) is dict else dict(row) for row in rows), key=keys)


@cache
def inserting(table: Table) -> Insert:
    return table.insert()


@cache
def ignoring(table: Table, dialect: str) -> Insert:
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    first = next(iter(table.primary_key))
    return mysql.insert(table).on_duplicate_key_update({first.name: first})


@cache
def upserting(table: Table, dialect: str, columns: tuple[str, ...]) -> Insert:
    keys = {column.name for column in table.primary_key}
    changed = [name for name in columns if name not in keys]
    if dialect == "sqlite":
        lite = sqlite.insert(table)
        return lite.on_conflict_do_update(
            index_elements=list(table.primary_key),
            set_={name: lite.excluded[name] for name in changed},
        )
    my = mysql.insert(table)
    return my.on_duplicate_key_update({name: my.inserted[name] for name in changed})


@cache
def upserting_if(
    table: Table, dialect: str, columns: tuple[str, ...], tests: tuple[tuple[str, str], ...]
) -> Insert:
    """An upsert that changes a row only where its present values pass all `tests`.

    Args:
        tests: pairs of a column and `eq` (equal to the new value) or `lt` (less than it). The
            tested columns come last among the assignments, because MySQL's later assignments
            see the results of the earlier ones.
    """
    keys = {column.name for column in table.primary_key}
    tested = [name for name, _ in tests]
    plain = [name for name in columns if name not in keys and name not in tested]
    changed: Sequence[str] = [*plain, *tested]
    if dialect == "sqlite":
        lite = sqlite.insert(table)
        return lite.on_conflict_do_update(
            index_elements=list(table.primary_key),
            set_={name: lite.excluded[name] for name in changed},
            where=and_(*(passes(table, name, test, lite.excluded[name]) for name, test in tests)),
        )
    my = mysql.insert(table)
    condition = and_(*(passes(table, name, test, my.inserted[name]) for name, test in tests))
    assignments = [
        (name, func.if_(condition, my.inserted[name], table.c[name])) for name in changed
    ]
    return my.on_duplicate_key_update(assignments)


def passes(table: Table, name: str, test: str, new: ColumnElement[Any]) -> ColumnElement[bool]:
    present = table.c[name]
    return present == new if test == "eq" else present < new
