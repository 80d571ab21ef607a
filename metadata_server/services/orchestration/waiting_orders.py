"""Orders that were planned to wait begin on what is there by then, not on what was there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import Operation
from metadata_server.domain.orchestration.operation_step import Step, StepMinor
from metadata_server.domain.orchestration.order_plan import is_there
from metadata_server.domain.orchestration.ordering import Member
from metadata_server.domain.refused import Refused
from metadata_server.store.orchestration.members import members_of
from metadata_server.store.orchestration.operation_steps import rewrite_plans, steps_of
from metadata_server.store.unit_of_work import UnitOfWork

TOLD_OF = 3


def begin_from_now(unit: UnitOfWork, operation: Operation) -> None:
    """Has the steps of a locked operation go by what is wanted of their units now: older orders
    may have come on since it was planned.

    Raises:
        Refused: PLAN_MOVED.
    """
    check_still_there(unit, operation)
    pending = steps_of(unit, operation.key, states=[StepState.PENDING])
    members = members_now(unit, pending)
    anew = [
        replace(each, desired=member.desired, found=member.state)
        for each in pending
        if (member := members.get(each.unit_key)) is not None
        and (each.desired, each.found) != (member.desired, member.state)
    ]
    rewrite_plans(unit, operation.key, anew)


def check_still_there(unit: UnitOfWork, operation: Operation) -> None:
    """Passes when all units are where it wants them that were so when it was planned: it would do
    nothing about them.

    Raises:
        Refused: PLAN_MOVED.
    """
    steps = steps_of(unit, operation.key, states=[StepState.COMPLETED])
    there = [each for each in steps if each.minor_state == StepMinor.ALREADY_THERE]
    members = members_now(unit, there)
    moved = [
        f"{each.id} is {standing(member)}"
        for each in there
        if (member := members.get(each.unit_key)) is None
        or not is_there(operation.order.verb, member)
    ]
    if not moved:
        return
    more = f" and {len(moved) - TOLD_OF} more" if len(moved) > TOLD_OF else ""
    raise Refused.moved(
        "PLAN_MOVED",
        f"{operation.name} would do nothing about units that were there already when it was "
        f"planned, and are not now: {'; '.join(moved[:TOLD_OF])}{more}. Abort it, and give the "
        "order again.",
        [],
        name=operation.name,
    )


def members_now(unit: UnitOfWork, steps: Sequence[Step]) -> dict[int, Member]:
    """The units of steps as they are now, by key, of those that are still declared."""
    units = unit.resources.of_keys(ControlUnit, [each.unit_key for each in steps])
    return dict(zip(units, members_of(unit, list(units.values())), strict=True))


def standing(member: Member | None) -> str:
    if member is None:
        return "no longer declared"
    return f"{member.state}, wanted {member.desired}"
