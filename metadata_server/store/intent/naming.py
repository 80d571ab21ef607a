"""Who names a control unit by its id, and not by its key: what depends on it in an order, and
the lists that it is on."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import ColumnElement

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.resource import Resource
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.schema import control_unit
from metadata_server.store.unit_of_work import LostRace, UnitOfWork

R = TypeVar("R", bound=Resource)


def naming(unit: UnitOfWork, id: str) -> list[ControlUnit | UnitList]:
    """Units that require a unit, or come after it, and lists that it is on. They are read without
    a lock; where this transaction writes anything, it loses the race against all who come to name
    the unit before it."""
    found = naming_since(unit, id, 0)
    begun = unit.position.revision
    seen = {each.meta.key for each in found}

    def check(unit: UnitOfWork) -> None:
        if any(each.meta.key not in seen for each in naming_since(unit, id, begun)):
            raise LostRace

    unit.rely_on(check)
    return found


def naming_since(unit: UnitOfWork, id: str, revision: int) -> list[ControlUnit | UnitList]:
    """Those that were changed after a revision."""
    units = holding(unit, ControlUnit, id, revision, control_unit.c.depends == 1)
    lists = holding(unit, UnitList, id, revision)
    return [
        *(each for each in units if id in each.requires or id in each.after),
        *(each for each in lists if id in each.control_units),
    ]


def holding(
    unit: UnitOfWork, type_: type[R], text: str, revision: int, *among: ColumnElement[bool]
) -> list[R]:
    """Resources, changed after a revision, in whose bodies a text stands by itself.

    Args:
        among: what else holds of them, by which the database finds them without reading all.
    """
    table = LAYOUTS[type_.kind].table
    stands = table.c.body.contains(f'"{text}"', autoescape=True)
    return unit.resources.where(type_, *among, table.c.revision > revision, stands)
