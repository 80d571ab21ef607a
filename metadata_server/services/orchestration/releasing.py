"""Orders that guards held off begin as soon as these allow it, as orders that people resume do: on
what is there by then, and only then do they take units over from older ones."""

from __future__ import annotations

from dataclasses import replace

from metadata_server.domain.orchestration.course import Course
from metadata_server.domain.orchestration.operation import Minor, Operation, Phase
from metadata_server.domain.refused import Refused
from metadata_server.services.orchestration.barred_steps import held_off
from metadata_server.services.orchestration.holding import HELD_LOOK_US
from metadata_server.services.orchestration.supersession import lock_with_older, take_over
from metadata_server.services.orchestration.waiting_orders import begin_from_now
from metadata_server.store.orchestration.operations import (
    keep_operation,
    lease_end,
    park_operation,
    write_operation,
)
from metadata_server.store.unit_of_work import LostRace, UnitOfWork


def still_held(unit: UnitOfWork, course: Course, *, fence: int, lease_us: int) -> bool:
    """Whether a held operation does not go on: guards still forbid what it has to do, or its plan
    is not so any more, and it waits for people.

    Raises:
        Fenced: it is not ours any more.
        LostRace: guards changed meanwhile.
    """
    operation = course.operation
    is_new = not operation.start_time_us
    is_held = bool(held_off(unit, operation.order, course.waiting(), is_new=is_new))
    begins = not is_held and is_new and bool(course.waiting())
    if begins:
        lock_with_older(unit, operation)
    keep_operation(unit, operation.key, fence, lease_us=lease_us)
    if is_held:
        if course.is_quiet:
            if not held_off(unit, operation.order, course.waiting(), is_new=is_new):
                raise LostRace  # guards let it go, and did not wake it, as it was not parked yet
            look_later(unit, operation, fence=fence)
        return True
    if begins:
        try:
            begin_from_now(unit, operation)
        except Refused as refused:
            if refused.reason != "PLAN_MOVED":
                raise
            wait_for_people(unit, operation, refused.message, fence=fence)
            return True
        take_over(unit, operation)
    freed = replace(
        operation,
        phase=Phase.QUEUED,
        minor_state=Minor.WAITING_FOR_REPLICA,
        message="",
        counts=course.counts({}),
    )
    write_operation(unit, freed, due_us=lease_end(unit, lease_us), fence=fence)
    return False


def look_later(unit: UnitOfWork, operation: Operation, *, fence: int) -> None:
    """Lets go of a held operation, until somebody hears of another mode, or it is time to look.

    Raises:
        Fenced: it is not ours any more.
    """
    look_us = unit.now_us + HELD_LOOK_US
    due_us = min(look_us, operation.deadline_us or look_us)
    park_operation(unit, operation.key, fence, due_us=due_us)


def wait_for_people(unit: UnitOfWork, operation: Operation, why: str, *, fence: int) -> None:
    waiting = replace(
        operation,
        phase=Phase.PENDING,
        minor_state=Minor.WAITING_FOR_START,
        message=why,
        deadline_us=0,
        replica="",
    )
    write_operation(unit, waiting, due_us=None, fence=fence)
