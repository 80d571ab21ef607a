"""Control units counted by something that they have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement

from metadata_server.domain.life.groups import Common, Grouping, Groups
from metadata_server.domain.life.overview import Group, zones_of
from metadata_server.domain.names import Kind
from metadata_server.store.filter.documents import named, text_at
from metadata_server.store.filter.scope import Scope
from metadata_server.store.life.counting import (
    UNIT,
    counted_units,
    stuck_units,
)
from metadata_server.store.life.observer import observer
from metadata_server.store.life.overview import Memory
from metadata_server.store.orchestration.maintenances import coverage_now
from metadata_server.store.unit_of_work import UnitOfWork

KINDS = {Common.UNIT_SERVER: Kind.UNIT_SERVER, Common.TEMPLATE: Kind.TEMPLATE}


def read_groups(unit: UnitOfWork, grouping: Grouping, *, memory: Memory | None = None) -> Groups:
    """All groups as of now.

    Args:
        memory: of the same grouping before; None: all units are counted.
    """
    memory = memory or Memory()
    taken = memory.census.take(
        unit,
        coverage_now(unit),
        by=common(unit, grouping),
        some_are_stuck=stuck_units(unit) is not None,
    )
    counted = counted_units(taken, memory.sessions.call(unit, observer(unit)))
    groups: Iterable[Group] = [each.group for each in counted]
    if grouping.common in KINDS:
        groups = with_ids(unit, KINDS[grouping.common], list(groups))
    return Groups(unit.position, unit.now_us, zones_of(groups))


def common(unit: UnitOfWork, grouping: Grouping) -> ColumnElement[Any]:
    """What the units have in common; of other resources, their keys."""
    match grouping.common:
        case Common.UNIT_SERVER:
            return UNIT.unit_server_key
        case Common.TEMPLATE:
            return UNIT.template_key
        case Common.LABEL:
            scope = Scope(unit, unit.position.revision, unit.now_us)
            return text_at(scope, UNIT.body, named("$.labels", grouping.label))
    return UNIT.zone


def with_ids(unit: UnitOfWork, kind: Kind, groups: list[Group]) -> list[Group]:
    """Groups by key as groups by id."""
    keys = {int(group.zone) for group in groups if group.zone}
    unit.keys.find_ids(kind, keys)
    ids = {str(key): unit.keys.id_of(kind, key) for key in keys}
    return [replace(group, zone=ids.get(group.zone, "")) for group in groups]
