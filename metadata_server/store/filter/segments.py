"""The order of a list in pieces that indexes can follow.

What is sorted by a state is one piece for each state, by id; what is sorted by a time that only
those have that were heard of is two: these, and the others by id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, func, or_

from metadata_server.domain.filter.asked import Sorting, rank
from metadata_server.domain.life.state import State
from metadata_server.domain.page import PageStart, SortValue
from metadata_server.store.filter.scope import unindexed
from metadata_server.store.schema import control_unit_status

COLUMNS = {"changed": "update_time_us", "created": "create_time_us", "zone": "zone"}
"""Columns of resources that lists are sorted by, besides the id."""
STATUS = control_unit_status.c


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a list.

    Attributes:
        column: that it is sorted by before the id; None: by the id alone.
        value: that all of it have, where there is no column.
        conditions: of what is in it.
        state: that all of it have in their rows; None: some may have no row.
    """

    column: ColumnElement[Any] | None = None
    value: SortValue = None
    conditions: tuple[ColumnElement[bool], ...] = ()
    state: str | None = None

    def place(self, value: SortValue) -> int:
        """Whether a value comes before this piece (-1), in it (0), or behind it (1)."""
        if self.column is not None:
            return 0 if value is not None or not self.conditions else -1
        mine, its = rank(self.value), rank(value)
        return 0 if mine == its else (-1 if its < mine else 1)


def segments(table: Table, sorting: Sorting) -> list[Segment]:
    """The pieces of a list, in ascending order."""
    name = sorting.key.name
    if name == "id":
        return [Segment()]
    if name in COLUMNS:
        return [Segment(table.c[COLUMNS[name]])]
    if name == "since":
        silent = or_(STATUS.key.is_(None), STATUS.state_time_us == 0)
        return [
            Segment(conditions=(silent,)),
            Segment(STATUS.state_time_us, conditions=(STATUS.state_time_us > 0,)),
        ]
    return [in_state(state) for state in sorted(State)]


def in_state(state: State) -> Segment:
    found = unindexed(STATUS.state) == state.value
    if state is State.UNSPECIFIED:
        return Segment(None, state.value, (or_(found, STATUS.key.is_(None)),))
    return Segment(None, state.value, (found,), state.value)


def rest_of(
    found: list[Segment], start: PageStart, *, descends: bool
) -> Iterator[tuple[Segment, bool]]:
    """The pieces from a place on, and whether the place is in the piece."""
    behind = -1 if descends else 1
    for segment in reversed(found) if descends else found:
        if not start.after:
            yield segment, False
            continue
        place = segment.place(start.value)
        if place != behind:
            yield segment, place == 0


def value_in(table: Table, sorting: Sorting) -> ColumnElement[Any] | None:
    """What a whole list is sorted by, before the id; 0: there is no value. None: by the id."""
    name = sorting.key.name
    if name == "id":
        return None
    if name in COLUMNS:
        return table.c[COLUMNS[name]]
    if name == "since":
        return func.coalesce(STATUS.state_time_us, 0)
    return func.coalesce(STATUS.state, State.UNSPECIFIED.value)
