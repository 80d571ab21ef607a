"""What people want units to be, and which version of its template each is on, without the rest
of their declarations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.engine import RowMapping

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.life.condition import Condition, out_of_date
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.store.any_of import any_of
from metadata_server.store.keys import TUPLES, batches, is_one_of
from metadata_server.store.past.history import key_at
from metadata_server.store.past.past import resources_at
from metadata_server.store.schema import change_set, control_unit, template, template_version
from metadata_server.store.unit_of_work import UnitOfWork


class Wanted(NamedTuple):
    """What is wanted of one unit.

    Attributes:
        version: of its template.
        newest: version of its template that units may use; 0: there is none.
        unit_server_key: of the one that it is declared for; 0: none.
    """

    state: State = State.UNSPECIFIED
    template_key: int = 0
    version: int = 0
    newest: int = 0
    unit_server_key: int = 0


NOTHING_WANTED = Wanted()
IS_BEHIND: ColumnElement[bool] = control_unit.c.template_version < template.c.published_version
"""Of units joined with their templates."""


def wanted_columns(query: Select[Any]) -> Select[Any]:
    """A query of units with the columns of `wanted_from`.

    Units come first in the join, so that a page is read by their ids: every unit has its
    template, but an inner join may begin with the few templates, and sort all units.
    """
    return query.add_columns(
        control_unit.c.desired_state,
        control_unit.c.template_key,
        control_unit.c.template_version,
        template.c.published_version,
        control_unit.c.unit_server_key.label("declared_for"),
    ).outerjoin(template, template.c.key == control_unit.c.template_key)


def late_templates(unit: UnitOfWork) -> list[tuple[int, int]]:
    """Templates of which a unit is behind: key and newest version. An index tells the oldest
    version that units of each are on, so the units themselves are not looked at."""
    oldest = (
        select(control_unit.c.template_version)
        .where(control_unit.c.template_key == template.c.key)
        .order_by(control_unit.c.template_version)
        .limit(1)
        .scalar_subquery()
    )
    newest = template.c.published_version
    query = select(template.c.key, newest).where(oldest < newest).order_by(template.c.key)
    return [(key, version) for key, version in unit.connection.execute(query)]


def behind(unit: UnitOfWork) -> ColumnElement[bool]:
    """A condition that units pass which are behind; an index of units has both columns of it."""
    return any_of(is_older(key, newest) for key, newest in late_templates(unit))


def is_older(template_key: int, version: int) -> ColumnElement[bool]:
    """That a unit is on an older version of a template."""
    columns = control_unit.c
    return and_(columns.template_key == template_key, columns.template_version < version)


def wanted_from(row: RowMapping) -> Wanted:
    return Wanted(
        State(row["desired_state"]),
        row["template_key"],
        row["template_version"],
        row["published_version"],
        row["declared_for"] or 0,
    )


def wanted_of(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, Wanted]:
    """What is wanted of units, by key; those that are gone are not there."""
    found: dict[int, Wanted] = {}
    for some in batches(sorted(set(keys))):
        query = select(control_unit.c.key).where(control_unit.c.key.in_(some))
        for row in unit.connection.execute(wanted_columns(query)).mappings():
            found[row["key"]] = wanted_from(row)
    return found


def wanted_at(unit: UnitOfWork, keys: Iterable[int], revision: int) -> dict[int, Wanted]:
    """What was wanted of units at a revision, by key."""
    declared = resources_at(unit, ControlUnit, keys, revision)
    found = {
        id: key_at(unit.connection, Kind.TEMPLATE, id, revision)
        for id in {each.template for each in declared.values()}
    }
    template_keys = {id: key for id, key in found.items() if key is not None}
    heads = resources_at(unit, Template, template_keys.values(), revision)
    newest = {key: head.published_version for key, head in heads.items()}
    wanted = {}
    for key, each in declared.items():
        template_key = template_keys.get(each.template, 0)
        version, last = each.template_version, newest.get(template_key, 0)
        wanted[key] = Wanted(each.desired_state, template_key, version, last)
    return wanted


def out_of_dates(unit: UnitOfWork, wanted: Mapping[int, Wanted]) -> dict[int, Condition]:
    """Of the units that are behind, by key, that they are."""
    behind = {key: each for key, each in wanted.items() if each.version < each.newest}
    times = publication_times(unit, {(each.template_key, each.newest) for each in behind.values()})
    found = {}
    for key, each in behind.items():
        since_us = times.get((each.template_key, each.newest), 0)
        condition = out_of_date(each.version, each.newest, since_us)
        if condition is not None:
            found[key] = condition
    return found


def publication_times(
    unit: UnitOfWork, versions: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], int]:
    """When versions of templates were published, by key and version, as far as it is kept."""
    table = template_version
    found: dict[tuple[int, int], int] = {}
    for some in batches(sorted(set(versions)), TUPLES):
        query = (
            select(table.c.template_key, table.c.version, change_set.c.time_us)
            .join(change_set, change_set.c.revision == table.c.revision)
            .where(is_one_of((table.c.template_key, table.c.version), some))
        )
        for key, version, time_us in unit.connection.execute(query):
            found[key, version] = time_us
    return found
