"""Later orders take the place of earlier ones, unit by unit, when they begin."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import Operation, counts_of
from metadata_server.domain.orchestration.operation_step import StepMinor
from metadata_server.store.orchestration.operation_steps import (
    open_steps_of_units,
    set_steps,
    states_of_steps,
    units_taken_over,
)
from metadata_server.store.orchestration.operations import operations_of, write_operation
from metadata_server.store.unit_of_work import LostRace, UnitOfWork

OPEN = (StepState.PENDING, StepState.EXECUTING)


def superseded_by(unit: UnitOfWork, unit_keys: Collection[int]) -> dict[int, Operation]:
    """Operations that have open steps about some units, by key; locked."""
    return operations_of(unit, open_steps_of_units(unit, unit_keys), lock=True)


def end_as_superseded(
    unit: UnitOfWork,
    older: Mapping[int, Operation],
    unit_keys: Collection[int],
    *,
    by: Operation,
) -> None:
    """Ends the open steps of older operations about some units. Who carries these on is fenced
    off, and finds them as they are now.

    Args:
        older: locked, before the revision was claimed.

    Raises:
        LostRace: another operation has come in between.
    """
    positions = open_steps_of_units(unit, unit_keys)
    if not positions.keys() <= {*older, by.key}:
        raise LostRace
    for key in sorted(positions.keys() & older.keys()):
        operation = older[key]
        set_steps(
            unit,
            key,
            positions[key],
            was=OPEN,
            state=StepState.ABORTED.value,
            minor_state=StepMinor.SUPERSEDED.value,
            message=f"{by.author} has ordered {by.order.verb} in {by.name}",
            end_time_us=unit.now_us,
        )
        rewrite(unit, operation)


def take_over(unit: UnitOfWork, operation: Operation) -> None:
    """Ends what an operation takes the place of that waited until now; it is locked.

    Raises:
        LostRace: another operation has come in between.
    """
    keys = units_taken_over(unit, operation.key)
    older = superseded_by(unit, keys)
    older.pop(operation.key, None)
    end_as_superseded(unit, older, keys, by=operation)


def lock_with_older(unit: UnitOfWork, operation: Operation) -> None:
    """Locks an operation that waits, and those that it would take the place of: all at once, as
    whoever gives an order does."""
    older = open_steps_of_units(unit, units_taken_over(unit, operation.key))
    operations_of(unit, {operation.key, *older}, lock=True)


def rewrite(unit: UnitOfWork, operation: Operation) -> Operation:
    """Writes a locked operation whose steps were changed from outside: counts them again, and
    fences off who carries it on, so that a replica takes it up as it is now."""
    steps = states_of_steps(unit, operation.key)
    changed = replace(
        operation,
        counts=counts_of(state for _, state, _, _ in steps),
        fence=operation.fence + 1,
        replica="",
    )
    due_us = None if changed.has_ended else unit.now_us
    return write_operation(unit, changed, due_us=due_us, fence=operation.fence)
