"""Later orders take the place of earlier ones, unit by unit, when they begin: of those that change
the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from metadata_server.domain.intent.edit import FieldEdit
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.giving_way import changed, claimed, gives_way
from metadata_server.domain.orchestration.operation import Operation, Order, Phase, counts_of
from metadata_server.domain.orchestration.operation_step import Step, StepMinor
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.store.orchestration.operation_steps import (
    open_steps_of_units,
    set_steps,
    states_of_steps,
    steps_of,
)
from metadata_server.store.orchestration.operations import operations_of, write_operation
from metadata_server.store.unit_of_work import LostRace, UnitOfWork

OPEN = (StepState.PENDING, StepState.EXECUTING)
Own = Mapping[int, Sequence[FieldEdit]]
"""The edits of single units, by key of each unit that an order takes over."""


def giving_way(
    unit: UnitOfWork, order: Order, own: Own, *, before_us: int | None = None
) -> dict[int, list[int]]:
    """Positions of open steps that give way to an order, by key of their operation.

    Args:
        before_us: only of operations that were given before then; None: of all.
    """
    common = claimed(order)
    claims = {key: claimed(order, edits) if edits else common for key, edits in own.items()}
    open_ = open_steps_of_units(unit, own)
    found = {}
    for key, operation in operations_of(unit, open_).items():
        if before_us is not None and operation.create_time_us >= before_us:
            continue
        changes = changes_of(unit, operation, open_[key])
        positions = [at for at, of in open_[key].items() if gives_way(changes[at], claims[of])]
        if positions:
            found[key] = positions
    return found


def changes_of(
    unit: UnitOfWork, operation: Operation, positions: Iterable[int]
) -> dict[int, frozenset[tuple[str, ...]]]:
    """What open steps of an operation change, by position."""
    found = dict.fromkeys(positions, changed(operation.order))
    if operation.order.verb is Verb.EDIT:
        for each in steps_of(unit, operation.key, states=OPEN):
            if each.edits and each.position in found:
                found[each.position] = changed(operation.order, each.edits)
    return found


def superseded_by(
    unit: UnitOfWork, order: Order, own: Own, *, before_us: int | None = None
) -> dict[int, Operation]:
    """Operations that have open steps which give way to an order, by key; locked."""
    return operations_of(unit, giving_way(unit, order, own, before_us=before_us), lock=True)


def end_as_superseded(
    unit: UnitOfWork,
    older: Mapping[int, Operation],
    own: Own,
    *,
    by: Operation,
    before_us: int | None = None,
) -> None:
    """Ends the open steps of older operations that give way to one. Who carries these on is fenced
    off, and finds them as they are now.

    Args:
        older: locked, before the revision was claimed.

    Raises:
        LostRace: another operation has come in between.
    """
    positions = giving_way(unit, by.order, own, before_us=before_us)
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


def taken_over(steps: Iterable[Step]) -> Own:
    """The units that steps take over."""
    return {each.unit_key: each.edits for each in steps if each.takes_over}


def spared_since(operation: Operation) -> int | None:
    """Since when orders were given that do not give way to one that has waited; None: all do. What
    people resume comes after all others; what a guard held off, or people paused before it began,
    keeps its place among those that were given."""
    return None if operation.phase is Phase.PENDING else operation.create_time_us


def take_over(unit: UnitOfWork, operation: Operation) -> None:
    """Ends what an operation takes the place of that waited until now; it is locked.

    Raises:
        LostRace: another operation has come in between.
    """
    own, before_us = taken_over(steps_of(unit, operation.key)), spared_since(operation)
    older = superseded_by(unit, operation.order, own, before_us=before_us)
    older.pop(operation.key, None)
    end_as_superseded(unit, older, own, by=operation, before_us=before_us)


def lock_with_older(unit: UnitOfWork, operation: Operation) -> None:
    """Locks an operation that waits, and those that it would take the place of: all at once, as
    whoever gives an order does."""
    own = taken_over(steps_of(unit, operation.key))
    older = giving_way(unit, operation.order, own, before_us=spared_since(operation))
    operations_of(unit, {operation.key, *older}, lock=True)


def rewrite(unit: UnitOfWork, operation: Operation) -> Operation:
    """Writes a locked operation whose steps were changed from outside: counts them again, and
    fences off who carries it on, so that a replica takes it up as it is now: one that waits to be
    resumed only once there is nothing left to wait for."""
    steps = states_of_steps(unit, operation.key)
    changed = replace(
        operation,
        counts=counts_of(state for _, state, _, _ in steps),
        fence=operation.fence + 1,
        replica="",
    )
    waits = changed.phase is Phase.PENDING and changed.counts.open
    due_us = None if changed.has_ended or waits else unit.now_us
    return write_operation(unit, changed, due_us=due_us, fence=operation.fence)
