"""Pages of rows that are no resources, by a filter and in an order, as they are when the page is
read.

A page goes on behind the last row of the one before by that row's own place in the order, so
that what changes meanwhile is neither skipped nor told twice unless its own place changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, func, or_
from sqlalchemy.engine import RowMapping

from metadata_server.domain.filter.asked_list import AskedList, ListPage, ListPlace
from metadata_server.domain.filter.expression import EVERYTHING
from metadata_server.domain.page import not_a_token
from metadata_server.store.filter.compiling import condition_of
from metadata_server.store.filter.scope import Scope
from metadata_server.store.filter.sources import Source
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Records:
    """Where the rows of a list are.

    Attributes:
        sources: of all keys of its vocabulary.
        orders: columns of its sortable keys, which are texts of ASCII, or numbers; NULL comes
            before all others.
        identity: columns that tell rows apart that are alike in an order.
    """

    sources: Mapping[str, Source]
    orders: Mapping[str, ColumnElement[Any]]
    identity: Sequence[ColumnElement[Any]]

    def page(self, unit: UnitOfWork, query: Select[Any], asked: AskedList) -> ListPage[RowMapping]:
        """A page of the rows of a query.

        Raises:
            Refused: INVALID_FILTER, INVALID_FIELD, INVALID_PAGE_TOKEN.
        """
        count, sorting = asked.count, asked.sorting
        start = asked.place(unit.now_us, *map(type_of, self.identity))
        places = [self._value(sorting.key.name), *self.identity]
        if asked.expression != EVERYTHING:
            scope = Scope(unit, unit.position.revision, start.now_us)
            query = query.where(condition_of(asked.expression, self.sources, scope))
        if isinstance(start.value, str) and not start.value.isascii():
            raise not_a_token(asked.token)  # which no column of ASCII may be compared with
        if start.identity:
            last = [start.value or (0 if type_of(places[0]) is int else ""), *start.identity]
            query = query.where(behind(places, last, descends=sorting.descends))
        order = [each.desc() if sorting.descends else each for each in places]
        told = (each.label(f"place_{number}") for number, each in enumerate(places))
        query = query.add_columns(*told).order_by(*order).limit(count + 1)
        rows = unit.connection.execute(query).mappings().all()
        if len(rows) <= count:
            return ListPage(rows)
        value, *identity = (rows[count - 1][f"place_{n}"] for n in range(len(places)))
        following = asked.token_after(ListPlace(start.now_us, value, tuple(identity)))
        return ListPage(rows[:count], following)

    def _value(self, name: str) -> ColumnElement[Any]:
        column = self.orders[name]
        if not getattr(column, "nullable", False):
            return column
        return func.coalesce(column, "" if type_of(column) is str else 0)


def type_of(column: ColumnElement[Any]) -> type:
    return str if isinstance(column.type, String) else int


def behind(
    columns: Sequence[ColumnElement[Any]], values: Sequence[Any], *, descends: bool
) -> ColumnElement[bool]:
    """That rows come after a place of an order by some columns."""

    def after(number: int) -> Iterator[ColumnElement[bool]]:
        yield from (columns[n] == values[n] for n in range(number))
        column, value = columns[number], values[number]
        yield column < value if descends else column > value

    return or_(*(and_(*after(number)) for number in range(len(columns))))
