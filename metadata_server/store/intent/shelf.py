"""What was made of resources when they were read last, for pages of lists.

Most of what a page costs are the contents: long rows, their objects, and what the wire makes of
them. So what was made of a resource is kept, and for a page the database is asked which resources
are on it and how old each is; only those that have changed are read. What is told is what the
database says in that very transaction: nothing has to be dropped when something changes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Select, select

from metadata_server.domain.resource import Resource
from metadata_server.store.intent.selections import Filter
from metadata_server.store.keys import batches
from metadata_server.store.kinds import LAYOUTS, Layout
from metadata_server.store.past.past import EVERYTHING, resources_at
from metadata_server.store.unit_of_work import UnitOfWork

MOST_BYTES = 64 * 1024 * 1024
T = TypeVar("T")
Stamp = tuple[Any, ...]
"""The id of a resource, the revision and the time of its last change, and the ids of all that it
refers to, as those may be renamed without it. The time, because a restored database comes to the
same revision twice."""


@dataclass(eq=False, frozen=True, slots=True)
class Kept(Generic[T]):
    """What was made of one resource."""

    id: str
    stamp: Stamp
    value: T


class Shelf(Generic[T]):
    """What is kept, of resources of all kinds; any thread may take from it.

    Attributes:
        bytes: that all that is kept takes.

    Args:
        make: what is made of a resource; the same of equal ones.
        weigh: bytes that a value takes.
        most_bytes: what has not been asked for longest makes room.
    """

    def __init__(
        self,
        make: Callable[[Resource], T],
        weigh: Callable[[T], int],
        *,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._make = make
        self._weigh = weigh
        self._most_bytes = most_bytes
        self._kept: OrderedDict[int, Kept[T]] = OrderedDict()
        self.bytes = 0
        self._turn = threading.Lock()

    def page(
        self, unit: UnitOfWork, type_: type[Resource], *conditions: ColumnElement[bool], limit: int
    ) -> list[Kept[T]]:
        """Of resources of today that pass all conditions, sorted by id."""
        table = LAYOUTS[type_.kind].table
        query = stamps_query(type_, *conditions).order_by(table.c.id).limit(limit)
        return list(self._read(unit, type_, query).values())

    def at(
        self,
        unit: UnitOfWork,
        type_: type[Resource],
        keys: Iterable[int],
        revision: int,
        wanted: Filter = EVERYTHING,
    ) -> dict[int, Kept[T]]:
        """Of what resources were at a revision, by key: those that were there, and pass."""
        table = LAYOUTS[type_.kind].table
        keys = list(keys)
        found: dict[int, Kept[T]] = {}
        for some in batches(keys):
            is_as_old = table.c.revision <= revision
            query = stamps_query(type_, table.c.key.in_(some), is_as_old, *wanted.conditions(table))
            found |= self._read(unit, type_, query)
        changed = [key for key in keys if key not in found]
        if not changed:
            return found
        past = resources_at(unit, type_, changed, revision, wanted)
        return found | {key: self.made(resource) for key, resource in past.items()}

    def made(self, resource: Resource, stamp: Stamp = ()) -> Kept[T]:
        """What is made of a resource that is not kept."""
        return Kept(resource.id, stamp, self._make(resource))

    def _read(
        self, unit: UnitOfWork, type_: type[Resource], query: Select[Any]
    ) -> dict[int, Kept[T]]:
        """By key, in the order of the query."""
        rows = unit.connection.execute(query).all()
        stamps = stamps_of(unit, LAYOUTS[type_.kind], rows)
        found = self._take(stamps)
        if len(found) < len(stamps):
            missing = stamps.keys() - found.keys()
            read = unit.resources.of_keys(type_, missing)
            made = {key: self.made(read[key], stamps[key]) for key in missing}
            self._put(made)
            found |= made
        return {key: found[key] for key in stamps}

    def _take(self, stamps: dict[int, Stamp]) -> dict[int, Kept[T]]:
        found = {}
        with self._turn:
            for key, stamp in stamps.items():
                kept = self._kept.get(key)
                if kept is not None and kept.stamp == stamp:
                    self._kept.move_to_end(key)
                    found[key] = kept
        return found

    def _put(self, made: dict[int, Kept[T]]) -> None:
        with self._turn:
            for key, kept in made.items():
                former = self._kept.pop(key, None)
                self.bytes += self._weigh(kept.value)
                self.bytes -= self._weigh(former.value) if former is not None else 0
                self._kept[key] = kept
            while self.bytes > self._most_bytes:
                _, oldest = self._kept.popitem(last=False)
                self.bytes -= self._weigh(oldest.value)


def stamps_query(type_: type[Resource], *conditions: ColumnElement[bool]) -> Select[Any]:
    layout = LAYOUTS[type_.kind]
    columns = layout.table.c
    references = [columns[each.column] for each in layout.references]
    return select(
        columns.key, columns.id, columns.revision, columns.update_time_us, *references
    ).where(*conditions)


def stamps_of(unit: UnitOfWork, layout: Layout, rows: Sequence[Row[Any]]) -> dict[int, Stamp]:
    """Stamps by key, in the order of the rows."""
    stamps: dict[int, Stamp] = {row[0]: tuple(row[1:4]) for row in rows}
    for place, reference in enumerate(layout.references, start=4):
        keys = {row[place] for row in rows} - {None}
        unit.keys.find_ids(reference.kind, keys)
        ids = {key: unit.keys.id_of(reference.kind, key) for key in keys} | {None: ""}
        for row in rows:
            stamps[row[0]] += (ids[row[place]],)
    return stamps
