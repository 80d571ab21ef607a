"""Since when something holds of a control unit besides its state, as SQL: what is stored, and what
is worked out when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Coverage, Maintenance
from metadata_server.store.agents.launched import given_up, hosted_by_dying
from metadata_server.store.agents.launched import table as launched
from metadata_server.store.intent.selections import id_range
from metadata_server.store.keys import batches
from metadata_server.store.life.desires import is_older, late_templates, publication_times
from metadata_server.store.orchestration.maintenances import coverage_now
from metadata_server.store.schema import control_unit, unit_condition, unit_server
from metadata_server.store.unit_of_work import UnitOfWork

NEVER = 2**62
"""Later than all times."""
UNIT, HELD = control_unit.c, unit_condition.c


def holds_since(unit: UnitOfWork) -> ColumnElement[int]:
    """When the first condition of a unit began to hold; NULL: none holds, or nobody knows.

    Each source of conditions costs something for each unit, so those are left out by which
    nothing holds now.
    """
    times = [func.coalesce(each, NEVER) for each in beginnings(unit)]
    least = func.min if unit.database.is_sqlite else func.least
    return func.nullif(least(*times) if len(times) > 1 else times[0], NEVER)


def beginnings(unit: UnitOfWork) -> Iterator[ColumnElement[Any]]:
    """By the source of conditions, when those of a unit began; NULL: there is none."""
    held = (
        select(func.min(HELD.since_us))
        .where(HELD.key == UNIT.key, HELD.since_us > 0)
        .correlate(control_unit)
        .scalar_subquery()
    )
    # Of most units nothing is stored: a look into a set costs less than to begin a statement.
    yield case((UNIT.key.in_(select(HELD.key)), held))
    if newer := newer_versions(unit):
        yield case(*newer)
    if covered := coverings(unit, coverage_now(unit)):
        yield case(*covered)
    if unit.connection.execute(given_up().limit(1)).first() is not None:
        since = (
            given_up()
            .with_only_columns(func.min(launched.c.since_us))
            .where(unit_server.c.key == UNIT.unit_server_key, launched.c.since_us > 0)
            .correlate(control_unit)
            .scalar_subquery()
        )
        yield case((hosted_by_dying(), since))


def newer_versions(unit: UnitOfWork) -> list[tuple[ColumnElement[bool], int]]:
    """Of the templates whose units are not all on the newest version: when that came."""
    newest = late_templates(unit)
    times = publication_times(unit, newest)
    return [
        (is_older(key, version), times[key, version])
        for key, version in newest
        if (key, version) in times
    ]


def coverings(unit: UnitOfWork, coverage: Coverage) -> list[tuple[ColumnElement[bool], int]]:
    """When the maintenance began that covers a unit; the first that holds is right, as in
    `Coverage.find`."""
    servers = unit.keys.find(Kind.UNIT_SERVER, coverage.servers)
    by_key = {servers[id]: each for id, each in coverage.servers.items() if id in servers}
    return [
        *those_in(UNIT.id, coverage.units),
        *those_in(UNIT.unit_server_key, by_key),
        *(
            (and_(*id_range(UNIT.id, prefix=prefix)), each.since_us)
            for prefix, each in coverage.prefixes.items()
        ),
    ]


def those_in(
    column: ColumnElement[Any], by: dict[Any, Maintenance]
) -> Iterator[tuple[ColumnElement[bool], int]]:
    """What is named one by one, by when its maintenance began."""
    named: dict[int, list[Any]] = {}
    for value, each in by.items():
        named.setdefault(each.since_us, []).append(value)
    for since_us, values in named.items():
        for some in batches(sorted(values)):
            yield column.in_(some), since_us
