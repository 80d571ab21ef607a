"""Walks through what was written, newest first or oldest first, a bounded window at a time.

A filter that nothing passes must not read a million rows in one statement: a window has so many
rows, a page so many windows, and a page that runs out of them is short and goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Select, select

from metadata_server.domain.change import Position
from metadata_server.domain.filter.asked import sorting_of
from metadata_server.domain.moment import Moment
from metadata_server.domain.page import not_a_token
from metadata_server.store.past.moments import position_at
from metadata_server.store.unit_of_work import UnitOfWork

WINDOW_ROWS = 5_000
MOST_WINDOWS = 40
LAST_ORDINAL = 2**31 - 1


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Between two rows: what comes next is older than it, or newer in a walk that ascends."""

    revision: int
    ordinal: int = 0

    @property
    def text(self) -> str:
        return f"{self.revision}:{self.ordinal}"


def place_of(text: str) -> Place:
    """The place in a page token.

    Raises:
        Refused: INVALID_PAGE_TOKEN.
    """
    revision, _, ordinal = text.partition(":")
    if not (revision.isascii() and revision.isdigit() and ordinal.isascii() and ordinal.isdigit()):
        raise not_a_token(text)
    return Place(min(int(revision), 2**63 - 1), min(int(ordinal), LAST_ORDINAL))


@dataclass(frozen=True, slots=True)
class Reach:
    """From which revision on, and up to which; both included."""

    oldest: int
    newest: int


def reach_of(
    unit: UnitOfWork, position: Position, *, since: Moment | None, until: Moment | None
) -> Reach:
    """The revisions from one moment up to another, none after a position.

    Raises:
        Refused: HISTORY_RESET, for a revision that has not come yet.
    """
    oldest = 0
    if since is not None and since.revision is not None:
        oldest = position_at(unit, since, ()).revision
    elif since is not None and since.time_us is not None:
        just_before = Moment(time_us=since.time_us - 1)
        oldest = position_at(unit, just_before, ()).revision + 1
    newest = position_at(unit, until, ()).revision
    return Reach(oldest, min(newest, position.revision))


Query = Callable[[Reach, Place], Select[Any]]


@dataclass(frozen=True, slots=True)
class Walk:
    """From one end of a reach to the other."""

    reach: Reach
    descends: bool

    @property
    def begin(self) -> Place:
        return Place(self.reach.newest + 1) if self.descends else Place(self.reach.oldest - 1)

    def ahead(self, place: Place) -> Reach:
        """The revisions that lie ahead of a place: its own too, where a part of that does. A walk
        comes on also where one revision has more rows than a window."""
        if self.descends:
            newest = place.revision - (place.ordinal == 0)
            return Reach(self.reach.oldest, min(newest, self.reach.newest))
        oldest = place.revision + (place.ordinal == LAST_ORDINAL)
        return Reach(max(oldest, self.reach.oldest), self.reach.newest)

    def order(self, *columns: ColumnElement[Any]) -> list[ColumnElement[Any]]:
        return [each.desc() if self.descends else each.asc() for each in columns]

    def window(self, unit: UnitOfWork, column: Column[int], place: Place) -> Reach:
        """The next revisions ahead of a place."""
        ahead = self.ahead(place)
        rows = (
            select(column)
            .where(column >= ahead.oldest, column <= ahead.newest)
            .order_by(*self.order(column))
            .limit(1)
            .offset(WINDOW_ROWS)
        )
        end = unit.connection.scalar(rows)
        if end is None:
            return ahead
        return replace(ahead, oldest=end) if self.descends else replace(ahead, newest=end)

    def is_done(self, window: Reach) -> bool:
        if self.descends:
            return window.oldest <= self.reach.oldest
        return window.newest >= self.reach.newest

    def behind(self, window: Reach) -> Place:
        """The place behind all of a window."""
        return Place(window.oldest) if self.descends else Place(window.newest, LAST_ORDINAL)


def walk_of(reach: Reach, order_by: str, word: str) -> Walk:
    """A walk in the order that somebody asks for; revisions and times have the same.

    Raises:
        Refused: INVALID_FIELD.
    """
    return Walk(reach, sorting_of(order_by, word).descends)


def next_rows(
    unit: UnitOfWork,
    column: Column[int] | None,
    query: Query,
    walk: Walk,
    *,
    start: Place,
    limit: int,
) -> tuple[list[Row[Any]], Place | None]:
    """The next rows of a query, and where to go on when it has not come to the end.

    Args:
        column: of the revisions that windows are made of; None: an index finds the rows.
        query: gives the rows of a reach that lie ahead of a place.
    """
    found: list[Row[Any]] = []
    for _ in range(MOST_WINDOWS):
        window = walk.ahead(start) if column is None else walk.window(unit, column, start)
        wanted = query(window, start).limit(limit - len(found))
        found += unit.connection.execute(wanted).all()
        if len(found) == limit or column is None or walk.is_done(window):
            return found, None
        start = walk.behind(window)
    return found, start
