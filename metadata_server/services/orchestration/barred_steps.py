"""Why guards forbid what is left to begin of an order: judged by what it would make of its units, as
it is when it begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.orchestration.advance import ENDED
from metadata_server.domain.orchestration.operation import Order
from metadata_server.domain.orchestration.operation_step import Step
from metadata_server.domain.refused import Refused
from metadata_server.services.orchestration.step_begin import Telling
from metadata_server.store.orchestration.guards import guarding_now
from metadata_server.store.orchestration.operation_steps import seen_of
from metadata_server.store.unit_of_work import UnitOfWork


def held_off(unit: UnitOfWork, order: Order, steps: Iterable[Step], *, is_new: bool = False) -> str:
    """Why guards forbid what is left to begin of an order, of the first unit; empty: they do
    not. A step whose edits cannot be read, or applied, holds nothing off: it fails alone when it
    begins.

    Args:
        is_new: none of its steps has begun, and so they will go by what is wanted then.
    """
    guarding = guarding_now(unit)
    if not guarding.guards:
        return ""
    waiting = {each.unit_key: each for each in steps if each.state not in ENDED}
    units = unit.resources.of_keys(ControlUnit, waiting)
    telling = Telling(order, seen_of(unit, units))
    ordered = sorted(units.values(), key=lambda each: waiting[each.meta.key].position)
    for there in ordered:
        step = waiting[there.meta.key]
        if is_new:
            step = replace(step, desired=there.desired_state)
        try:
            told = telling.told(step, there)
        except (Refused, ValueError):  # a later release has planned its edits
            continue
        found = guarding.against(there, told)
        if found is not None:
            return f"{there.id}: {guarding.why(found.guard)}"
    return ""
