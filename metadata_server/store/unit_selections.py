"""The control units of a selection, as they are now."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from metadata_server.domain.control_unit import ControlUnit
from metadata_server.domain.edit import UnitSelection
from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.domain.state import State
from metadata_server.store.keys import batches
from metadata_server.store.schema import control_unit, control_unit_status
from metadata_server.store.selections import id_range
from metadata_server.store.unit_of_work import UnitOfWork


def selected_units(unit: UnitOfWork, selection: UnitSelection) -> list[ControlUnit]:
    """Units that pass a selection, sorted by id; not locked."""
    conditions = conditions_of(unit, selection)
    if conditions is None:
        return []
    if selection.ids:
        found = [
            each
            for some in batches(sorted(set(selection.ids)))
            for each in unit.resources.where(ControlUnit, *conditions, control_unit.c.id.in_(some))
        ]
    else:
        found = unit.resources.where(ControlUnit, *conditions)
    return [each for each in found if selection.labels.items() <= each.labels.items()]


def conditions_of(unit: UnitOfWork, selection: UnitSelection) -> list[ColumnElement[bool]] | None:
    """A selection as SQL, all but its ids and labels; None: nothing can pass it."""
    texts = (selection.id_prefix, selection.zone, selection.template, selection.unit_server)
    if not all(map(BEGINS_AN_ID.match, texts)):
        return None
    conditions = id_range(control_unit.c.id, prefix=selection.id_prefix)
    if selection.zone:
        conditions.append(control_unit.c.zone == selection.zone)
    for kind, id, column in (
        (Kind.TEMPLATE, selection.template, control_unit.c.template_key),
        (Kind.UNIT_SERVER, selection.unit_server, control_unit.c.unit_server_key),
    ):
        if id:
            key = unit.keys.find(kind, [id]).get(id)
            if key is None:
                return None
            conditions.append(column == key)
    if selection.state is not State.UNSPECIFIED:
        status = control_unit_status
        reported = select(status.c.key).where(status.c.state == selection.state.value)
        conditions.append(control_unit.c.key.in_(reported))
    return conditions
