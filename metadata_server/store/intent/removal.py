"""What goes with a control unit when it is deleted: its life ends, its status is forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select

from metadata_server.store.keys import batches
from metadata_server.store.life.instantiations import begin_leaving
from metadata_server.store.schema import control_unit_status
from metadata_server.store.unit_of_work import LostRace, UnitOfWork
from metadata_server.store.values.live_values import drop_values


def check_all_locked(unit: UnitOfWork, keys: Iterable[int], locked: Collection[int]) -> None:
    """Passes when every status that leaving units have is locked; to be asked once the revision
    is claimed, when all who came before are to be seen.

    Raises:
        LostRace: a session has taken one of them in since; to lock its status now, after the
            others, would be out of order.
    """
    table = control_unit_status
    for some in batches(sorted(keys)):
        query = select(table.c.key).where(table.c.key.in_(some))
        if not set(unit.connection.scalars(query)) <= set(locked):
            raise LostRace


def remove_units(unit: UnitOfWork, keys: Iterable[int]) -> None:
    """Has deleted units leave; what they became stays in the history."""
    gone = sorted(keys)
    begin_leaving(unit, gone)
    drop_values(unit, gone)
    for some in batches(gone):
        unit.connection.execute(
            control_unit_status.delete().where(control_unit_status.c.key.in_(some))
        )
