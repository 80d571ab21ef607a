"""Orders that were planned to wait begin on what is there by then, not on what was there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import Operation, Order, UnitEdits
from metadata_server.domain.orchestration.operation_step import Step, StepMinor
from metadata_server.domain.orchestration.order_plan import DESCENDING, is_there
from metadata_server.domain.orchestration.ordering import Member, waves
from metadata_server.domain.orchestration.ordering import order_of as ordering_of
from metadata_server.domain.refused import Refused
from metadata_server.services.orchestration.operation_plans import Planned, plan, told
from metadata_server.store.orchestration.members import members_of
from metadata_server.store.orchestration.operation_steps import rewrite_plans, steps_of
from metadata_server.store.unit_of_work import UnitOfWork

TOLD_OF = 3
CANNOT_BE_PLANNED = frozenset(
    {"INVALID_FIELD", "NOTHING_SELECTED", "DEPENDENCY_CYCLE", "UNIT_LIST_NOT_FOUND"}
)
"""What a plan is refused for that could be made before."""


def begin_from_now(unit: UnitOfWork, operation: Operation) -> None:
    """Has the steps of a locked operation go by what their units are now, and by what is wanted of
    them: older orders may have come on since it was planned, units may have been changed.

    Raises:
        Refused: PLAN_MOVED.
    """
    check_plan(unit, operation)
    steps = steps_of(unit, operation.key)
    members = members_now(unit, steps)
    anew = in_waves(
        [as_now(each, members.get(each.unit_key)) for each in steps],
        descends=operation.order.verb in DESCENDING,
    )
    changed = (now for before, now in zip(steps, anew, strict=True) if now != before)
    rewrite_plans(unit, operation.key, changed)


def as_now(step: Step, member: Member | None) -> Step:
    """A step by what its unit is now, also one that is settled: what it is about has one name. It
    keeps its position: by that it is known to who lists steps, or follows them."""
    if member is None:
        return step
    return replace(
        step,
        id=member.id,
        level=member.level,
        unit_server=member.unit_server,
        requires=member.requires,
        after=member.after,
        desired=member.desired,
        found=member.state,
    )


def in_waves(steps: Sequence[Step], *, descends: bool) -> list[Step]:
    """Steps that have not begun, with the waves in which they will."""
    ordering = ordering_of((each.member for each in steps if each.is_ordered), descends=descends)
    wave = {each.id: number for number, some in enumerate(waves(ordering)) for each in some}
    return [
        replace(each, wave=wave.get(each.id, each.wave)) if each.is_ordered else each
        for each in steps
    ]


def check_plan(unit: UnitOfWork, operation: Operation) -> None:
    """Passes when a plan of now would act on the same units, but for those that are where it wants
    them by now.

    Raises:
        Refused: PLAN_MOVED.
    """
    steps = steps_of(unit, operation.key)
    members = members_now(unit, steps)
    try:
        planned = plan(unit, order_of(unit, operation, steps, members))
    except Refused as refused:
        if refused.reason not in CANNOT_BE_PLANNED:
            raise
        raise plan_moved(operation, [refused.message.rstrip(".")]) from refused
    moved = sorted(differences(operation.order, steps, planned, members))
    if moved:
        raise plan_moved(operation, moved)


def order_of(
    unit: UnitOfWork, operation: Operation, steps: Sequence[Step], members: Mapping[int, Member]
) -> Order:
    """The order as it was given, to the same units, whatever they are called by now; a campaign
    that was closed since then takes nothing from it."""
    edits = [UnitEdits(called(each, members), each.edits) for each in steps if each.edits]
    selection = operation.order.selection
    if selection.ids:
        # Others were named, too, which did not pass; those that are gone by now never will.
        others = set(selection.ids) - {each.id for each in steps}
        named = {each.id for each in members.values()}
        named |= unit.resources.find(ControlUnit, others).keys()
        # Without any, all units would be selected.
        selection = replace(selection, ids=tuple(sorted(named)) or selection.ids)
    return replace(operation.order, selection=selection, unit_edits=tuple(edits), campaign="")


def called(step: Step, members: Mapping[int, Member]) -> str:
    """The id that the unit of a step has now, or had."""
    member = members.get(step.unit_key)
    return member.id if member is not None else step.id


def differences(
    order: Order, steps: Sequence[Step], planned: Planned, members: Mapping[int, Member]
) -> Iterator[str]:
    """What a plan of now would do otherwise, unit by unit."""
    acted_on = {planned.units[each.id].meta.key for each in planned.order.ordering.members}
    blocked = {planned.units[id].meta.key: why for id, why in planned.order.blocked.items()}
    selected = {each.meta.key for each in planned.units.values()}
    known = {each.unit_key for each in steps}
    yield from (
        f"{id} is selected, too"
        for id, each in planned.units.items()
        if each.meta.key in acted_on - known
    )
    for step in steps:
        member = members.get(step.unit_key)
        id = called(step, members)
        is_settled = member is not None and is_there(order.verb, member)
        if step.minor_state == StepMinor.BLOCKED and step.unit_key in acted_on:
            yield f"{id} was left out, and is not blocked any more"
        elif step.minor_state == StepMinor.ALREADY_THERE and not is_settled:
            yield f"{id} is {standing(member)}, and was there already"
        elif step.state is not StepState.PENDING or is_settled:
            continue
        elif step.unit_key in blocked:
            yield f"{id} is blocked: {told(blocked[step.unit_key])}"
        elif step.unit_key not in selected:
            yield f"{id} is {'not selected any more' if member else standing(member)}"


def plan_moved(operation: Operation, moved: Sequence[str]) -> Refused:
    more = f" and {len(moved) - TOLD_OF} more" if len(moved) > TOLD_OF else ""
    return Refused.moved(
        "PLAN_MOVED",
        f"{operation.name} was planned for what is not so any more: "
        f"{'; '.join(moved[:TOLD_OF])}{more}. Abort it, and give the order again.",
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
