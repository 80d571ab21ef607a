"""How many there are of what people are warned of."""

from __future__ import annotations

from sqlalchemy import func, select

from metadata_server.store.orchestration.operation_tables import operation
from metadata_server.store.schema import unit_condition
from metadata_server.store.unit_of_work import UnitOfWork


def operations_by_phase(unit: UnitOfWork) -> dict[str, int]:
    """Operations that a replica has to see to; found by their index, however many have ended."""
    query = (
        select(operation.c.phase, func.count())
        .where(operation.c.due_us.is_not(None))
        .group_by(operation.c.phase)
    )
    return {row[0]: row[1] for row in unit.connection.execute(query)}


def conditions_by_type(unit: UnitOfWork) -> dict[str, int]:
    query = (
        select(unit_condition.c.type, func.count())
        .where(unit_condition.c.status == "TRUE")
        .group_by(unit_condition.c.type)
    )
    return {row[0]: row[1] for row in unit.connection.execute(query)}
