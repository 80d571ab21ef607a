"""What holds changes of control units off, whoever makes them and however: maintenance, and
guards."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.orchestration.guard import Guarding
from metadata_server.domain.orchestration.maintenance import ORDERS, Coverage
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Resource
from metadata_server.store.orchestration.guards import guarding_now
from metadata_server.store.orchestration.maintenances import coverage_now
from metadata_server.store.unit_of_work import UnitOfWork


class Restraints:
    """What is held off within one transaction; read only where a unit changes."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit

    @cached_property
    def _coverage(self) -> Coverage:
        """Read without a lock: a maintenance that begins meanwhile leaves units alone all the
        same."""
        return coverage_now(self._unit)

    @cached_property
    def _guarding(self) -> Guarding:
        return guarding_now(self._unit)

    def refusals(self, before: Resource | None, after: ControlUnit) -> Iterator[WrongField]:
        """What stands against a change of a unit.

        Args:
            before: None: it is created.
        """
        there = before if isinstance(before, ControlUnit) else None
        changed = there.changed_fields(after) if there else ()
        if there and not changed:
            return
        if there and any(order in changed for order in ORDERS):
            yield from self._coverage.refusals(there, after, changed)
        yield from self._guarding.refusals(there, after)

    def deletion_refusal(self, resource: Resource) -> WrongField | None:
        """What stands against the deletion of a resource; None: nothing does."""
        if isinstance(resource, ControlUnit):
            return self._guarding.deletion_refusal(resource)
        return None
