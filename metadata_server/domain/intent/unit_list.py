"""Saved lists of control units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.domain.part_checks import name_faults
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitList(Resource):
    """Control units under one name: those of `control_units`, and those that pass both
    `id_prefixes` and `unit_labels`, as far as these are set.

    Attributes:
        control_units: ids, sorted; of some the units may be gone.
        id_prefixes: sorted; none: any id passes, where there are labels.
        unit_labels: that units have, with these values.
    """

    kind: ClassVar[Kind] = Kind.UNIT_LIST

    control_units: tuple[str, ...] = ()
    id_prefixes: tuple[str, ...] = ()
    unit_labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_narrow(self) -> bool:
        """Whether its units are to be found by their ids, or beginnings of them."""
        return bool(self.id_prefixes) or not self.unit_labels

    def holds(self, unit: ControlUnit) -> bool:
        if unit.id in self.control_units:
            return True
        begins = unit.id.startswith(self.id_prefixes) if self.id_prefixes else self.unit_labels
        return bool(begins) and self.unit_labels.items() <= unit.labels.items()


def unit_list_faults(wanted: UnitList) -> Iterator[WrongField]:
    if not (wanted.control_units or wanted.id_prefixes or wanted.unit_labels):
        expected = "at least one of control_units, id_prefixes, unit_labels"
        yield WrongField("control_units", "", expected)
    for position, prefix in enumerate(wanted.id_prefixes):
        if not prefix or not BEGINS_AN_ID.match(prefix):
            expected = "the beginning of ids, like DAFNE/PL/"
            yield WrongField(f"id_prefixes[{position}]", prefix, expected)
    for name in wanted.unit_labels:
        yield from name_faults(name, path=f"unit_labels[{name}]")
