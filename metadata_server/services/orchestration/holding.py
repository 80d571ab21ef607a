"""Operations that guards hold off: what is staged waits for the mode of its machine, and goes on
by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from metadata_server.domain.intent.bundle import Decision, ItemAction
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.guard import FORBIDDEN
from metadata_server.domain.orchestration.operation import Minor, Operation, Order, Phase
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
    if not guarding.guards:
        return {}
    found = ((each.id, guarding.against(each, as_ordered(order, each))) for each in units)
    return {id: guarding.why(against.guard) for id, against in found if against is not None}


def as_ordered(order: Order, unit: ControlUnit) -> ControlUnit:
    """A unit as an order wants it; one that it may tell to recover is told so."""
    target = TARGETS.get(order.verb, State.UNSPECIFIED)
    recovers = order.verb is Verb.RECOVER or order.recover
    return replace(
        unit,
        desired_state=unit.desired_state if target is State.UNSPECIFIED else target,
        recover_count=unit.recover_count + int(recovers),
    )


def is_held_off(decision: Decision) -> bool:
    """Whether nothing but guards stands against a change."""
    return decision.action is ItemAction.REJECTED and all(
        each.reason == FORBIDDEN for each in decision.problems
    )


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
