"""What of a restored store must not go on as if nothing had happened."""

from __future__ import annotations

from sqlalchemy import case, select

from metadata_server.domain.orchestration.operation import ENDED_PHASES, Operation
from metadata_server.store.deliveries.webhook_tables import webhook_course
from metadata_server.store.life.endings import Ending
from metadata_server.store.orchestration.operation_tables import operation
from metadata_server.store.orchestration.operations import operations_of
from metadata_server.store.schema import lease
from metadata_server.store.unit_of_work import UnitOfWork


def open_sessions(unit: UnitOfWork) -> list[Ending]:
    """How the sessions end that were open: with the leases that they had, by now at the latest."""
    query = select(lease.c.session, lease.c.unit_server_key, lease.c.end_us)
    rows = unit.connection.execute(query.where(lease.c.ended.is_(False)).order_by(lease.c.session))
    return [Ending(row.session, row.unit_server_key, min(row.end_us, unit.now_us)) for row in rows]


def open_operations(unit: UnitOfWork) -> list[Operation]:
    """Those that have not ended, locked, in the order of their keys."""
    ended = sorted(phase.value for phase in ENDED_PHASES)
    keys = unit.connection.scalars(select(operation.c.key).where(operation.c.phase.not_in(ended)))
    found = operations_of(unit, keys, lock=True)
    return [found[key] for key in sorted(found)]


def raise_fences(unit: UnitOfWork) -> None:
    """No number of a fence that was given out after the backup is given out again: whoever still
    holds one is fenced off, and stays so. They go on from the epoch, which grows with time."""
    epoch = unit.position.epoch
    for table in (operation, webhook_course):
        beyond = case((table.c.fence < epoch, epoch), else_=table.c.fence + 1)
        unit.connection.execute(table.update().values(fence=beyond))
    freed = webhook_course.update().values(due_us=0, replica="")
    unit.connection.execute(freed)
    waiting = operation.update().where(operation.c.due_us.is_not(None))
    unit.connection.execute(waiting.values(due_us=unit.now_us, replica=""))
