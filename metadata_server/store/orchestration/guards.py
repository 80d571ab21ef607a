"""The guards that forbid something now."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select, union_all

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.orchestration.guard import Guard, Guarding, MachineMode
from metadata_server.store.schema import guard, machine_mode
from metadata_server.store.unit_of_work import LostRace, UnitOfWork


def guarding_now(unit: UnitOfWork) -> Guarding:
    """What is forbidden now. It is read without a lock; where this transaction writes anything,
    it loses the race against any guard or mode that is changed before it."""
    guards = unit.resources.where(Guard)
    machines = unit.resources.where(MachineMode) if guards else []
    seen = {(each.meta.key, each.meta.revision) for each in (*guards, *machines)}

    def check(unit: UnitOfWork) -> None:
        if revisions(unit, with_machines=bool(guards)) != seen:
            raise LostRace

    unit.rely_on(check)
    return Guarding.of(guards, machines)


def revisions(unit: UnitOfWork, *, with_machines: bool) -> set[tuple[int, int]]:
    """Key and revision of each guard, and of each machine mode."""
    tables = [guard, machine_mode] if with_machines else [guard]
    query = union_all(*(select(table.c.key, table.c.revision) for table in tables))
    return {(row.key, row.revision) for row in unit.connection.execute(query)}


def guard_refusals(
    unit: UnitOfWork, units: Iterable[ControlUnit], changed: Collection[str]
) -> dict[str, str]:
    """Why guards forbid to change some fields of units, by id: the rest of a sentence. Units of
    which nothing is forbidden are not there."""
    guarding = guarding_now(unit)
    barred = ((each.id, guarding.barring(each, changed)) for each in units)
    return {id: guarding.why(guard) for id, guard in barred if guard is not None}
