"""Walks back through what was written, newest first, a bounded window at a time.

A filter that nothing passes must not read a million rows in one statement: a window has so many
rows, a page so many windows, and a page that runs out of them is short and goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Row, Select, select

from metadata_server.domain.change import Position
from metadata_server.domain.moment import Moment
from metadata_server.domain.page import not_a_token
from metadata_server.store.past.moments import position_at
from metadata_server.store.unit_of_work import UnitOfWork

WINDOW_ROWS = 5_000
MOST_WINDOWS = 40


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Between two rows: what comes next is older than it."""

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
    return Place(min(int(revision), 2**63 - 1), min(int(ordinal), 2**31 - 1))


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


def newest_rows(
    unit: UnitOfWork,
    column: Column[int] | None,
    query: Query,
    reach: Reach,
    *,
    before: Place,
    limit: int,
) -> tuple[list[Row[Any]], Place | None]:
    """The newest rows of a query, and where to go on when it has not come to the end.

    Args:
        column: of the revisions that windows are made of; None: an index finds the rows.
        query: gives the rows of a reach before a place, newest first.
    """
    found: list[Row[Any]] = []
    for _ in range(MOST_WINDOWS):
        oldest = reach.oldest if column is None else window(unit, column, reach, before)
        wanted = query(Reach(oldest, reach.newest), before).limit(limit - len(found))
        found += unit.connection.execute(wanted).all()
        if len(found) == limit or oldest <= reach.oldest:
            return found, None
        before = Place(oldest)
    return found, before


def window(unit: UnitOfWork, column: Column[int], reach: Reach, before: Place) -> int:
    """The oldest revision of the next window."""
    rows = (
        select(column)
        .where(column >= reach.oldest, column <= min(before.revision, reach.newest))
        .order_by(column.desc())
        .limit(1)
        .offset(WINDOW_ROWS)
    )
    oldest = unit.connection.scalar(rows)
    return reach.oldest if oldest is None else int(oldest)
