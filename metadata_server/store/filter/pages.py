"""Pages of lists that are filtered or sorted, as of the revision of the first.

What has not changed since is found in the tables of today; what has is looked at in memory, as
it was. Where that is too much, as in lists of the long past, all is looked at.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from metadata_server.domain.filter.asked import Asked, rank
from metadata_server.domain.filter.expression import named_by
from metadata_server.domain.filter.matching import matches
from metadata_server.domain.life.timing import NEVER_SUSPECT_US
from metadata_server.domain.names import Kind
from metadata_server.domain.page import PageStart, SortValue
from metadata_server.store.filter.keys_of_page import KeyQuery, Row
from metadata_server.store.filter.scope import Scope
from metadata_server.store.filter.subjects import Subjects
from metadata_server.store.filter.unit_sources import REPORTED_SOURCES
from metadata_server.store.intent.selections import Filter
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.past.past import batches_of, ids_at, names_at, resources_at
from metadata_server.store.schema import control_unit_status, history, status_history
from metadata_server.store.unit_of_work import UnitOfWork

MOST_CHANGED = 5_000
BATCH = 500
REFERRED = {"template": Kind.TEMPLATE, "unit_server": Kind.UNIT_SERVER}


@dataclass(frozen=True, slots=True)
class FilteredList:
    """One list.

    Attributes:
        wanted: the other fields of its selection.
        is_past: it was asked for as of a moment, not as of now.
        suspect_us: an agent that has said nothing for longer is SUSPECT.
    """

    unit: UnitOfWork
    asked: Asked
    wanted: Filter
    is_past: bool
    suspect_us: int = NEVER_SUSPECT_US

    @property
    def kind(self) -> Kind:
        kind = Kind(self.asked.word)
        return Kind.CONTROL_UNIT if kind is Kind.CONTROL_UNIT_STATUS else kind

    def rows(self, start: PageStart, limit: int) -> list[Row]:
        """At most `limit` rows from a place on, in their order."""
        revision = start.position.revision
        scope = Scope(self.unit, revision, start.now_us, suspect_us=self.suspect_us)
        if revision == self.unit.position.revision:
            return KeyQuery(scope, self.asked, self.wanted).rows(start, limit)
        # What is named need not be looked for among all that has changed since.
        changed = self._changed(revision) if self._named is None else None
        if changed is None:
            return self._ordered(self._passing_of_all(start), start, limit)
        unchanged = KeyQuery(scope, self.asked, self.wanted, self._as_old(revision))
        return self._ordered(
            [*unchanged.rows(start, limit), *self._passing(changed, start)], start, limit
        )

    @property
    def _named(self) -> frozenset[str] | None:
        """Ids among which those of all that passes are; None: any."""
        return named_by(self.asked.expression, "id")

    def _ordered(self, rows: Any, start: PageStart, limit: int) -> list[Row]:
        descends = self.asked.sorting.descends

        def place(row: Row) -> tuple[tuple[bool, Any], str]:
            return rank(row.value), row.id

        if start.after:
            after = rank(start.value), start.after
            rows = (r for r in rows if (place(r) < after if descends else place(r) > after))
        pick = heapq.nlargest if descends else heapq.nsmallest
        return pick(limit, rows, key=place)

    def _looks_at_statuses(self) -> bool:
        return self.kind is Kind.CONTROL_UNIT and not REPORTED_SOURCES.keys().isdisjoint(
            self.asked.names
        )

    def _as_old(self, revision: int) -> tuple[ColumnElement[bool], ...]:
        """Of rows that were the same at a revision."""
        found: list[ColumnElement[bool]] = [LAYOUTS[self.kind].table.c.revision <= revision]
        if self._looks_at_statuses():
            status = control_unit_status.c
            found.append(or_(status.key.is_(None), status.revision <= revision))
        return tuple(found)

    def _changed(self, revision: int) -> dict[str, int] | None:
        """Ids of then and keys of what has changed since a revision; None: that is too much."""
        kinds = [(history, self.kind)]
        if self._looks_at_statuses():
            kinds.append((status_history, Kind.CONTROL_UNIT_STATUS))
        keys: set[int] = set()
        for table, kind in kinds:
            query = select(table.c.key).where(
                table.c.revision > revision, table.c.kind == kind.value
            )
            found = list(self.unit.connection.scalars(query.limit(MOST_CHANGED + 1)))
            if len(found) > MOST_CHANGED:
                return None
            keys.update(found)
        then = ids_at(self.unit, keys, revision)
        return {id: key for key, id in then.items()}

    def _passing_of_all(self, start: PageStart) -> Iterator[Row]:
        names = names_at(self.kind, start.position.revision, self.wanted, self._named)
        for some in batches_of(self.unit, names, self.wanted.id_prefix, after="", size=BATCH):
            yield from self._passing(some, start)

    def _passing(self, keys: dict[str, int], start: PageStart) -> Iterator[Row]:
        """What passes of some ids and keys, as it was."""
        prefix = self.wanted.id_prefix
        revision = start.position.revision
        known = Subjects(
            self.unit,
            self.asked,
            self.kind,
            revision,
            is_present=not self.is_past,
            suspect_us=self.suspect_us,
        )
        wanted = {id: key for id, key in keys.items() if id.startswith(prefix)}
        if self.wanted.columns:
            passing = resources_at(
                self.unit, LAYOUTS[self.kind].type, wanted.values(), revision, self.wanted
            )
            wanted = {id: key for id, key in wanted.items() if key in passing}
        subjects = known.of(wanted)
        for id, key in wanted.items():
            subject = subjects.get(key)
            if subject is not None and matches(self.asked.expression, subject, start.now_us):
                value: SortValue = self.asked.sorting.value_of(subject)
                yield Row(key, id, value)


def kinds_of(asked: Asked) -> frozenset[Kind]:
    """The kinds whose history a list is read from."""
    kind = Kind(asked.word)
    kinds: set[Kind] = {kind}
    if kind is Kind.CONTROL_UNIT_STATUS:
        kinds.add(Kind.CONTROL_UNIT)
    if kind is Kind.CONTROL_UNIT and not REPORTED_SOURCES.keys().isdisjoint(asked.names):
        kinds.add(Kind.CONTROL_UNIT_STATUS)
    kinds |= {REFERRED[name] for name in asked.names & REFERRED.keys()}
    return frozenset(kinds)
