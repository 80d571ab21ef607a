"""Which control units run now, as far as anybody has said."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from metadata_server.domain.life.state import State
from metadata_server.store.keys import batches
from metadata_server.store.schema import control_unit_status, lease
from metadata_server.store.unit_of_work import UnitOfWork


def running_units(unit: UnitOfWork, keys: Iterable[int]) -> set[int]:
    """Keys of those units that last said RUNNING, in a session that has not ended."""
    status = control_unit_status
    found: set[int] = set()
    for some in batches(sorted(set(keys))):
        query = (
            select(status.c.key)
            .join(lease, lease.c.session == status.c.session)
            .where(
                status.c.key.in_(some),
                status.c.state == State.RUNNING.value,
                lease.c.ended.is_(False),
            )
        )
        found |= set(unit.connection.scalars(query))
    return found
