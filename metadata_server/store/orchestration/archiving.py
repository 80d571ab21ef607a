"""Operations that ended long ago keep their outcome, and lose their steps.

The transaction that deletes the first of its steps makes an operation ARCHIVED, so that nobody
tries again what is left of it. Where there are many steps, the next ones delete the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import ColumnElement, delete, select

from metadata_server.domain.orchestration.operation import ENDED_PHASES, Operation, Phase
from metadata_server.store.chores import TRIM_ROWS
from metadata_server.store.keys import batches
from metadata_server.store.orchestration.operation_tables import operation, operation_step
from metadata_server.store.orchestration.operations import operations_of, write_operation
from metadata_server.store.schema import campaign
from metadata_server.store.unit_of_work import UnitOfWork

OPERATIONS_AT_ONCE = 50
ARCHIVED_LATER = ENDED_PHASES - {Phase.ARCHIVED}


def archive_operations(unit: UnitOfWork, before_us: int) -> int:
    """Archives some of the operations that ended before a time, the oldest first; how many steps
    were deleted, or `TRIM_ROWS` where there is more to do."""
    keys = old_operations(unit, before_us)
    deleted = archive(unit, keys, before_us)
    return TRIM_ROWS if len(keys) == OPERATIONS_AT_ONCE else deleted


def old_operations(unit: UnitOfWork, before_us: int) -> list[int]:
    """Keys of some operations to be archived, as they are seen without a lock."""
    query = (
        select(operation.c.key)
        .where(
            operation.c.phase.in_(sorted(ARCHIVED_LATER)),
            operation.c.end_time_us > 0,
            operation.c.end_time_us < before_us,
            ~counts_for_a_campaign(),
        )
        .order_by(operation.c.end_time_us)
        .limit(OPERATIONS_AT_ONCE)
    )
    return list(unit.connection.scalars(query))


def archive(unit: UnitOfWork, keys: Iterable[int], before_us: int) -> int:
    """Archives operations, but for those that people have tried again since they were seen; how
    many steps were deleted, of these and of those that were archived before."""
    emptied = archived_with_steps(unit)
    locked = operations_of(unit, keys, lock=True)
    old = {key: each for key, each in locked.items() if is_old(each, before_us)}
    # First of all: writing claims a revision, for which all other writers wait.
    deleted = delete_steps(unit, [*emptied, *old])
    for each in old.values():
        archived = replace(each, phase=Phase.ARCHIVED)
        write_operation(unit, archived, due_us=None, fence=each.fence)
    return deleted


def is_old(ended: Operation, before_us: int) -> bool:
    return ended.phase in ARCHIVED_LATER and 0 < ended.end_time_us < before_us


def counts_for_a_campaign() -> ColumnElement[bool]:
    """Steps are what the sums of a campaign are counted from, as long as it is there."""
    owner = campaign.c.key == operation.c.campaign_key
    return select(campaign.c.key).where(owner).correlate(operation).exists()


def archived_with_steps(unit: UnitOfWork) -> list[int]:
    """Keys of archived operations that have steps left, as many as may be emptied at once."""
    steps = operation_step.c
    # One look into an index for each operation; of EXISTS MariaDB makes a walk over the
    # steps of all operations.
    first = select(steps.position).where(steps.operation_key == operation.c.key).limit(1)
    query = select(operation.c.key).where(
        operation.c.phase == Phase.ARCHIVED.value,
        first.correlate(operation).scalar_subquery().is_not(None),
    )
    return list(unit.connection.scalars(query.limit(TRIM_ROWS)))


def delete_steps(unit: UnitOfWork, operation_keys: Iterable[int]) -> int:
    """Deletes some steps of operations, by their keys; how many."""
    steps, left = operation_step.c, TRIM_ROWS
    for key in operation_keys:
        query = select(steps.position).where(steps.operation_key == key).limit(left)
        positions = sorted(unit.connection.scalars(query))
        for some in batches(positions):
            mine = delete(operation_step).where(steps.operation_key == key)
            unit.connection.execute(mine.where(steps.position.in_(some)))
        left -= len(positions)
        if not left:
            break
    return TRIM_ROWS - left
