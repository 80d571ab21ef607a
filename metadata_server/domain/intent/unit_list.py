"""Saved lists of control units."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from metadata_server.domain.filter.unit_filter import unit_filter_faults
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.domain.part_checks import name_faults
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitList(Resource):
    """Control units under one name: those of `control_units`, and those that pass all of
    `id_prefixes`, `unit_labels` and `unit_filter`, as far as these are set.

    Attributes:
        control_units: ids, sorted; of some the units may be gone.
        id_prefixes: sorted; none: any id passes, where there are labels or a filter.
        unit_labels: that units have, with these values.
        unit_filter: that units pass when the list is used, as people write it.
    """

    kind: ClassVar[Kind] = Kind.UNIT_LIST

    control_units: tuple[str, ...] = ()
    id_prefixes: tuple[str, ...] = ()
    unit_labels: Mapping[str, str] = field(default_factory=dict)
    unit_filter: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether its units are to be found by their ids, or beginnings of them."""
        return bool(self.id_prefixes) or not self._is_wide

    @property
    def _is_wide(self) -> bool:
        return bool(self.unit_labels or self.unit_filter.strip())

    def holds(self, unit: ControlUnit, passing: Container[int]) -> bool:
        """Whether a unit is on it.

        Args:
            passing: keys of units that pass its filter.
        """
        if unit.id in self.control_units:
            return True
        begins = unit.id.startswith(self.id_prefixes) if self.id_prefixes else self._is_wide
        return (
            begins
            and self.unit_labels.items() <= unit.labels.items()
            and (not self.unit_filter.strip() or unit.meta.key in passing)
        )


def unit_list_faults(wanted: UnitList) -> Iterator[WrongField]:
    filter_ = wanted.unit_filter.strip()
    if not (wanted.control_units or wanted.id_prefixes or wanted.unit_labels or filter_):
        expected = "at least one of control_units, id_prefixes, unit_labels, unit_filter"
        yield WrongField("control_units", "", expected)
    for position, prefix in enumerate(wanted.id_prefixes):
        if not prefix or not BEGINS_AN_ID.match(prefix):
            expected = "the beginning of ids, like DAFNE/PL/"
            yield WrongField(f"id_prefixes[{position}]", prefix, expected)
    for name in wanted.unit_labels:
        yield from name_faults(name, path=f"unit_labels[{name}]")
    yield from unit_filter_faults(wanted.unit_filter)
