"""What goes with a control unit when it is deleted: its life ends, its status is forgotten."""

from __future__ import annotations

from collections.abc import Iterable

from metadata_server.domain.session import EndReason
from metadata_server.store.instantiations import end_lives
from metadata_server.store.keys import batches
from metadata_server.store.schema import control_unit_status
from metadata_server.store.unit_of_work import UnitOfWork


def remove_units(unit: UnitOfWork, keys: Iterable[int]) -> None:
    """Ends the lives of deleted units; what they reported stays in the history."""
    gone = sorted(keys)
    end_lives(unit, gone, EndReason.REMOVED)
    for some in batches(gone):
        unit.connection.execute(
            control_unit_status.delete().where(control_unit_status.c.key.in_(some))
        )
