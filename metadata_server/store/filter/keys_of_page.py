"""Which resources are on a page of a list that is filtered or sorted: their keys alone, so that
no bodies are sorted.

A database that is to give the first hundred of a list may walk the list in its order, or what
passes the filter, and guesses wrong where the one is long and the other short. So it is told:
what passes a term by its index is counted, up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    func,
    literal,
    or_,
    select,
)

from metadata_server.domain.filter.asked import Asked
from metadata_server.domain.filter.expression import All, Expression, Term, named_by
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.page import PageStart, SortValue
from metadata_server.store.filter.compiling import condition_of
from metadata_server.store.filter.kind_sources import KIND_SOURCES
from metadata_server.store.filter.orders import ORDERS, order_of
from metadata_server.store.filter.referred import REFERRED, groups_from
from metadata_server.store.filter.scope import Scope, unindexed
from metadata_server.store.filter.segments import (
    STATUS,
    Segment,
    rest_of,
    segments,
    value_in,
)
from metadata_server.store.filter.sources import Source
from metadata_server.store.filter.unit_sources import (
    OF_STATUS,
    UNIT_SOURCES,
    joined,
    those_holding,
)
from metadata_server.store.intent.selections import Filter, id_range
from metadata_server.store.kinds import LAYOUTS

FEW = 5_000
"""So many rows are sorted rather than to walk a whole list for them."""
WALKS = (500, 5_000)
"""So many rows of a list are walked for a page, one after the other, before all are looked at."""
HOPE = 20
"""Times the rows of a walk that pass must fill a page, or walking farther is not worth it: the
next one is ten times as long, and rows that pass may lie closer together there."""
PLACES = frozenset({"id", "zone"})
"""Keys whose terms are ranges of ids."""
UNIT_KINDS = frozenset({Kind.CONTROL_UNIT, Kind.CONTROL_UNIT_STATUS})


class Row(NamedTuple):
    """One of a page, and what it is sorted by."""

    key: int
    id: str
    value: SortValue


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """A list that is filtered or sorted.

    Attributes:
        wanted: the other fields of its selection.
        conditions: more that must hold.
    """

    scope: Scope
    asked: Asked
    wanted: Filter
    conditions: tuple[ColumnElement[bool], ...] = ()

    @property
    def kind(self) -> Kind:
        kind = Kind(self.asked.word)
        return Kind.CONTROL_UNIT if kind in UNIT_KINDS else kind

    @property
    def sources(self) -> Mapping[str, Source]:
        return UNIT_SOURCES if self.kind is Kind.CONTROL_UNIT else KIND_SOURCES[self.kind]

    def rows(self, start: PageStart, limit: int) -> list[Row]:
        """At most `limit` rows from a place on, in their order."""
        sorting = self.asked.sorting
        led_by = frozenset(self._leading())
        # Pieces of one state are by id, and so is what all of them are looked up by.
        order = "id" if sorting.key.name == "state" else sorting.key.name
        query = replace(self, scope=self.scope.led(led_by, order))
        if sorting.key.name in REFERRED and self.kind is Kind.CONTROL_UNIT and not led_by:
            walked = query.referred(start, limit)
            if walked is not None:
                return walked
        if sorting.key.name in ORDERS.get(self.kind, {}):
            return (query if led_by else self).whole(start, limit)
        found: list[Row] = []
        pieces = segments(LAYOUTS[self.kind].table, sorting)
        for segment, is_in in rest_of(pieces, start, descends=sorting.descends):
            after = start if is_in else replace(start, after="", value=None)
            piece = query.piece(segment, after, limit - len(found))
            if piece is None:
                return query.whole(start, limit)
            found += piece
            if len(found) >= limit:
                break
        return found

    def count(self) -> int:
        """How many pass."""
        table = LAYOUTS[self.kind].table
        query = self._joined(select(func.count()).select_from(table).where(*self._conditions()))
        return int(self.scope.unit.connection.execute(query).scalar_one())

    def whole(self, start: PageStart, limit: int) -> list[Row]:
        """Rows of the whole list, which is read once; what passes is sorted."""
        table, descends = LAYOUTS[self.kind].table, self.asked.sorting.descends
        value = order_of(self.kind, self.asked.sorting.key.name, self.scope)
        if value is None:
            value = value_in(table, self.asked.sorting)
        told = (literal(None) if value is None else value).label("value")
        columns: list[ColumnElement[Any]] = [unindexed(table.c.id)]
        if value is None:
            places = ids_after(table.c.id, start, descends=descends)
        else:
            place = known(start, value)
            places = places_after(value, table.c.id, place, descends=descends)
            # What is worked out is worked out once for each row.
            columns.insert(0, unindexed(value) if isinstance(value, Column) else told)
        query = self._joined(
            select(table.c.key, table.c.id, told).where(*self._conditions(), *places)
        )
        rows = self._run(query, columns, limit)
        return [row._replace(value=row.value or None) for row in rows]

    def referred(self, start: PageStart, limit: int) -> list[Row] | None:
        """Rows by the id of what they refer to, of as little of that as fills a page; None: so few
        pass, that it is better to look at all."""
        table, descends = LAYOUTS[self.kind].table, self.asked.sorting.descends
        kind, column = REFERRED[self.asked.sorting.key.name]
        named = self.scope.names_of(kind)
        of_some = select(table.c.key, table.c.id, named.c.id.label("value"))
        of_some = of_some.select_from(table.join(named, named.c.key == column))
        of_none = select(table.c.key, table.c.id, literal(None).label("value"))
        of_none = of_none.where(column.is_(None))
        if start.value is None:
            of_none = of_none.where(*ids_after(table.c.id, start, descends=descends))
        else:
            places = places_after(named.c.id, table.c.id, start, descends=descends)
            of_some = of_some.where(*places)
        found: list[Row] = []
        for keys in groups_from(self.scope.unit, named, start, descends=descends):
            query = of_some.where(column.in_(keys)) if keys else of_none
            order = [named.c.id, table.c.id] if keys else [table.c.id]
            rows = self._joined(query.where(*self._conditions()))
            found += self._run(rows, [unindexed(each) for each in order], limit - len(found))
            if len(found) == limit:
                break
            if len(keys) > 1 and len(found) * HOPE < limit:
                return None
        return found

    def piece(self, segment: Segment, start: PageStart, limit: int) -> list[Row] | None:
        """Rows of one piece of the list; None: the whole list is better read at once."""
        if segment.column is not None:
            start = known(start, segment.column)
        descends = self.asked.sorting.descends
        narrow = bool(self.scope.led_by) or self.kind is not Kind.CONTROL_UNIT
        conditions = [*segment.conditions, *self._conditions()]  # the cheap ones first
        if segment.state is not None:
            count = self._count(with_state(segment.state))
            if not count:
                return []
            if count <= FEW:
                narrow = True
                conditions.append(STATUS.state == segment.state)
        table = LAYOUTS[self.kind].table
        value = literal(segment.value) if segment.column is None else segment.column
        if segment.column is None:
            conditions += ids_after(table.c.id, start, descends=descends)
        else:
            conditions += places_after(segment.column, table.c.id, start, descends=descends)
        query = self._joined(
            select(table.c.key, table.c.id, value.label("value")).where(*conditions)
        )
        columns: list[ColumnElement[Any]] = [table.c.id]
        if segment.column is not None:
            columns = [segment.column, table.c.id]
        if not narrow:
            return self._first(query, segment, start, columns, limit)
        return self._run(query, [unindexed(each) for each in columns], limit)

    def _first(
        self,
        query: Select[Any],
        segment: Segment,
        start: PageStart,
        columns: list[ColumnElement[Any]],
        limit: int,
    ) -> list[Row] | None:
        """A page that is found among the first of the list; None: so few pass there, that it is
        better to look at all, and to sort those that pass."""
        descends = self.asked.sorting.descends
        table = LAYOUTS[self.kind].table
        leads = columns[0]
        places = (
            [*self._range(), *ids_after(table.c.id, start, descends=descends)]
            if segment.column is None
            else [leads >= start.value, leads <= start.value][descends : descends + 1]
            if start.after
            else []
        )
        order = leads.desc() if descends else leads
        for walked in WALKS:
            if walked < limit:
                continue
            edge = select(leads).where(*places).order_by(order).offset(walked).limit(1)
            bound = self.scope.unit.connection.scalar(edge)
            if bound is None:
                return self._run(query, columns, limit)
            near = query.where(leads >= bound if descends else leads <= bound)
            found = self._run(near, columns, limit)
            if len(found) == limit:
                return found
            if len(found) * HOPE < limit:
                break
        return None

    def _range(self) -> list[ColumnElement[bool]]:
        """The range of ids in which all lies that passes."""
        terms = (each for each in leading(self.asked.expression) if each.key.name in PLACES)
        prefix = self.wanted.id_prefix
        return [
            *id_range(LAYOUTS[self.kind].table.c.id, prefix=prefix),
            *(self.sources[term.key.name](self.scope, term) for term in terms),
        ]

    def _run(self, query: Select[Any], columns: list[ColumnElement[Any]], limit: int) -> list[Row]:
        descends = self.asked.sorting.descends
        order = [each.desc() if descends else each for each in columns]
        result = self.scope.unit.connection.execute(query.order_by(*order).limit(limit))
        return [Row(*row) for row in result]

    def _conditions(self) -> list[ColumnElement[bool]]:
        table = LAYOUTS[self.kind].table
        return [
            *self.wanted.conditions(table),
            *id_range(table.c.id, prefix=self.wanted.id_prefix),
            condition_of(self.asked.expression, self.sources, self.scope),
            *self.conditions,
        ]

    def _joined(self, query: Select[Any]) -> Select[Any]:
        if self.kind is not Kind.CONTROL_UNIT:
            return query
        names = self.asked.names | ({"state"} if self.conditions else frozenset())
        return joined(query, names)

    def _count(self, probe: Select[Any] | CompoundSelect[Any]) -> int:
        """How many there are; more than FEW are not counted."""
        counting = select(func.count()).select_from(probe.limit(FEW + 1).subquery())
        return int(self.scope.unit.connection.execute(counting).scalar_one())

    def _leading(self) -> Iterator[Term]:
        """Terms that are found by an index and that few pass."""
        if self.kind is not Kind.CONTROL_UNIT:
            return
        for term in leading(self.asked.expression):
            # What is named one by one is few: the length of filters has a limit.
            if named_by(term, "id") or self._count(self._probe(term)) <= FEW:
                yield term

    def _probe(self, term: Term) -> Select[Any] | CompoundSelect[Any]:
        """What passes a term, read from its index alone."""
        if term.key.name == "condition":
            return those_holding(self.scope, term)
        condition = self.sources[term.key.name](self.scope, term)
        if term.key.name in OF_STATUS:
            return select(STATUS.key).where(condition)
        return select(LAYOUTS[self.kind].table.c.key).where(condition)


def with_state(state: str) -> Select[Any]:
    return select(STATUS.key).where(STATUS.state == state)


def leading(expression: Expression) -> Iterator[Term]:
    """Terms that all that passes must pass, and that an index leads to."""
    if isinstance(expression, All):
        for part in expression.parts:
            yield from leading(part)
    elif isinstance(expression, Term) and expression.key.is_indexed:
        beginnings = [getattr(each, "beginning", str(each)) for each in expression.wanted]
        # The patterns of what is referred to are resolved first, whatever they begin with.
        is_led = all(beginnings) or expression.key.name in REFERRED
        if is_led and State.UNSPECIFIED.value not in beginnings:
            yield expression


def known(start: PageStart, column: ColumnElement[Any]) -> PageStart:
    """A place as a column has it: in which nothing is 0, or an empty text."""
    nothing = "" if isinstance(column.type, String) else 0
    return replace(start, value=nothing) if start.value is None else start


def ids_after(
    column: ColumnElement[str], start: PageStart, *, descends: bool
) -> list[ColumnElement[bool]]:
    if not start.after:
        return []
    return [column < start.after if descends else column > start.after]


def places_after(
    column: ColumnElement[Any], ids: ColumnElement[str], start: PageStart, *, descends: bool
) -> list[ColumnElement[bool]]:
    """Rows behind a place of an order: a range of its index, less those of the same value that come
    before. A value that is worked out is so only twice."""
    if not start.after:
        return []
    if descends:
        return [column <= start.value, or_(column < start.value, ids < start.after)]
    return [column >= start.value, or_(column > start.value, ids > start.after)]
