"""Pages of what control units and sessions said last, as of the revision of a first page.

Statuses have no names of their own: they are found by those of their units and unit servers.
What was never heard of has a status too, an empty one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.engine import RowMapping

from metadata_server.domain.change import Position
from metadata_server.domain.filter.asked import Asked, Sorting, asked_of, rank
from metadata_server.domain.filter.expression import named_by
from metadata_server.domain.filter.matching import matches
from metadata_server.domain.intent.control_unit import ControlUnitStatus
from metadata_server.domain.life.condition import (
    IN_MAINTENANCE,
    KEEPS_DYING,
    OUT_OF_DATE,
    ConditionStatus,
)
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Listing, PageStart, Selection, not_a_token
from metadata_server.store.agents.launched import hosted_by_dying
from metadata_server.store.filter.compiling import condition_of
from metadata_server.store.filter.keys_of_page import Row
from metadata_server.store.filter.pages import FilteredList
from metadata_server.store.filter.scope import Scope
from metadata_server.store.filter.unit_sources import UNIT_SOURCES
from metadata_server.store.intent.lists import filtered_page, listing
from metadata_server.store.intent.selections import Filter, filter_of, id_range
from metadata_server.store.keys import batches
from metadata_server.store.life.conditions import NOTHING, HeldByType, conditions_of, told
from metadata_server.store.life.desires import (
    Wanted,
    behind,
    wanted_at,
    wanted_columns,
    wanted_from,
)
from metadata_server.store.life.programs import in_touch
from metadata_server.store.life.statuses import status_from
from metadata_server.store.orchestration.maintenances import coverage_now, covered
from metadata_server.store.past.past import batches_of, names_at
from metadata_server.store.past.past_statuses import sessions_at, statuses_at
from metadata_server.store.schema import (
    control_unit,
    control_unit_status,
    unit_condition,
)
from metadata_server.store.unit_of_work import UnitOfWork


class StatusRow(NamedTuple):
    """One status of a page.

    Attributes:
        wanted: what is wanted of the unit now, where it was read with the status.
    """

    status: ControlUnitStatus
    wanted: Wanted | None = None


def status_page(
    unit: UnitOfWork, selection: Selection, *, size: int = 0, token: str = ""
) -> Listing[StatusRow]:
    """One page of statuses of control units, by id; like `resource_page`.

    Raises:
        Refused: INVALID_FIELD, INVALID_PAGE_TOKEN, HISTORY_RESET, HISTORY_TRIMMED.
    """

    asked = asked_of(selection)
    if selection.is_filtered and not asked.is_of_names:
        found = filtered_page(unit, selection, size=size, token=token)
        items = statuses_on(unit, found.items, found.position)
        return Listing(items, found.position, found.next_page_token)

    def read(start: PageStart, limit: int) -> list[StatusRow]:
        revision = start.position.revision
        wanted = filter_of(unit, selection, revision)
        if wanted is None:
            return []
        if revision == unit.position.revision:
            named = named_units(unit, asked, start) if asked.is_of_names else true()
            return present_statuses(unit, selection, wanted, named, after=start.after, limit=limit)
        if asked.is_of_names:
            rows = FilteredList(unit, asked, wanted, is_past=bool(selection.as_of))
            return statuses_on(unit, rows.rows(start, limit), start.position)
        return past_statuses(unit, selection, wanted, start=start, limit=limit)

    return listing(
        unit,
        selection,
        read,
        kinds={Kind.CONTROL_UNIT, Kind.CONTROL_UNIT_STATUS},
        size=size,
        token=token,
        id_of=lambda row: row.status.id,
    )


def named_units(unit: UnitOfWork, asked: Asked, start: PageStart) -> ColumnElement[bool]:
    scope = Scope(unit, start.position.revision, start.now_us)
    return condition_of(asked.expression, UNIT_SOURCES, scope)


def present_statuses(
    unit: UnitOfWork,
    selection: Selection,
    wanted: Filter,
    named: ColumnElement[bool],
    *,
    after: str,
    limit: int,
) -> list[StatusRow]:
    """
    Args:
        named: a condition of those that are named one by one, where any are.
    """
    conditions = [named, *wanted.conditions(control_unit)]
    if selection.state is not State.UNSPECIFIED:
        conditions.append(control_unit_status.c.state == selection.state.value)
    if selection.condition == OUT_OF_DATE:
        conditions.append(behind(unit))
    if selection.condition == IN_MAINTENANCE:
        conditions.append(covered(unit, coverage_now(unit)))
    if selection.condition == KEEPS_DYING:
        conditions.append(hosted_by_dying())
    query = with_statuses()
    if selection.condition not in {"", OUT_OF_DATE, IN_MAINTENANCE, KEEPS_DYING}:
        query = query.join(unit_condition, unit_condition.c.key == control_unit.c.key)
        conditions.append(unit_condition.c.type == selection.condition)
        conditions.append(unit_condition.c.status == ConditionStatus.TRUE.value)
    query = (
        query.where(*conditions)
        .where(*id_range(control_unit.c.id, prefix=wanted.id_prefix, after=after))
        .order_by(control_unit.c.id)
        .limit(limit)
    )
    return status_rows(unit, query)


def statuses_on(unit: UnitOfWork, page: Iterable[Row], position: Position) -> list[StatusRow]:
    """The statuses of a page, as of a position, in its order."""
    keys = {row.id: row.key for row in page}
    if position.revision != unit.position.revision:
        return [StatusRow(status) for status in statuses_at(unit, keys, position.revision)]
    found: dict[int, StatusRow] = {}
    for some in batches(sorted(keys.values())):
        query = with_statuses().where(control_unit.c.key.in_(some))
        found |= {row.status.key: row for row in status_rows(unit, query)}
    return [found[key] for key in keys.values()]


def with_statuses() -> Select[Any]:
    """Units with their statuses, and what is wanted of them: rows for `status_rows`."""
    columns = [column for column in control_unit_status.c if column.name != "key"]
    return wanted_columns(
        select(control_unit.c.id, control_unit.c.key, *columns).outerjoin(
            control_unit_status, control_unit_status.c.key == control_unit.c.key
        )
    )


def status_rows(unit: UnitOfWork, query: Select[Any]) -> list[StatusRow]:
    rows = unit.connection.execute(query).mappings().all()
    unit.keys.find_ids(Kind.UNIT_SERVER, {row["unit_server_key"] for row in rows} - {None})
    for row in rows:
        unit.keys.learn(Kind.CONTROL_UNIT, row["id"], row["key"])
    held = conditions_of(unit, (row["key"] for row in rows))
    return [StatusRow(status_in(unit, row, held), wanted_from(row)) for row in rows]


def status_in(
    unit: UnitOfWork, row: RowMapping, held: Mapping[int, HeldByType]
) -> ControlUnitStatus:
    """The status in a row of a list; that of a unit never hosted is empty."""
    if row["session"] is None:
        return ControlUnitStatus(id=row["id"], key=row["key"])
    return status_from(unit, row, told(held.get(row["key"], NOTHING)))


def past_statuses(
    unit: UnitOfWork, selection: Selection, wanted: Filter, *, start: PageStart, limit: int
) -> list[StatusRow]:
    revision = start.position.revision
    names = names_at(Kind.CONTROL_UNIT, revision, wanted)
    found: list[StatusRow] = []
    for keys in batches_of(unit, names, wanted.id_prefix, after=start.after, size=limit):
        some = statuses_at(unit, keys, revision)
        late: set[int] = set()
        if selection.condition == OUT_OF_DATE:
            then = wanted_at(unit, keys.values(), revision)
            late = {key for key, each in then.items() if each.version < each.newest}
        found += [
            StatusRow(status)
            for status in some
            if passes(status, selection, is_behind=status.key in late)
        ]
        if len(found) >= limit:
            break
    return found[:limit]


def passes(status: ControlUnitStatus, selection: Selection, *, is_behind: bool) -> bool:
    """Whether a status of the past is one that a list holds."""
    if selection.state not in {State.UNSPECIFIED, status.state}:
        return False
    if selection.condition in {"", OUT_OF_DATE}:
        return is_behind or not selection.condition
    holding = (each for each in status.conditions if each.type == selection.condition)
    return any(each.status is ConditionStatus.TRUE for each in holding)


def session_page(
    unit: UnitOfWork, selection: Selection, *, size: int = 0, token: str = ""
) -> Listing[Session]:
    """One page of the last sessions of unit servers, by id of the unit server or in the order that
    is asked for: then all are read, for their table has no index for it.

    Raises:
        Refused: INVALID_FIELD, INVALID_PAGE_TOKEN, HISTORY_RESET, HISTORY_TRIMMED.
    """

    asked = asked_of(selection)
    is_by_id = asked.sorting.key.name == "id" and not asked.sorting.descends

    def read(start: PageStart, limit: int) -> list[Session]:
        if not asked.sorting.takes(start.value):
            raise not_a_token(token)
        revision = start.position.revision
        wanted = filter_of(unit, selection, revision)
        if wanted is None:
            return []
        named = named_by(asked.expression, "id")
        names = names_at(Kind.UNIT_SERVER, revision, ids=named)
        after = start.after if is_by_id else ""
        found: list[Session] = []
        for some in batches_of(unit, names, wanted.id_prefix, after=after, size=limit):
            sessions = sessions_at(unit, some, revision)
            if selection.is_filtered and not selection.as_of:
                sessions = in_touch(unit, sessions)
            found += [s for s in sessions if matches(asked.expression, s, start.now_us)]
            if len(found) >= limit and is_by_id:
                break
        return found[:limit] if is_by_id else in_order(found, asked.sorting, start)[:limit]

    return listing(
        unit,
        selection,
        read,
        kinds={Kind.UNIT_SERVER, Kind.UNIT_SERVER_STATUS},
        size=size,
        token=token,
        id_of=lambda s: s.unit_server,
        value_of=asked.sorting.value_of,
    )


def in_order(sessions: Iterable[Session], sorting: Sorting, start: PageStart) -> list[Session]:
    """The sessions behind a place."""

    def place(session: Session) -> tuple[tuple[bool, Any], str]:
        return rank(sorting.value_of(session)), session.unit_server

    found = sorted(sessions, key=place, reverse=sorting.descends)
    if not start.after:
        return found
    after = rank(start.value), start.after
    return [s for s in found if (place(s) < after if sorting.descends else place(s) > after)]
