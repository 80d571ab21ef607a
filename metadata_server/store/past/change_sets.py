"""Change sets: who changed things, when and why, and how many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, Select, exists, select

from metadata_server.domain.access.token import CHANGES_TOKENS
from metadata_server.domain.change import Action
from metadata_server.domain.change_set import ChangeSet, ChangeSetSelection, unknown_change_set
from metadata_server.domain.filter.vocabulary import CHANGE_SET
from metadata_server.domain.horizon import check_position
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Listing, PageStart, page_size, start_of, token_of
from metadata_server.store.filter.record_sources import CHANGE_SET_SOURCES, passing
from metadata_server.store.keys import batches
from metadata_server.store.past.backwards import (
    Place,
    Reach,
    next_rows,
    place_of,
    reach_of,
    walk_of,
)
from metadata_server.store.past.names import Names
from metadata_server.store.past.tallies import Tallies
from metadata_server.store.schema import change_set, history
from metadata_server.store.unit_of_work import UnitOfWork

SHOWN_NAMES = 10


def change_set_page(
    unit: UnitOfWork, selection: ChangeSetSelection, tallies: Tallies, *, size: int, token: str
) -> Listing[ChangeSet]:
    """One page of change sets; those of which nothing is kept are left out.

    Raises:
        Refused: INVALID_FIELD, INVALID_FILTER, INVALID_PAGE_TOKEN, HISTORY_RESET.
    """
    count = page_size(size)
    start = start_of(token, selection) if token else PageStart(unit.position, now_us=unit.now_us)
    check_position(start.position, unit.position)
    reach = reach_of(unit, start.position, since=selection.since, until=selection.until)
    walk = walk_of(reach, selection.order_by, CHANGE_SET)
    begin = place_of(start.after) if token else walk.begin
    wanted = passing(unit, selection.filter, CHANGE_SET, CHANGE_SET_SOURCES, now_us=start.now_us)

    def query(window: Reach, place: Place) -> Select[Any]:
        columns = change_set.c
        found = select(change_set).where(
            columns.revision >= window.oldest,
            columns.revision <= window.newest,
            columns.revision != place.revision,
            exists().where(history.c.revision == columns.revision)
            | columns.method.in_(CHANGES_TOKENS),
        )
        if selection.author:
            found = found.where(columns.author == selection.author)
        if selection.filter:
            found = found.where(wanted)
        return found.order_by(*walk.order(columns.revision))

    rows, rest = next_rows(unit, change_set.c.revision, query, walk, start=begin, limit=count + 1)
    items = counted(unit, map(change_set_of, rows[:count]), tallies)
    if len(rows) > count:
        rest = Place(items[-1].revision)
    following = token_of(selection, replace(start, after=rest.text)) if rest else ""
    return Listing(items, start.position, following)


def get_change_set(unit: UnitOfWork, revision: int, tallies: Tallies) -> ChangeSet:
    """A change set with its counts.

    Raises:
        Refused: CHANGE_SET_NOT_FOUND, also where nothing of it is kept.
    """
    query = select(change_set).where(change_set.c.revision == revision)
    row = unit.connection.execute(query).one_or_none()
    if row is not None:
        (found,) = counted(unit, [change_set_of(row)], tallies)
        if found.created or found.updated or found.deleted or found.method in CHANGES_TOKENS:
            return found
    raise unknown_change_set(revision)


def change_set_of(row: Row[Any]) -> ChangeSet:
    return ChangeSet(
        revision=row.revision,
        time_us=row.time_us,
        author=row.author,
        authenticated=row.authenticated,
        reason=row.reason,
        request_id=row.request_id,
        client=row.client,
        method=row.method,
    )


def counted(
    unit: UnitOfWork, change_sets: Iterable[ChangeSet], tallies: Tallies
) -> list[ChangeSet]:
    """Change sets with the counts of what they did, and the first names."""
    found = list(change_sets)
    revisions = [each.revision for each in found]
    counts = tallies.of(unit, revisions)
    names = first_names(unit, revisions)
    return [
        replace(
            each,
            created=counts[each.revision].get(Action.CREATED, 0),
            updated=counts[each.revision].get(Action.UPDATED, 0),
            deleted=counts[each.revision].get(Action.DELETED, 0),
            first_names=tuple(names.get(each.revision, ())),
        )
        for each in found
    ]


def first_names(unit: UnitOfWork, revisions: Sequence[int]) -> dict[int, list[str]]:
    """Names of the first resources of each revision, as they were called then."""
    columns = history.c
    rows: list[Row[Any]] = []
    for some in batches(list(revisions)):
        query: Select[Any] = select(columns.revision, columns.kind, columns.key).where(
            columns.revision.in_(some), columns.ordinal < SHOWN_NAMES
        )
        rows += unit.connection.execute(query.order_by(columns.revision, columns.ordinal)).all()
    names = Names(unit, {row.key for row in rows})
    found: dict[int, list[str]] = {}
    for row in rows:
        name = Kind(row.kind).name_of(names.at(row.key, row.revision))
        found.setdefault(row.revision, []).append(name)
    return found
