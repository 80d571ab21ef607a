"""Takes back what an operation did once a step of it has failed, but for units that later orders
have taken over. Those that come later still end the steps back, as they end any others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from metadata_server.domain.orchestration.advance import ENDED, StepState
from metadata_server.domain.orchestration.course import STOPPED, Course
from metadata_server.domain.orchestration.giving_way import changed, claimed, gives_way
from metadata_server.domain.orchestration.operation import Minor, Operation, Phase
from metadata_server.domain.orchestration.operation_step import Step, StepMinor
from metadata_server.services.orchestration.supersession import OPEN
from metadata_server.store.orchestration.operation_steps import (
    insert_steps,
    set_steps,
    steps_beside,
)
from metadata_server.store.orchestration.operations import (
    keep_operation,
    lease_end,
    operations_of,
    park_operation,
    write_operation,
)
from metadata_server.store.unit_of_work import UnitOfWork

WAITS = "A step has failed; what was begun is taken back as soon as this is resumed."


def take_back(
    unit: UnitOfWork, course: Course, back: Sequence[Step], *, fence: int, lease_us: int
) -> None:
    """Writes the steps of the way back, before any of them begins.

    Raises:
        Fenced: it is not ours any more.
    """
    operation = course.operation
    keep_operation(unit, operation.key, fence, lease_us=lease_us)
    later = later_orders(unit, course, back)  # long to read, so that nobody waits for it yet
    insert_steps(unit, operation.key, back)
    unit.claim()  # orders that are given from here on find these steps
    later |= later_orders(unit, course, back, states=OPEN)
    end_overtaken(unit, operation.key, later)
    counts = course.counts({})
    turned = replace(
        operation,
        phase=Phase.EXECUTING,
        minor_state=Minor.ROLLING_BACK,
        counts=replace(
            counts,
            pending=counts.pending + len(back) - len(later),
            aborted=counts.aborted + len(later),
        ),
    )
    write_operation(unit, turned, due_us=lease_end(unit, lease_us), fence=fence)


def put_aside(
    unit: UnitOfWork, course: Course, back: Sequence[Step], *, fence: int, lease_us: int
) -> None:
    """Lets go of an operation until people have it go on; it says that there is something to take
    back.

    Raises:
        Fenced: it is not ours any more.
    """
    operation = course.operation
    if not back or operation.message == WAITS:
        park_operation(unit, operation.key, fence)
        return
    keep_operation(unit, operation.key, fence, lease_us=lease_us)
    waiting = replace(operation, message=WAITS, replica="")
    write_operation(unit, waiting, due_us=None, fence=fence)


def later_orders(
    unit: UnitOfWork, course: Course, back: Sequence[Step], *, states: Collection[StepState] = ()
) -> dict[int, Operation]:
    """By position of a step back the last order that has taken its unit over since the unit was
    told.

    Args:
        states: only orders that have a step about the unit in one of them; none: all.
    """
    told_us = {each.unit_key: course.acting_on(each.unit_key).start_time_us for each in back}
    at = {each.unit_key: each.position for each in back}
    since_us = min(told_us.values())
    own = course.operation
    beside = steps_beside(unit, own.key, told_us, since_us=since_us, states=states)
    operations = operations_of(unit, beside)
    changes = changed(own.order)
    found: dict[int, tuple[int, Operation]] = {}
    for key, steps in beside.items():
        operation = operations[key]
        for step in steps:
            began_us = taken_over_us(operation, step, unit.now_us)
            if began_us <= told_us[step.unit_key]:
                continue
            position = at[step.unit_key]
            is_last = position not in found or began_us > found[position][0]
            if is_last and gives_way(changes, claimed(operation.order, step.edits)):
                found[position] = began_us, operation
    return {position: operation for position, (_, operation) in found.items()}


def taken_over_us(operation: Operation, step: Step, now_us: int) -> int:
    """When an operation has taken the unit of a step over from older ones; 0: it has not. One that
    is yet to begin goes by what is there by then."""
    if operation.phase in STOPPED and not operation.start_time_us:
        return 0
    if step.state not in ENDED:
        return now_us
    if step.start_time_us:
        return step.start_time_us
    return (operation.start_time_us or operation.create_time_us) if step.takes_over else 0


def end_overtaken(unit: UnitOfWork, operation_key: int, later: dict[int, Operation]) -> None:
    """Ends steps that have not begun, by position, for the orders that came later."""
    alike: dict[int, list[int]] = defaultdict(list)
    for position, by in later.items():
        alike[by.key].append(position)
    for positions in alike.values():
        by = later[positions[0]]
        set_steps(
            unit,
            operation_key,
            positions,
            was=(StepState.PENDING,),
            state=StepState.ABORTED.value,
            minor_state=StepMinor.SUPERSEDED.value,
            message=f"{by.author} has ordered {by.order.verb} in {by.name}",
            end_time_us=unit.now_us,
        )
