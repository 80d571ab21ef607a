"""What checks of a facility read: each query gives a piece of what it finds, by id, so that a
facility of any size is audited in little memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Select, Table, func, or_, select
from sqlalchemy.engine import RowMapping

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import VersionState
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.store.intent.selections import id_range
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.life.desires import IS_BEHIND
from metadata_server.store.schema import (
    change_set,
    control_unit,
    control_unit_status,
    instantiation,
    sighting,
    template,
    template_version,
    unit_condition,
    unit_list,
    unit_server,
    unit_server_status,
)
from metadata_server.store.unit_of_work import UnitOfWork

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """Which ids a piece is read of: those with a prefix, after one, at most so many."""

    prefix: str
    after: str
    limit: int


Rows = list[RowMapping]


def rows_in(unit: UnitOfWork, query: Select[Any], id: Column[Any], span: Span) -> Rows:
    """Rows of a query by id, in a span of ids."""
    if not BEGINS_AN_ID.match(span.prefix):
        return []
    some = query.where(*id_range(id, prefix=span.prefix, after=span.after)).order_by(id)
    return list(unit.connection.execute(some.limit(span.limit)).mappings())


def units_never_hosted(unit: UnitOfWork, span: Span) -> Rows:
    """`id` and `unit_server` (a key, or None) of units that no process has ever taken in."""
    status = control_unit_status
    query = (
        select(control_unit.c.id, unit_server.c.id.label("unit_server"))
        .outerjoin(status, status.c.key == control_unit.c.key)
        .outerjoin(unit_server, unit_server.c.key == control_unit.c.unit_server_key)
        .where(status.c.key.is_(None))
    )
    return rows_in(unit, query, control_unit.c.id, span)


def units_without_server(unit: UnitOfWork, span: Span) -> Rows:
    """`id` of units that belong to no unit server."""
    query = select(control_unit.c.id).where(control_unit.c.unit_server_key.is_(None))
    return rows_in(unit, query, control_unit.c.id, span)


def sightings_undeclared(unit: UnitOfWork, span: Span) -> Rows:
    """Sightings of unit servers that nobody has declared since; `id` is the unit server's."""
    query = (
        select(sighting.c.unit_server.label("id"), sighting)
        .outerjoin(unit_server, unit_server.c.id == sighting.c.unit_server)
        .where(unit_server.c.key.is_(None))
    )
    return rows_in(unit, query, sighting.c.unit_server, span)


def servers_never_seen(unit: UnitOfWork, span: Span) -> Rows:
    """`id` of unit servers that have never registered."""
    status = unit_server_status
    query = (
        select(unit_server.c.id)
        .outerjoin(status, status.c.key == unit_server.c.key)
        .where(or_(status.c.key.is_(None), status.c.session == ""))
    )
    return rows_in(unit, query, unit_server.c.id, span)


def servers_without_units(unit: UnitOfWork, span: Span) -> Rows:
    """`id` of unit servers that nothing is declared for."""
    hosts = select(control_unit.c.key).where(control_unit.c.unit_server_key == unit_server.c.key)
    query = select(unit_server.c.id).where(~hosts.exists())
    return rows_in(unit, query, unit_server.c.id, span)


def templates_unused(unit: UnitOfWork, span: Span) -> Rows:
    """`id` of templates that no unit is made of."""
    uses = select(control_unit.c.key).where(control_unit.c.template_key == template.c.key)
    return rows_in(unit, select(template.c.id).where(~uses.exists()), template.c.id, span)


def drafts_older_than(unit: UnitOfWork, span: Span, *, age_us: int) -> Rows:
    """`id`, `version` and `time_us` of the last edit of drafts that nobody has touched for long."""
    edited = func.coalesce(change_set.c.time_us, template.c.update_time_us)
    query = (
        select(template.c.id, template_version.c.version, edited.label("time_us"))
        .join(template_version, template_version.c.template_key == template.c.key)
        .outerjoin(change_set, change_set.c.revision == template_version.c.revision)
        .where(
            template_version.c.version_state == VersionState.DRAFT.value,
            edited < unit.now_us - age_us,
        )
    )
    return rows_in(unit, query, template.c.id, span)


def restarted_more_often(unit: UnitOfWork, span: Span, *, than: int) -> Rows:
    """`id` and `lives` of units that have begun more lives in the last day."""
    count = func.count().label("lives")
    key = instantiation.c.control_unit_key
    often = (
        select(key, count)
        .where(instantiation.c.begin_time_us > unit.now_us - DAY_US)
        .group_by(key)
        .having(count > than)
        .subquery()
    )
    query = select(control_unit.c.id, often.c.lives).join(
        often, often.c.control_unit_key == control_unit.c.key
    )
    return rows_in(unit, query, control_unit.c.id, span)


def lists_in(unit: UnitOfWork, span: Span) -> list[UnitList]:
    if not BEGINS_AN_ID.match(span.prefix):
        return []
    ids = id_range(unit_list.c.id, prefix=span.prefix, after=span.after)
    return unit.resources.where(UnitList, *ids, limit=span.limit)


def units_that_change_something(unit: UnitOfWork, span: Span) -> list[ControlUnit]:
    """Units with overrides or parameters of their own."""
    if not BEGINS_AN_ID.match(span.prefix):
        return []
    body = control_unit.c.body
    said = or_(body.contains('"overrides":'), body.contains('"parameters":'))
    ids = id_range(control_unit.c.id, prefix=span.prefix, after=span.after)
    return unit.resources.where(ControlUnit, said, *ids, limit=span.limit)


def datasets_by_key(unit: UnitOfWork, keys: list[int]) -> Mapping[int, str]:
    """Hashes of the datasets that units published, by key."""
    status = control_unit_status.c
    query = select(status.key, status.dataset).where(status.key.in_(keys))
    return {row.key: row.dataset for row in unit.connection.execute(query)}


def alike_in_lower_case(unit: UnitOfWork, kind: Kind, *, after: str, limit: int) -> list[list[str]]:
    """Ids of one kind that are the same but for case: groups, by what they have in common,
    after one such text; each sorted."""
    table: Table = LAYOUTS[kind].table
    folded = func.lower(table.c.id)
    groups = (
        select(folded)
        .where(folded > after)
        .group_by(folded)
        .having(func.count() > 1)
        .order_by(folded)
        .limit(limit)
    )
    common = list(unit.connection.scalars(groups))
    query = select(table.c.id).where(folded.in_(common)).order_by(folded, table.c.id)
    found: dict[str, list[str]] = {text: [] for text in common}
    for id in unit.connection.scalars(query) if common else ():
        found[id.lower()].append(id)
    return list(found.values())


def condition_counts(unit: UnitOfWork, prefix: str) -> Mapping[str, int]:
    """How many units each stored condition holds of, by type."""
    query = (
        select(unit_condition.c.type, func.count())
        .join(control_unit, control_unit.c.key == unit_condition.c.key)
        .where(*id_range(control_unit.c.id, prefix=prefix))
        .group_by(unit_condition.c.type)
    )
    return {row[0]: row[1] for row in unit.connection.execute(query)}


def count_behind(unit: UnitOfWork, prefix: str) -> int:
    """How many units are behind the newest published version of their template."""
    query = (
        select(func.count())
        .select_from(control_unit)
        .join(template, template.c.key == control_unit.c.template_key)
        .where(IS_BEHIND, *id_range(control_unit.c.id, prefix=prefix))
    )
    return int(unit.connection.execute(query).scalar_one())
