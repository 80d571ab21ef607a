"""Multi-row writes with their values in the text of the statement, as PyMySQL would write them.

To hand each value of each row to SQLAlchemy and to PyMySQL by its name took two fifths of what a
boot storm costs a replica's store. Here a column is written at a time, and most columns of such a
statement have one value in all rows: its revision, its time, the session.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

FEW = 8
"""Rows that are not worth it."""
MOST_CHARACTERS = 1_000_000
"""Of a statement, as PyMySQL has it; a longer one is divided."""
VALUES = re.compile(r" VALUES \(((?:%\(\w+\)s(?:, )?)+)\)")
PLACE = re.compile(r"%\((\w+)\)s")
Escape = Callable[[Any], str]
"""Writes a value as the driver does, whatever is in it."""


class Frame(NamedTuple):
    """A statement without its rows.

    Attributes:
        columns: names of the values of a row, in their order.
    """

    head: str
    columns: tuple[str, ...]
    tail: str


def write_rows(
    connection: Connection, statement: Insert, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Executes a statement for rows that have the same columns."""
    dialect = connection.dialect
    if len(rows) < FEW or dialect.driver != "pymysql":
        connection.execute(statement, rows)
        return
    frame = frame_of(statement, tuple(rows[0]), dialect)
    driver: Any = connection.connection.dbapi_connection
    for text in texts(frame, rows, driver.escape):
        try:
            connection.exec_driver_sql(text, None, {"no_parameters": True})
        except DBAPIError as error:
            error.statement = f"{frame.head} VALUES …{frame.tail}"  # for the log
            raise


@lru_cache(maxsize=256)
def frame_of(statement: Insert, columns: tuple[str, ...], dialect: Dialect) -> Frame:
    text = str(statement.compile(dialect=dialect, column_keys=columns))
    (found,) = VALUES.finditer(text)
    names = tuple(PLACE.findall(found[1]))
    assert sorted(names) == sorted(columns), "every value of a row stands in its row, once"
    head, tail = text[: found.start()], text[found.end() :]
    assert "%" not in head + tail, "all values stand in rows"
    return Frame(head, names, tail)


def texts(frame: Frame, rows: Sequence[Mapping[str, Any]], escape: Escape) -> Iterator[str]:
    """The statements that write some rows: one, unless it were too long."""
    columns = [column_of([row[name] for row in rows], escape) for name in frame.columns]
    some: list[str] = []
    length = 0
    for row in map(", ".join, zip(*columns, strict=True)):
        if some and length + len(row) > MOST_CHARACTERS:
            yield statement_of(frame, some)
            some, length = [], 0
        some.append(row)
        length += len(row)
    yield statement_of(frame, some)


def statement_of(frame: Frame, rows: Iterable[str]) -> str:
    return f"{frame.head} VALUES ({'), ('.join(rows)}){frame.tail}"


def column_of(values: Sequence[Any], escape: Escape) -> list[str]:
    """The values of a column, written out."""
    first = values[0]
    kinds = set(map(type, values))
    if len(kinds) == 1 and values.count(first) == len(values):
        return [literal(first, escape)] * len(values)
    if kinds == {int}:
        return list(map(str, values))
    return [literal(value, escape) for value in values]


def literal(value: Any, escape: Escape) -> str:
    """A value written out. A text without a quote, a backslash or a zero is what it is between
    quotes; everything else is for the driver."""
    if type(value) is str and not ("'" in value or "\\" in value or "\0" in value):
        return f"'{value}'"
    return escape(value)
