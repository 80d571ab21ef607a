"""Who names a control unit by its id, and not by its key: what depends on it in an order, and
the lists that it is on."""

from __future__ import annotations

from typing import TypeVar

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.resource import Resource
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.unit_of_work import UnitOfWork

R = TypeVar("R", bound=Resource)


def dependants_on(unit: UnitOfWork, id: str) -> list[ControlUnit]:
    """Units that require a unit, or come after it, by id; not locked."""
    return [
        each for each in holding(unit, ControlUnit, id) if id in each.requires or id in each.after
    ]


def lists_with(unit: UnitOfWork, id: str) -> list[UnitList]:
    """Lists that name a unit, by id; not locked."""
    return [each for each in holding(unit, UnitList, id) if id in each.control_units]


def holding(unit: UnitOfWork, type_: type[R], text: str) -> list[R]:
    """Resources in whose bodies a text stands by itself."""
    body = LAYOUTS[type_.kind].table.c.body
    return unit.resources.where(type_, body.contains(f'"{text}"', autoescape=True))
