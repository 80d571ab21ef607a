"""Pages of operations, in any order; as they are when each page is read.

A page goes on after the last row of the one before by that row's own place in the order, so
that what changes meanwhile is neither skipped nor told twice unless its own place changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, and_, func, or_, select

from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.domain.orchestration.operation import Operation
from metadata_server.domain.orchestration.operation_list import OperationSelection
from metadata_server.domain.page import not_a_token, page_size
from metadata_server.domain.place import place_in, place_token
from metadata_server.store.filter.record_sources import OPERATION_SOURCES, passing
from metadata_server.store.orchestration.operation_tables import operation as table
from metadata_server.store.orchestration.operation_tables import operation_step
from metadata_server.store.orchestration.operations import operations_of
from metadata_server.store.schema import name
from metadata_server.store.unit_of_work import UnitOfWork

COLUMNS = {
    "create_time": table.c.create_time_us,
    "start_time": table.c.start_time_us,
    "end_time": table.c.end_time_us,
    "update_time": table.c.update_time_us,
    "sign_of_life_time": table.c.sign_of_life_us,
    "name": table.c.id,
}
LIKE_ESCAPES = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})


@dataclass(frozen=True, slots=True)
class OperationPage:
    """Some operations; `total`: how many pass the filter."""

    operations: Sequence[Operation]
    next_page_token: str
    total: int


def operation_page(
    unit: UnitOfWork, selection: OperationSelection, *, size: int, token: str
) -> OperationPage:
    """One page of operations. The few that it shows are read by their keys, once it is known
    which they are: their bodies are not sorted.

    Raises:
        Refused: INVALID_FIELD, INVALID_FILTER, INVALID_PAGE_TOKEN.
    """
    count = page_size(size)
    field, descends = selection.sorting()
    conditions = conditions_of(unit, selection)
    if conditions is None:
        return OperationPage((), "", 0)
    column = COLUMNS[field] if field in COLUMNS else table.c[field]
    after = [] if not token else [behind(column, *place_of(token, selection), descends=descends)]
    first = column if is_by_index(selection) else unindexed(column)
    order = (first.desc(), table.c.key.desc()) if descends else (first, table.c.key)
    query = select(table.c.key, column.label("value")).where(*conditions, *after).order_by(*order)
    rows = unit.connection.execute(query.limit(count + 1)).all()
    found = operations_of(unit, [row.key for row in rows[:count]])
    last = rows[count - 1] if len(rows) > count else None
    if last is None and not token:
        total = len(rows)
    else:
        counting = select(func.count()).select_from(table).where(*conditions)
        total = unit.connection.execute(counting).scalar_one()
    return OperationPage(
        [found[row.key] for row in rows[:count]],
        "" if last is None else place_token(selection.digest, [last.value, last.key]),
        total,
    )


def is_by_index(selection: OperationSelection) -> bool:
    """Whether a page is a piece of an index. All others are read from one end of the table to the
    other: where few rows pass a filter, a database that walks the index of the order fetches each
    row by itself, and takes twenty times as long."""
    field, _ = selection.sorting()
    is_filtered = bool(
        selection.phases
        or selection.verbs
        or selection.author
        or selection.text
        or selection.control_unit
        or selection.filter
    )
    is_timed = bool(selection.since_us or selection.until_us)
    return not is_filtered and (field == "create_time" or (field == "name" and not is_timed))


def unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same value, as no index has it."""
    return column + ("" if isinstance(column.type, String) else 0)


def conditions_of(
    unit: UnitOfWork, selection: OperationSelection
) -> list[ColumnElement[bool]] | None:
    """A selection as SQL; None: nothing can pass it."""
    found: list[ColumnElement[bool]] = []
    created: ColumnElement[int] = table.c.create_time_us
    if not is_by_index(selection):
        created = unindexed(created)
    if selection.phases:
        found.append(table.c.phase.in_(sorted(selection.phases)))
    if selection.verbs:
        found.append(table.c.verb.in_(sorted(selection.verbs)))
    if selection.author:
        found.append(table.c.author == selection.author)
    if selection.since_us:
        found.append(created >= selection.since_us)
    if selection.until_us:
        found.append(created < selection.until_us)
    if selection.text:
        pattern = f"%{selection.text.translate(LIKE_ESCAPES).lower()}%"
        texts = (table.c.reason, table.c.message)
        found.append(or_(*(func.lower(each).like(pattern, escape="\\") for each in texts)))
    if selection.filter:
        found.append(
            passing(unit, selection.filter, "operation", OPERATION_SOURCES, now_us=unit.now_us)
        )
    if selection.campaign:
        keys = keys_ever(unit, Kind.CAMPAIGN, selection.campaign)
        found.append(table.c.campaign_key.in_(keys))
    if selection.control_unit:
        keys = keys_ever(unit, Kind.CONTROL_UNIT, selection.control_unit)
        if not keys:
            return None
        steps = select(operation_step.c.operation_key).where(operation_step.c.unit_key.in_(keys))
        found.append(table.c.key.in_(steps))
    return found


def keys_ever(unit: UnitOfWork, kind: Kind, id: str) -> list[int]:
    """The keys of all resources of a kind that ever had an id."""
    if not BEGINS_AN_ID.match(id):
        return []
    query = select(name.c.key).where(name.c.kind == kind.value, name.c.id == id)
    return sorted(set(unit.connection.scalars(query)))


def behind(
    column: ColumnElement[Any], value: Any, key: int, *, descends: bool
) -> ColumnElement[bool]:
    """That a row comes after a place of the order."""
    if descends:
        return or_(column < value, and_(column == value, table.c.key < key))
    return or_(column > value, and_(column == value, table.c.key > key))


def place_of(token: str, selection: OperationSelection) -> tuple[str | int, int]:
    """Raises: Refused: INVALID_PAGE_TOKEN."""
    place = place_in(token, selection.digest)
    field, _ = selection.sorting()
    type_ = str if field in {"phase", "minor_state", "verb", "author", "name"} else int
    if len(place) != 2 or type(place[0]) is not type_ or type(place[1]) is not int:
        raise not_a_token(token)
    if field != "author" and not str(place[0]).isascii():
        raise not_a_token(token)  # which no column of ASCII may be compared with
    return place[0], place[1]
