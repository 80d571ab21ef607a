"""What people want units to be, without the rest of their declarations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select

from metadata_server.domain.state import State
from metadata_server.store.keys import batches
from metadata_server.store.schema import control_unit
from metadata_server.store.unit_of_work import UnitOfWork


def desired_states(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, State]:
    """Desired states by key; UNSPECIFIED for units that are gone."""
    found: dict[int, State] = defaultdict(lambda: State.UNSPECIFIED)
    for some in batches(sorted(set(keys))):
        query = select(control_unit.c.key, control_unit.c.desired_state).where(
            control_unit.c.key.in_(some)
        )
        found |= {row.key: State(row.desired_state) for row in unit.connection.execute(query)}
    return found
