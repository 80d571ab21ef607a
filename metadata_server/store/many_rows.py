"""Multi-row writes that bind what rows have in common once.

To hand each value of each row by its name to SQLAlchemy, and to have PyMySQL escape it there, took
two fifths of what a boot storm costs a replica's store. Most columns of such a statement have one
value in all rows: its revision, its time, the session.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple

from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

FEW = 8
"""Rows that are not worth it."""
MOST_CHARACTERS = 500_000
"""Of texts in a statement: at most twice that when they are escaped; what PyMySQL takes for one."""
VALUES = re.compile(r" VALUES \(((?:%\(\w+\)s(?:, )?)+)\)")
PLACE = re.compile(r"%\((\w+)\)s")
Row = Mapping[str, Any]


class Frame(NamedTuple):
    """A statement without its rows.

    Attributes:
        columns: names of the values of a row, in their order.
    """

    head: str
    columns: tuple[str, ...]
    tail: str

    def around(self, rows: str) -> str:
        return f"{self.head} VALUES {rows}{self.tail}"


def write_rows(connection: Connection, statement: Insert, rows: Sequence[Row]) -> None:
    """Executes a statement for rows that have the same columns."""
    dialect = connection.dialect
    if len(rows) < FEW or dialect.driver != "pymysql":
        connection.execute(statement, rows)
        return
    frame = frame_of(statement, tuple(rows[0]), dialect)
    for some in divided(rows):
        places, values = bound(frame.columns, some)
        try:
            connection.exec_driver_sql(frame.around(places), values)
        except DBAPIError as error:
            error.statement = frame.around("…")  # one line of the log
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


def divided(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """As many rows a statement as it takes; one at least."""
    begin = length = 0
    for place, row in enumerate(rows):
        own = sum([len(value) for value in row.values() if type(value) is str])
        if place > begin and length + own > MOST_CHARACTERS:
            yield rows[begin:place]
            begin, length = place, 0
        length += own
    yield rows[begin:]


def bound(columns: Sequence[str], rows: Sequence[Row]) -> tuple[str, dict[str, Any]]:
    """Places for the values of rows, and what the driver is to put there."""
    values: dict[str, Any] = {}
    places: list[Iterator[str]] = []
    for name in columns:
        column = [row[name] for row in rows]
        if is_one(column):
            values[name] = column[0]
            places.append(repeat(f"%({name})s", len(rows)))
        else:
            names = [f"{name}.{number}" for number in range(len(rows))]
            values.update(zip(names, column, strict=True))
            places.append(iter([f"%({each})s" for each in names]))
    return f"({'), ('.join(map(', '.join, zip(*places, strict=True)))})", values


def is_one(column: Sequence[Any]) -> bool:
    """Whether all are the same; 1 and True are not."""
    return column.count(column[0]) == len(column) and len(set(map(type, column))) == 1
