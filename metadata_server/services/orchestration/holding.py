"""Operations that guards hold off: what is staged waits for the mode of its machine, and goes on
by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from metadata_server.domain.intent.bundle import Decision, ItemAction
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import edited, steps_of
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.advance import ENDED
from metadata_server.domain.orchestration.guard import FORBIDDEN, Guard, Guarding
from metadata_server.domain.orchestration.operation import Minor, Operation, Order, Phase
from metadata_server.domain.orchestration.operation_step import Step
from metadata_server.domain.orchestration.order_plan import TARGETS, Verb
from metadata_server.services.watching.following import keep_following
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.orchestration.guards import guarding_now
from metadata_server.store.orchestration.operations import wake_held
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

HELD_LOOK_US = 30_000_000
"""An operation that is held is looked at so often, also where nobody heard of a new mode."""
LONGEST_WAIT_S = 60.0


def guard_bars(unit: UnitOfWork, order: Order, units: Iterable[ControlUnit]) -> dict[str, str]:
    """Why guards forbid an order to units, by id; not for edits, which are tried out."""
    guarding = guarding_now(unit)
    target = TARGETS.get(order.verb, State.UNSPECIFIED)
    found = ((each.id, guarding.barring(each, told_fields(order, each, target))) for each in units)
    return {id: guarding.why(guard) for id, guard in found if guard is not None}


def told_fields(order: Order, unit: ControlUnit, target: State, *, again: bool = False) -> set[str]:
    """Fields of a unit that an order changes, or may.

    Args:
        again: it is tried once more, and so may be told to recover.
    """
    recovers = order.verb is Verb.RECOVER or order.recover or again
    fields = {"recover_count"} if recovers else set()
    if target not in {State.UNSPECIFIED, unit.desired_state}:
        fields.add("desired_state")
    return fields


def is_held_off(decision: Decision) -> bool:
    """Whether nothing but guards stands against a change."""
    return decision.action is ItemAction.REJECTED and all(
        each.reason == FORBIDDEN for each in decision.problems
    )


def held_off(unit: UnitOfWork, order: Order, steps: Iterable[Step]) -> str:
    """Why guards forbid what is left to begin of an order, of the first unit; empty: they do
    not."""
    guarding = guarding_now(unit)
    if not guarding.guards:
        return ""
    waiting = {each.unit_key: each for each in steps if each.state not in ENDED}
    units = unit.resources.of_keys(ControlUnit, waiting)
    ordered = sorted(units.values(), key=lambda each: waiting[each.meta.key].position)
    for each in ordered:
        guard = bar_of(guarding, order, each, waiting[each.meta.key])
        if guard is not None:
            return f"{each.id}: {guarding.why(guard)}"
    return ""


def bar_of(guarding: Guarding, order: Order, unit: ControlUnit, step: Step) -> Guard | None:
    """The guard that forbids what a step does to its unit; None: none does."""
    if order.verb is Verb.EDIT:
        found = guarding.against(unit, edited(unit, steps_of((*order.edits, *step.edits))))
        return found.guard if found is not None else None
    fields = told_fields(order, unit, step.target, again=step.attempts > 0)
    return guarding.barring(unit, fields)


def held(operation: Operation, why: str) -> Operation:
    """An operation of which nothing more begins until the mode allows it."""
    return replace(operation, phase=Phase.HELD, minor_state=Minor.WAITING_FOR_MODE, message=why)


class Holding:
    """Has held operations looked at when a mode or a guard changes.

    Args:
        on_due: is called when a replica should look for operations to carry on.
    """

    def __init__(self, store: Store, tailer: Tailer, *, on_due: Callable[[], None]) -> None:
        self._store = store
        self._tailer = tailer
        self._on_due = on_due

    async def run(self) -> None:
        """Follows modes and guards until it is cancelled, or the replica drains."""
        await keep_following(self._tailer, self._follow, missed="machine_modes_missed")

    async def _follow(self) -> None:
        kinds = {Kind.MACHINE_MODE, Kind.GUARD}
        async with self._tailer.subscribe(kinds=kinds) as changes:
            while True:
                if (await self._store.transact(wake_held)).value:
                    self._on_due()
                while await changes.next(LONGEST_WAIT_S) is None:
                    pass
