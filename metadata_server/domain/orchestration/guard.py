"""Machine modes, and the guards that forbid changes of control units in some of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from metadata_server.domain.difference import differences
from metadata_server.domain.filter.unit_filter import declared_passes
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.guarded_change import FIELDS, GuardedChange
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Resource

FORBIDDEN = "FORBIDDEN_BY_GUARD"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineMode(Resource):
    """What a machine or a zone of it is being used for.

    Attributes:
        mode: the one that it is in, of `modes`.
        modes: sorted.
    """

    kind: ClassVar[Kind] = Kind.MACHINE_MODE

    mode: str = ""
    modes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard(Resource):
    """That changes of control units are refused while a machine is in some modes; `description`
    says why. All lists are sorted.

    Attributes:
        machine_mode: id of the one that counts.
        modes: in which it forbids.
        control_units: ids: these and those of `id_prefixes`; none of both: all that pass the rest.
        id_prefixes: that ids begin with.
        unit_servers: ids; of units declared for one of these. None: for any, or for none.
        templates: ids; of units of one of these. None: of any.
        unit_labels: that units have, with these values.
        unit_filter: that units pass, of what is declared of them, as people write it.
    """

    kind: ClassVar[Kind] = Kind.GUARD

    machine_mode: str = ""
    modes: tuple[str, ...] = ()
    forbids: tuple[GuardedChange, ...] = ()
    control_units: tuple[str, ...] = ()
    id_prefixes: tuple[str, ...] = ()
    unit_servers: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    unit_labels: Mapping[str, str] = field(default_factory=dict)
    unit_filter: str = ""

    def reaches(self, unit: ControlUnit) -> bool:
        named = unit.id in self.control_units or unit.id.startswith(self.id_prefixes)
        return (
            (named or not (self.control_units or self.id_prefixes))
            and (not self.unit_servers or unit.unit_server in self.unit_servers)
            and (not self.templates or unit.template in self.templates)
            and self.unit_labels.items() <= unit.labels.items()
            and declared_passes(self.unit_filter, unit)
        )

    def let_go(
        self, before: ControlUnit, after: ControlUnit, changed: Collection[str]
    ) -> tuple[str, ...]:
        """Those of some changed fields by which a unit comes out of its reach."""
        alone = (
            name
            for name in changed
            if not self.reaches(replace(before, **{name: getattr(after, name)}))
        )
        return tuple(alone) or tuple(changed)

    def forbidden(self, changed: Collection[str]) -> tuple[str, ...]:
        """Those of some changed fields of a unit whose change it forbids."""
        if GuardedChange.EVERYTHING in self.forbids:
            return tuple(changed)
        fields = {name for each in self.forbids for name in FIELDS.get(each, ())}
        return tuple(name for name in changed if name in fields)

    @property
    def forbids_deletion(self) -> bool:
        return not {GuardedChange.DELETION, GuardedChange.EVERYTHING}.isdisjoint(self.forbids)


@dataclass(frozen=True, slots=True)
class Against:
    """A guard that stands against a change of a unit.

    Attributes:
        fields: that it does not let change; none: it does not let the unit come to be.
    """

    guard: Guard
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guarding:
    """The guards that forbid something now.

    Attributes:
        guards: by id, of machines that are in a mode in which they forbid.
        machines: their machine modes, by id.
    """

    guards: tuple[Guard, ...] = ()
    machines: Mapping[str, MachineMode] = field(default_factory=dict)

    @classmethod
    def of(cls, guards: Iterable[Guard], machines: Iterable[MachineMode]) -> Guarding:
        known = {each.id: each for each in machines}
        forbidding = (
            each
            for each in guards
            if each.machine_mode in known and known[each.machine_mode].mode in each.modes
        )
        return cls(tuple(sorted(forbidding, key=lambda each: each.id)), known)

    def barring(self, unit: ControlUnit, changed: Collection[str]) -> Guard | None:
        """The first guard that forbids to change these fields of a unit; None: none does."""
        return next((g for g in self.guards if g.reaches(unit) and g.forbidden(changed)), None)

    def why(self, guard: Guard) -> str:
        """What holds a change off, and until when: the rest of a sentence."""
        machine = self.machines[guard.machine_mode]
        others = [mode for mode in machine.modes if mode not in guard.modes]
        free = f" until it is {' or '.join(others)}" if others else ""
        return (
            f"{guard.name} forbids it while {machine.name} is {machine.mode}{free} "
            f"({guard.description})"
        )

    def against(self, before: ControlUnit | None, after: ControlUnit) -> Against | None:
        """What stands against a change of a unit, by the first guard that does; None: nothing.

        Args:
            before: None: the unit is created.
        """
        if not self.guards:
            return None
        was = nothing_like(after) if before is None else before
        changed = was.changed_fields(after)
        for guard in self.guards:
            is_reached = guard.reaches(after)
            if before is None and is_reached and GuardedChange.EVERYTHING in guard.forbids:
                return Against(guard, ())
            forbidden = guard.forbidden(changed) if is_reached or guard.reaches(was) else ()
            if not forbidden and not is_reached and guard.reaches(was):
                forbidden = guard.let_go(was, after, changed)
            if forbidden:
                return Against(guard, forbidden)
        return None

    def refusals(self, before: ControlUnit | None, after: ControlUnit) -> Iterator[WrongField]:
        """The same, as fields that cannot be so: each with the first thing in it that differs."""
        found = self.against(before, after)
        if found is None:
            return
        told = self._told(found.guard)
        if not found.fields:
            yield WrongField("name", after.name, f"not there, as it is: {told}", FORBIDDEN)
        was = nothing_like(after) if before is None else before
        for name in found.fields:
            path, now, would_be = first_difference(name, was, after)
            yield WrongField(path, would_be, f"{now or 'not set'}, as it is: {told}", FORBIDDEN)

    def deletion_refusal(self, unit: ControlUnit) -> WrongField | None:
        """What stands against the deletion of a unit; None: nothing does."""
        for guard in self.guards:
            if guard.forbids_deletion and guard.reaches(unit):
                expected = f"there, as it is: {self._told(guard)}"
                return WrongField("name", unit.name, expected, FORBIDDEN)
        return None

    def _told(self, guard: Guard) -> str:
        return f"{self.why(guard)}; wait for that, stage it, or have the mode changed"


def nothing_like(unit: ControlUnit) -> ControlUnit:
    """What a unit that is created counts as before: it is where it is, and nothing is asked of
    it."""
    return ControlUnit(
        id=unit.id,
        template=unit.template,
        template_version=unit.template_version,
        unit_server=unit.unit_server,
        labels=unit.labels,
    )


def first_difference(name: str, before: ControlUnit, after: ControlUnit) -> tuple[str, str, str]:
    """Path and both values of the first thing in which a field of two units differs."""
    if name == "id":
        return "name", before.name, after.name
    alike = replace(before, **{name: getattr(after, name)})
    found = differences(before, alike)
    if not found:
        return name, "", ""
    return found[0].path, found[0].before or "", found[0].after or ""
