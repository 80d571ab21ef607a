"""Operations that ended long ago keep their outcome, and lose their steps."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import ColumnElement, delete, select

from metadata_server.domain.orchestration.operation import ENDED_PHASES, Phase
from metadata_server.store.chores import TRIM_ROWS
from metadata_server.store.keys import batches
from metadata_server.store.orchestration.operation_tables import operation, operation_step
from metadata_server.store.orchestration.operations import operations_of, write_operation
from metadata_server.store.schema import campaign
from metadata_server.store.unit_of_work import UnitOfWork

OPERATIONS_AT_ONCE = 50


def archive_operations(unit: UnitOfWork, before_us: int) -> int:
    """Archives some of the operations that ended before a time, the oldest first; how many steps
    were deleted, or `TRIM_ROWS` where there is more to do."""
    open_ended = sorted(ENDED_PHASES - {Phase.ARCHIVED})
    query = (
        select(operation.c.key)
        .where(
            operation.c.phase.in_(open_ended),
            operation.c.end_time_us > 0,
            operation.c.end_time_us < before_us,
            ~counts_for_a_campaign(),
        )
        .order_by(operation.c.end_time_us)
        .limit(OPERATIONS_AT_ONCE)
    )
    keys = list(unit.connection.scalars(query))
    left, emptied = TRIM_ROWS, []
    found = operations_of(unit, keys, lock=True)
    for key in (key for key in keys if key in found):
        left -= delete_steps(unit, key, left)
        if not left:
            break
        emptied.append(found[key])
    for each in emptied:
        archived = replace(each, phase=Phase.ARCHIVED)
        write_operation(unit, archived, due_us=None, fence=each.fence)
    return 0 if left and len(keys) < OPERATIONS_AT_ONCE else TRIM_ROWS


def counts_for_a_campaign() -> ColumnElement[bool]:
    """Steps are what the sums of a campaign are counted from, as long as it is there."""
    owner = campaign.c.key == operation.c.campaign_key
    return select(campaign.c.key).where(owner).correlate(operation).exists()


def delete_steps(unit: UnitOfWork, operation_key: int, most: int) -> int:
    """Deletes some steps of an operation, by their keys; how many."""
    steps = operation_step.c
    query = select(steps.position).where(steps.operation_key == operation_key).limit(most)
    positions = sorted(unit.connection.scalars(query))
    for some in batches(positions):
        unit.connection.execute(
            delete(operation_step).where(
                steps.operation_key == operation_key, steps.position.in_(some)
            )
        )
    return len(positions)
