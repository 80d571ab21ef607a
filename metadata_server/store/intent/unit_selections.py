"""The control units of a selection, as they are now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from sqlalchemy import ColumnElement, and_, select

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.life.state import State
from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.store.filter.unit_sources import units_passing
from metadata_server.store.intent.selections import id_range
from metadata_server.store.keys import batches
from metadata_server.store.schema import control_unit, control_unit_status
from metadata_server.store.unit_of_work import UnitOfWork

EVERY = "*"
"""In place of the beginning of an id: all units. Any other text that no id begins with, such as
a slip, is the beginning of none."""


def selected_units(unit: UnitOfWork, selection: UnitSelection) -> list[ControlUnit]:
    """Units that pass a selection, sorted by id; not locked.

    Raises:
        Refused: UNIT_LIST_NOT_FOUND.
    """
    on = unit.resources.get(UnitList, selection.unit_list) if selection.unit_list else None
    conditions = conditions_of(unit, selection)
    if conditions is None:
        return []
    named = None
    if EVERY not in selection.id_prefixes and (selection.ids or selection.id_prefixes):
        named = list(named_by(selection.ids, selection.id_prefixes))
    elif on is not None and on.is_narrow:
        named = list(named_by(on.control_units, on.id_prefixes))
    if named is not None:
        by_id = {
            each.id: each
            for some in named
            for each in unit.resources.where(ControlUnit, *conditions, some)
        }
        found = [by_id[id] for id in sorted(by_id)]
    else:
        found = unit.resources.where(ControlUnit, *conditions)
    passing = keys_passing(unit, on) if on is not None else frozenset()
    return [
        each
        for each in found
        if selection.labels.items() <= each.labels.items()
        and (on is None or on.holds(each, passing))
    ]


def keys_passing(unit: UnitOfWork, on: UnitList) -> Collection[int]:
    """Keys of the units that pass the filter of a list now; none, where it has none."""
    if not on.unit_filter.strip():
        return frozenset()
    query = select(control_unit.c.key).where(units_passing(unit, on.unit_filter))
    return frozenset(unit.connection.scalars(query))


def named_by(ids: Iterable[str], id_prefixes: Iterable[str]) -> Iterator[ColumnElement[bool]]:
    """Some ids, and those that begin with some texts, one statement each."""
    for some in batches(sorted(set(ids))):
        yield control_unit.c.id.in_(some)
    for prefix in sorted(set(id_prefixes)):
        if prefix and BEGINS_AN_ID.match(prefix):
            yield and_(*id_range(control_unit.c.id, prefix=prefix))


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
    if selection.desired_states:
        wanted = sorted(state.value for state in selection.desired_states)
        conditions.append(control_unit.c.desired_state.in_(wanted))
    if selection.state is not State.UNSPECIFIED:
        status = control_unit_status
        reported = select(status.c.key).where(status.c.state == selection.state.value)
        conditions.append(control_unit.c.key.in_(reported))
    if selection.filter:
        conditions.append(units_passing(unit, selection.filter))
    return conditions
